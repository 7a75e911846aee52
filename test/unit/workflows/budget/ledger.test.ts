/** The rules of the budget, each with samples. Moments are epoch ms. */
import { describe, expect, test } from 'vitest';
import type { BudgetState, CapacityRequest } from '../../../../src/contract/token-budget.js';
import { describeBudget, describeWait } from '../../../../src/workflows/budget/details.js';
import { Ledger, RESERVE_AFTER_MS } from '../../../../src/workflows/budget/ledger.js';
import { MAX_RECORDS_BYTES } from '../../../../src/workflows/budget/records.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 1_000 * HOUR;

function part(lease: string, fields: Partial<CapacityRequest> = {}): CapacityRequest {
  const [holder = lease] = lease.split('/');
  return { lease, holder, holderRun: `${holder}-run`, model: 'm', tokens: 10, requests: 1, limit: null, ...fields };
}

/** A ledger whose state passes through JSON before each step, as with continue-as-new. */
class Stage {
  now = NOW;
  #ledger = new Ledger();

  get ledger(): Ledger {
    this.#ledger = new Ledger(JSON.parse(JSON.stringify(this.#ledger.state)) as BudgetState);
    return this.#ledger;
  }

  request(...parts: CapacityRequest[]): void {
    const { ledger } = this;
    for (const one of parts) ledger.request(one, this.now);
  }

  /** @returns the leases that are granted */
  decide(afterMs = 0): string[] {
    this.now += afterMs;
    return this.ledger.decide(this.now).grants.map(({ lease }) => lease);
  }

  refuse(lease: string, limit: number | null, unit: 'tokens' | 'requests' | null = 'tokens'): void {
    this.ledger.refuse({ lease, model: 'm', unit, limit }, this.now);
  }
}

describe('room', () => {
  test('no limit is known → all are granted', () => {
    const stage = new Stage();
    stage.request(part('a/1'), part('a/2'), part('b/1'));
    expect(stage.decide()).toHaveLength(3);
  });

  test('a limit of tokens → so many at a time, the next when one is returned', () => {
    const stage = new Stage();
    stage.request(part('a/1', { limit: 25 }), part('a/2', { limit: 25 }), part('a/3', { limit: 25 }));
    expect(stage.decide()).toEqual(['a/1', 'a/2']);
    stage.ledger.release('a/1');
    expect(stage.decide()).toEqual(['a/3']);
  });

  test('a part above the limit → granted alone', () => {
    const stage = new Stage();
    stage.request(part('a/1', { limit: 25 }), part('a/2', { limit: 25, tokens: 100 }));
    expect(stage.decide()).toEqual(['a/1']);
    stage.ledger.release('a/1');
    expect(stage.decide()).toEqual(['a/2']);
  });

  test('the limit of a spec → counts for all while its holder is there, and is gone with it', () => {
    const stage = new Stage();
    stage.request(part('a/1', { limit: 10 }), part('b/1'), part('b/2'));
    expect(stage.decide()).toEqual(['a/1']);
    stage.ledger.dropHolders([{ holder: 'a', holderRun: 'a-run' }]);
    expect(stage.decide()).toEqual(['b/1', 'b/2']);
  });

  test('limits of two models → each is held to its own', () => {
    const stage = new Stage();
    const other = { model: 'n', limit: 10 };
    stage.request(part('a/1', { limit: 20 }), part('a/2', { limit: 20 }), part('a/3', other), part('a/4', other));
    expect(stage.decide().toSorted()).toEqual(['a/1', 'a/2', 'a/3']);
  });

  test('a reserved share → of each limit that a spec or a message names', () => {
    const stage = new Stage();
    const fields = { limit: 40, reservedShare: 0.5 };
    stage.request(part('a/1', fields), part('a/2', fields), part('a/3', fields));
    expect(stage.decide()).toEqual(['a/1', 'a/2']);
  });

  test('parts that were enqueued without asking → counted at once, never above what others get later', () => {
    const stage = new Stage();
    stage.request(part('x/1', { isCounted: true, tokens: 50 }), part('a/1', { limit: 55 }));
    expect(stage.decide()).toEqual([]);
    stage.request(part('x/2', { isCounted: true, tokens: 20 }));
    expect(stage.decide()).toEqual(['a/1']);
    expect(stage.ledger.enqueuedOf('m').tokens).toBe(30);
  });

  test('creates within an hour → no more than allowed, over all holders', () => {
    const stage = new Stage();
    stage.request(...['a/1', 'b/1', 'c/1'].map((lease) => part(lease, { createsPerHour: 2 })));
    expect(stage.decide()).toHaveLength(2);
    expect(stage.decide(59 * MINUTE)).toEqual([]);
    expect(stage.decide(3 * MINUTE)).toHaveLength(1);
  });
});

