import { expect, test } from 'vitest';
import { HandledIds } from '../../../src/webhooks/handled-ids.js';
import { Turns } from '../../../src/webhooks/turns.js';

const done = async () => ({ result: 'done', isDone: true });
const failed = async () => ({ result: 'failed', isDone: false });

test('handled ids: handled, again → null; failed, again → handled', async () => {
  const ids = new HandledIds<string>();
  expect(await ids.once('a', failed)).toBe('failed');
  expect(await ids.once('a', done)).toBe('done');
  expect(await ids.once('a', done)).toBeNull();
});

test('handled ids: two at once, the first fails → both have failed, and a third is handled', async () => {
  const ids = new HandledIds<string>();
  expect(await Promise.all([ids.once('a', failed), ids.once('a', done)])).toEqual(['failed', 'failed']);
  expect(await ids.once('a', done)).toBe('done');
});

test('handled ids: more than are remembered → the oldest is forgotten', async () => {
  const ids = new HandledIds<string>(2);
  for (const id of ['a', 'b', 'c']) await ids.once(id, done);
  expect(await ids.once('c', done)).toBeNull();
  expect(await ids.once('a', done)).toBe('done');
});

test('turns: more tasks than may run at once → all run, never more than that, a failure ends one turn only', async () => {
  const turns = new Turns(3);
  let running = 0;
  let most = 0;
  const task = async (n: number) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running -= 1;
    if (n === 4) throw new Error('no');
    return n;
  };
  const settled = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => turns.take(() => task(n))));
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
  expect(most).toBe(3);
});
