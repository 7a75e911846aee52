/** After a refusal, nothing of the model is granted for a while: the account may have other users, whose jobs must end. */
import type { RefusalPause } from '../../contract/token-budget.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
const FIRST_MS = 10 * SECOND_MS;
/** The pause doubles with each further refusal in a row, up to this one. */
const LONGEST_MS = 600 * SECOND_MS;
const MAX_PAUSES = 500;

export class Pauses {
  #pauses: RefusalPause[];

  constructor(pauses: readonly RefusalPause[] = []) {
    this.#pauses = [...pauses];
  }

  get state(): RefusalPause[] {
    return this.#pauses;
  }

  /** @param grantedAt parts that were granted before the last refusal do not make the pause longer */
  pause(model: string, grantedAt: number, now: number): void {
    const before = this.#pauses.find((pause) => pause.model === model);
    const isAgain = before !== undefined && grantedAt < before.refusedAt;
    const refusals = isAgain ? before.refusals : (before?.refusals ?? 0) + 1;
    const until = now + Math.min(FIRST_MS * 2 ** (refusals - 1), LONGEST_MS);
    const others = this.#pauses.filter((pause) => pause !== before);
    const refusedAt = isAgain ? before.refusedAt : now;
    this.#pauses = [...others, { model, until, refusals, refusedAt }].slice(-MAX_PAUSES);
  }

  /** A batch of the model was not refused: the next pause is a short one. */
  succeed(model: string): void {
    this.#pauses = this.#pauses.map((pause) => (pause.model === model ? { ...pause, refusals: 0 } : pause));
  }

  isPaused(model: string, now: number): boolean {
    return this.untilOf(model) > now;
  }

  /** 0 where there is none. */
  untilOf(model: string): number {
    return this.#pauses.find((pause) => pause.model === model)?.until ?? 0;
  }

  forgetOld(now: number): void {
    this.#pauses = this.#pauses.filter(({ until }) => now - until <= HOUR_MS);
  }
}