describe('leases', () => {
  test('requested again although held → granted again, counted once', () => {
    const stage = new Stage();
    stage.request(part('a/1'));
    expect(stage.decide()).toEqual(['a/1']);
    const { ledger } = stage;
    ledger.request(part('a/1'), stage.now);
    expect(ledger.decide(stage.now).grants.map(({ lease }) => lease)).toEqual(['a/1']);
    expect(stage.ledger.enqueuedOf('m')).toMatchObject({ tokens: 10 });
  });

  test('a holder that has ended → its own are returned, those of a new run of its id stay', () => {
    const stage = new Stage();
    stage.request(part('a/1'), part('a/2', { holderRun: 'later' }));
    stage.decide();
    stage.ledger.dropHolders([{ holder: 'a', holderRun: 'a-run' }]);
    expect(stage.ledger.state.leases.map(({ lease }) => lease)).toEqual(['a/2']);
  });

  test('a holder that has leases which are not known → asked, and its parts wait for the answer', () => {
    const { ledger } = new Stage();
    ledger.request(part('a/2', { limit: 15, holding: 1 }), NOW);
    ledger.request(part('a/3', { limit: 15, holding: 1 }), NOW);
    expect(ledger.decide(NOW)).toMatchObject({ grants: [], asks: ['a'], nextAt: NOW + MINUTE });
    ledger.register([part('a/1', { limit: 15 })], NOW);
    expect(ledger.decide(NOW)).toMatchObject({ grants: [], asks: [] });
    ledger.release('a/1');
    expect(ledger.decide(NOW).grants).toMatchObject([{ lease: 'a/2' }]);
  });

  test('a holder that does not answer → its parts are granted after a minute', () => {
    const { ledger } = new Stage();
    ledger.request(part('a/2', { holding: 1 }), NOW);
    expect(ledger.decide(NOW + MINUTE - 1).grants).toEqual([]);
    expect(ledger.decide(NOW + MINUTE).grants).toHaveLength(1);
  });

  test('more requests than can be kept → the state is bounded, and a newcomer still finds space', () => {
    const { ledger } = new Stage();
    for (let i = 0; i < 10_000; i += 1) ledger.request(part(`big/${i}`, { limit: 10 }), NOW);
    ledger.request(part('small/1', { limit: 10 }), NOW);
    expect(JSON.stringify(ledger.state).length).toBeLessThan(1.5 * MAX_RECORDS_BYTES);
    expect(ledger.statusOf('small/1')).toBe('waiting');
    expect(ledger.statusOf('big/9999')).toBe('unknown');
  });
});

