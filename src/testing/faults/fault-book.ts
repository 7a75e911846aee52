import { randomFor } from '../random.js';
import type { ApiCall, Operation } from '../server/endpoint.js';
import { FAULT_EFFECTS, type FaultEffect, type FaultName } from './fault-effect.js';

/** When a fault strikes. The first rule that applies to a request wins. */
export interface FaultRule {
  readonly on: Operation | readonly Operation[] | '*';
  /** Only requests for this object. */
  readonly id?: string;
  readonly where?: (call: ApiCall) => boolean;
  /** So many matching requests pass first. @default 0 */
  readonly skip?: number;
  /** Strikes so often, then no more. @default 1 */
  readonly times?: number;
  /** The chance of each matching request to be struck, drawn from the seed. @default 1 */
  readonly probability?: number;
  /** What happens; a name stands for one of `FAULT_EFFECTS`. */
  readonly effect: FaultEffect | FaultName;
}

export interface FaultHandle {
  /** How often the rule has struck. */
  readonly hits: number;
  remove(): void;
}

interface Entry {
  readonly rule: FaultRule;
  readonly effect: FaultEffect;
  matches: number;
  hits: number;
  readonly random: () => number;
}

/** The faults in force. */
export class FaultBook {
  readonly #seed: number;
  #entries: Entry[] = [];
  #added = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  add(rule: FaultRule): FaultHandle {
    const effect = typeof rule.effect === 'string' ? FAULT_EFFECTS[rule.effect] : rule.effect;
    const random = randomFor(this.#seed, 'fault', this.#added++);
    const entry: Entry = { rule, effect, matches: 0, hits: 0, random };
    this.#entries.push(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => {
        this.#entries = this.#entries.filter((other) => other !== entry);
      },
    };
  }

  clear(): void {
    this.#entries = [];
  }

  /** The effect that strikes this request, if any; it is counted as a hit. */
  strike(call: ApiCall): FaultEffect | undefined {
    for (const entry of this.#entries) {
      if (!applies(entry.rule, call)) continue;
      entry.matches += 1;
      const { skip = 0, times = 1, probability = 1 } = entry.rule;
      if (entry.matches <= skip || entry.hits >= times || entry.random() >= probability) continue;
      entry.hits += 1;
      return entry.effect;
    }
    return undefined;
  }
}

function applies({ on, id, where }: FaultRule, call: ApiCall): boolean {
  const operations = on === '*' ? undefined : [on].flat();
  if (operations !== undefined && !operations.includes(call.operation)) return false;
  return (id === undefined || id === call.id) && (where === undefined || where(call));
}
