/** The budget alone, with bulk batches of any size and a provider of any moods. Moments are epoch ms. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BudgetState, CapacityRequest } from '../../../../src/contract/token-budget.js';
import { Ledger } from '../../../../src/workflows/budget/ledger.js';
import { FUZZ_RUNS, fuzzRuns } from '../../../support/fuzz.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Numbers from 0 to 1 that are as random as those of a real day, unlike those that a property test likes best. */
function diceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Bulk {
  readonly id: string;
  readonly weight: number;
  readonly parts: readonly number[];
  readonly lanes: number;
  readonly limit: number | null;
  /** When it is terminated and started again; null for never. */
  readonly diesAfter: number | null;
}

const bulkOf = (id: string): fc.Arbitrary<Bulk> =>
  fc.record({
    id: fc.constant(id),
    weight: fc.constantFrom(0.5, 1, 2, 5),
    parts: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 25 }),
    lanes: fc.integer({ min: 1, max: 6 }),
    limit: fc.constantFrom(null, null, 60, 200),
    diesAfter: fc.option(fc.integer({ min: 1, max: 60 }), { nil: null }),
  });

const scenario = fc.record({
  bulks: fc
    .integer({ min: 1, max: 5 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => bulkOf(`b${i}`)))),
  /** What the provider lets be enqueued, whatever the budget believes. */
  atProvider: fc.constantFrom(50, 150, 1_000),
  namesLimit: fc.boolean(),
  createsPerHour: fc.constantFrom(undefined, 20, 500),
  reservedShare: fc.constantFrom(0, 0.3),
  seed: fc.integer(),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** One bulk as the ledger sees it. */
class Runner {
  run = 1;
  next = 0;
  attempts = 0;
  /** Part by lease. */
  readonly waiting = new Map<string, number>();
  readonly running = new Map<string, { part: number; endsAt: number }>();
  readonly again: number[] = [];
  done = 0;
  readonly bulk: Bulk;

  constructor(bulk: Bulk) {
    this.bulk = bulk;
  }

  get isDone(): boolean {
    return this.done === this.bulk.parts.length;
  }
}

class World {
  now = 1_000 * DAY;
  ledger = new Ledger();
  readonly runners: Runner[];
  readonly #deaths: { at: number; holder: string; holderRun: string }[] = [];
  steps = 0;

  readonly scene: Scenario;
  readonly #dice: () => number;

  constructor(scene: Scenario) {
    this.scene = scene;
    this.#dice = diceOf(scene.seed);
    this.runners = scene.bulks.map((bulk) => new Runner(bulk));
  }

  #isLucky(share: number): boolean {
    return this.#dice() < share;
  }

  #requestOf(runner: Runner, lease: string, part: number): CapacityRequest {
    const { bulk, run } = runner;
    const { createsPerHour, reservedShare } = this.scene;
    const tokens = bulk.parts[part]!;
    return {
      lease,
      holder: bulk.id,
      holderRun: `${run}`,
      model: 'm',
      tokens,
      requests: 1,
      limit: bulk.limit,
      weight: bulk.weight,
      holding: runner.running.size,
      ...(createsPerHour !== undefined && { createsPerHour }),
      reservedShare,
    };
  }

  step(): void {
    this.steps += 1;
    this.now += Math.ceil(this.#dice() * 3 * MINUTE);
    for (const runner of this.runners) this.#act(runner);
    for (const death of this.#deaths.splice(0)) {
      if (death.at + MINUTE <= this.now) this.ledger.dropHolders([death]);
      else this.#deaths.push(death);
    }
    // Continue-as-new, at any time when nothing is under way.
    const { grants, asks } = this.ledger.decide(this.now);
    this.#checkLimits();
    for (const holder of asks) this.#answer(holder);
    for (const grant of grants) this.#receive(grant.lease, grant.holder);
    // The budget is terminated, and a new one started: its holders tell what they have.
    if (this.#isLucky(0.01)) this.ledger = new Ledger();
    else if (this.#isLucky(0.2)) this.ledger = new Ledger(JSON.parse(JSON.stringify(this.ledger.state)) as BudgetState);
  }

  #act(runner: Runner): void {
    const { bulk } = runner;
    if (bulk.diesAfter === this.steps) this.#die(runner);
    for (const [lease, { endsAt }] of runner.running) {
      if (endsAt > this.now) continue;
      runner.running.delete(lease);
      runner.done += 1;
      if (this.#isLucky(0.9)) this.ledger.release(lease);
      // A signal that comes twice.
      else for (const _ of [1, 2]) this.ledger.release(lease);
    }
    while (runner.waiting.size + runner.running.size < bulk.lanes) {
      const part = runner.again.pop() ?? (runner.next < bulk.parts.length ? (runner.next += 1) - 1 : null);
      if (part === null) break;
      const lease = `${bulk.id}/${part}.${(runner.attempts += 1)}/${runner.run}`;
      runner.waiting.set(lease, part);
      if (this.#isLucky(0.9)) this.ledger.request(this.#requestOf(runner, lease, part), this.now);
    }
    // The watch of a part: what the budget does not know, or what was granted in vain, is requested again.
    for (const [lease, part] of runner.waiting) {
      if (this.ledger.statusOf(lease) === 'waiting') continue;
      this.ledger.request(this.#requestOf(runner, lease, part), this.now);
    }
  }

  #die(runner: Runner): void {
    this.#deaths.push({ at: this.now, holder: runner.bulk.id, holderRun: `${runner.run}` });
    runner.again.push(...runner.waiting.values(), ...[...runner.running.values()].map(({ part }) => part));
    runner.waiting.clear();
    runner.running.clear();
    runner.run += 1;
  }

  #receive(lease: string, holder: string): void {
    const runner = this.runners.find(({ bulk }) => bulk.id === holder)!;
    const part = runner.waiting.get(lease);
    // A signal that is lost, or reaches a later run.
    if (part === undefined || this.#isLucky(0.1)) return;
    runner.waiting.delete(lease);
    const { atProvider, namesLimit } = this.scene;
    const enqueued = this.runners
      .flatMap((other) => [...other.running.values()].map((running) => other.bulk.parts[running.part]!))
      .reduce((sum, tokens) => sum + tokens, 0);
    const tokens = runner.bulk.parts[part]!;
    if (enqueued > 0 && enqueued + tokens > atProvider) {
      runner.again.push(part);
      this.ledger.refuse({ lease, model: 'm', unit: 'tokens', limit: namesLimit ? atProvider : null }, this.now);
    } else if (this.#isLucky(0.05)) {
      runner.again.push(part);
      this.ledger.refuse({ lease, model: 'm', unit: null, limit: null }, this.now);
    } else runner.running.set(lease, { part, endsAt: this.now + Math.ceil(this.#dice() * 20 * MINUTE) });
  }

  #answer(holder: string): void {
    const runner = this.runners.find(({ bulk }) => bulk.id === holder)!;
    const held = [...runner.running].map(([lease, { part }]) => this.#requestOf(runner, lease, part));
    this.ledger.register(held, this.now);
  }

  /** What was granted just now keeps to the limit, or is alone. A decision may raise a limit, and never lowers one. */
  #checkLimits(): void {
    const { leases } = this.ledger.state;
    const { tokens } = this.ledger.enqueuedOf('m');
    if (tokens !== leases.reduce((sum, lease) => sum + lease.tokens, 0)) throw new Error('The sum of tokens is wrong');
    const isGranting = leases.some(({ at }) => at === this.now);
    const { value } = this.ledger.limitOf('m', 'tokens');
    if (isGranting && leases.length > 1 && tokens > value) throw new Error(`${tokens} tokens of ${value} are held`);
  }

  run(): void {
    while (!this.runners.every(({ isDone }) => isDone)) {
      this.step();
      if (this.steps > 5_000) {
        throw new Error(`Parts are never granted: ${JSON.stringify(this.ledger.state)}`);
      }
    }
    // What was granted to a run that has ended is returned too.
    for (let i = 0; i < 5; i += 1) this.step();
  }
}

test('any bulks, refusals, deaths of bulks and of the budget, signals that are lost or come twice → never above the limit, all granted, all returned', () => {
  fc.assert(
    fc.property(scenario, (scene) => {
      const world = new World(scene);
      world.run();
      expect(world.ledger.isEmpty).toBe(true);
    }),
    { numRuns: fuzzRuns(100) },
  );
});

describe('shares', () => {
  const group = fc.record({ weight: fc.constantFrom(0.5, 1, 2, 4), largest: fc.integer({ min: 1, max: 10 }) });

  test('bulks that always wait → each gets tokens by its weight, none starves', () => {
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 10, max: 60 }),
        fc.integer(),
        (groups, limit, seed) => {
          const dice = diceOf(seed);
          const ledger = new Ledger();
          const granted = groups.map(() => 0);
          let number = 0;
          const ask = (index: number, now: number) => {
            const { weight, largest } = groups[index]!;
            const tokens = 1 + Math.floor(dice() * largest);
            const lease = `${index}/${(number += 1)}`;
            ledger.request({ lease, holder: `${index}`, model: 'm', tokens, limit, weight }, now);
          };
          for (let i = 0; i < 70; i += 1) groups.forEach((_, index) => ask(index, 0));
          for (let now = 1; now <= 600; now += 1) {
            for (const { lease, tokens } of ledger.decide(now * MINUTE).grants) {
              const index = Number(lease.split('/')[0]);
              granted[index]! += tokens;
              ask(index, now * MINUTE);
            }
            const { leases } = ledger.state;
            ledger.release(leases[Math.floor(dice() * leases.length)]!.lease);
          }
          const all = granted.reduce((a, b) => a + b, 0);
          const weights = groups.reduce((sum, { weight }) => sum + weight, 0);
          groups.forEach(({ weight }, index) => {
            expect(Math.abs(granted[index]! / all - weight / weights)).toBeLessThan(0.08);
          });
        },
      ),
      { numRuns: Math.min(FUZZ_RUNS, fuzzRuns(30)) },
    );
  });
});