describe('what refusals teach', () => {
  test('a number → the limit, with where it comes from', () => {
    const stage = new Stage();
    stage.request(part('a/1'));
    stage.decide();
    stage.refuse('a/1', 1_000, 'requests');
    expect(stage.ledger.limitOf('m', 'requests')).toEqual({ value: 1_000, whence: 'message' });
    expect(stage.ledger.limitOf('m', 'tokens').whence).toBeNull();
  });

  test('no number → what was enqueued besides', () => {
    const stage = new Stage();
    stage.request(part('a/1'), part('a/2'), part('a/3'));
    stage.decide();
    stage.refuse('a/3', null);
    expect(stage.ledger.limitOf('m', 'tokens')).toEqual({ value: 20, whence: 'inferred' });
  });

  test.each([
    ['nothing else is enqueued', ['a/1'], 'tokens' as const],
    ['the refusal is of something else', ['a/1', 'a/2'], null],
  ])('%s → no limit, but a pause', (_, leases, unit) => {
    const stage = new Stage();
    stage.request(...leases.map((lease) => part(lease)));
    stage.decide();
    stage.refuse('a/1', null, unit);
    expect(stage.ledger.state.limits).toEqual([]);
    stage.request(part('a/9'));
    expect(stage.decide(9_000)).toEqual([]);
    expect(stage.decide(1_000)).toEqual(['a/9']);
  });

  test('a limit that is used to the full → raised, and learnt anew by the next refusal', () => {
    const stage = new Stage();
    stage.request(part('a/1'), part('a/2'), part('a/3'));
    stage.decide();
    stage.refuse('a/3', null);
    stage.request(part('a/4', { tokens: 5 }));
    expect(stage.decide(MINUTE)).toEqual([]);
    expect(stage.decide(9 * MINUTE)).toEqual([]);
    expect(stage.decide(2 * MINUTE)).toEqual(['a/4']);
    expect(stage.ledger.limitOf('m', 'tokens').value).toBe(25);
    stage.refuse('a/4', null);
    expect(stage.ledger.state.limits).toMatchObject([{ value: 20, probeAfterMs: 20 * MINUTE }]);
  });

  test('a limit that nobody needed for an hour → forgotten', () => {
    const stage = new Stage();
    stage.request(part('a/1'), part('a/2'));
    stage.decide();
    stage.refuse('a/2', 15);
    stage.decide(59 * MINUTE);
    expect(stage.ledger.state.limits).toHaveLength(1);
    const { ledger } = stage;
    ledger.decide(stage.now + 2 * MINUTE);
    expect(ledger.state.limits).toEqual([]);
  });

  test('refusals in a row → the pause doubles; of parts that were granted together, it does not', () => {
    const stage = new Stage();
    stage.request(part('a/1'), part('a/2'));
    stage.decide();
    stage.now += 1_000;
    stage.refuse('a/1', null, null);
    stage.refuse('a/2', null, null);
    expect(stage.ledger.state.pauses).toMatchObject([{ refusals: 1, until: stage.now + 10_000 }]);
    stage.request(part('a/3'));
    expect(stage.decide(10_000)).toEqual(['a/3']);
    stage.refuse('a/3', null, null);
    expect(stage.ledger.state.pauses).toMatchObject([{ refusals: 2, until: stage.now + 20_000 }]);
  });
});

describe('shares', () => {
  test('a small bulk behind a large one → its turn comes at once', () => {
    const stage = new Stage();
    stage.request(...Array.from({ length: 50 }, (_, index) => part(`large/${index}`, { limit: 100 })));
    expect(stage.decide()).toHaveLength(10);
    stage.request(part('small/1', { limit: 100 }), part('small/2', { limit: 100 }));
    for (const index of [0, 1]) stage.ledger.release(`large/${index}`);
    expect(stage.decide()).toEqual(['small/1', 'small/2']);
  });

  test.each([
    [1, 1],
    [3, 1],
    [0.5, 2],
  ])('priorities %d and %d → shares in this relation, also where one part fits at a time', (a, b) => {
    for (const limit of [10, 100]) {
      const stage = new Stage();
      let number = 0;
      const ask = (group: string) =>
        stage.request(part(`${group}/${(number += 1)}`, { limit, weight: group === 'a' ? a : b }));
      for (let i = 0; i < 40; i += 1) for (const group of ['a', 'b']) ask(group);
      const granted: string[] = [];
      for (let i = 0; i < 400; i += 1) {
        const now = stage.decide(MINUTE / 10);
        granted.push(...now);
        for (const lease of now) ask(lease.slice(0, 1));
        const [oldest] = stage.ledger.state.leases;
        stage.ledger.release(oldest!.lease);
      }
      const ofA = granted.filter((lease) => lease.startsWith('a/')).length;
      expect(ofA / granted.length).toBeCloseTo(a / (a + b), 1);
    }
  });

  test('a large part that is next → smaller ones pass it for a while, then the room is kept for it', () => {
    const stage = new Stage();
    stage.request(part('a/1', { limit: 100, tokens: 60 }), part('b/1', { limit: 100, tokens: 30 }));
    expect(stage.decide()).toHaveLength(2);
    stage.request(part('c/large', { limit: 100, tokens: 80 }));
    stage.request(...Array.from({ length: 9 }, (_, index) => part(`d/small${index}`, { limit: 100 })));
    expect(stage.decide()).toEqual(['d/small0']);
    stage.ledger.release('b/1');
    expect(stage.decide(RESERVE_AFTER_MS)).toEqual([]);
    for (const lease of ['a/1', 'd/small0']) stage.ledger.release(lease);
    expect(stage.decide()).toEqual(['c/large', 'd/small1', 'd/small2']);
  });

  test('a large part that is next, and a bulk that has had more → does not get further ahead of it', () => {
    const stage = new Stage();
    stage.request(part('a/1', { limit: 100, tokens: 90 }), part('c/large', { limit: 100, tokens: 20 }));
    stage.request(part('a/small', { limit: 100 }));
    expect(stage.decide()).toEqual(['a/1']);
    stage.ledger.release('a/1');
    expect(stage.decide()).toEqual(['c/large', 'a/small']);
  });

  test('parts of one bulk whose runs ask for themselves → they share as one', () => {
    const stage = new Stage();
    const bulk = (index: number) => part(`child${index}/1`, { limit: 10, group: 'bulk' });
    stage.request(...Array.from({ length: 10 }, (_, index) => bulk(index)), part('other/1', { limit: 10 }));
    const [first] = stage.decide();
    stage.ledger.release(first!);
    expect(stage.decide()).toEqual(['other/1']);
  });
});

const wait = (stage: Stage, lease: string) => describeWait(stage.ledger, lease, stage.now);

describe('what a part waits for', () => {
  test('a part that is granted, and one that is not known → nothing', () => {
    const stage = new Stage();
    stage.request(part('a/1'));
    stage.decide();
    expect(wait(stage, 'a/1')).toBeNull();
    expect(wait(stage, 'b/1')).toBeNull();
  });

  test('a limit of tokens → how many are enqueued, and the limit', () => {
    const stage = new Stage();
    stage.request(part('a/1', { limit: 1_015, tokens: 1_010 }), part('a/2', { limit: 1_015 }));
    stage.decide();
    const since = new Date(NOW).toISOString().replace('.000', '');
    expect(wait(stage, 'a/2')).toBe(`room for m since ${since}: 1,010 of 1,015 tokens are enqueued by a 100 %`);
    expect(describeBudget(stage.ledger, false, stage.now)).toBe(
      [
        '### Enqueued at the provider',
        '',
        '- `m`: 1,010 tokens, 1 request enqueued; limit: 1,015 tokens (set by a spec)',
        `  - 1 part waits, since ${since}`,
        '  - `a`: 100 % (priority 1)',
      ].join('\n'),
    );
  });

  test('the creates of an hour are used up → the limit, and when the next is possible; the page says so too', () => {
    const stage = new Stage();
    stage.request(part('a/1', { createsPerHour: 1 }), part('a/2', { createsPerHour: 1 }));
    stage.decide();
    const next = new Date(NOW + HOUR + MINUTE).toISOString().replace('.000', '');
    expect(wait(stage, 'a/2')).toBe(`the limit of 1 creates an hour; the next is possible at ${next}`);
    expect(describeBudget(stage.ledger, false, stage.now)).toContain(
      `Batches created within an hour: 1 of 1. The next one is possible at ${next}.`,
    );
  });

  test('a refusal → when the next batch may be created', () => {
    const stage = new Stage();
    stage.request(part('a/1'), part('a/2'));
    stage.decide();
    stage.refuse('a/1', null, null);
    stage.request(part('a/3'));
    expect(wait(stage, 'a/3')).toMatch(/^room for m: the provider refused a batch, and the next may be created at /);
  });
});
