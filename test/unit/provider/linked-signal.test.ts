import { expect, test } from 'vitest';
import { linkedSignal } from '../../../src/provider/linked-signal.js';

const two = () => [new AbortController(), new AbortController()] as const;

test('linked signal: one of two is aborted → aborted with its reason', () => {
  const [first, second] = two();
  const { signal } = linkedSignal([first.signal, second.signal]);
  expect(signal?.aborted).toBe(false);
  second.abort('why');
  first.abort('too late');
  expect(signal?.reason).toBe('why');
});

test('linked signal: one was aborted before → aborted from the start', () => {
  const [first, second] = two();
  second.abort('before');
  expect(linkedSignal([first.signal, second.signal]).signal?.reason).toBe('before');
});

test('linked signal: unlinked → follows no more', () => {
  const [first, second] = two();
  const { signal, unlink } = linkedSignal([first.signal, second.signal]);
  unlink();
  first.abort();
  expect(signal?.aborted).toBe(false);
});

test('linked signal: of one signal, and of none → that signal, and none', () => {
  const { signal } = new AbortController();
  expect(linkedSignal([signal]).signal).toBe(signal);
  expect(linkedSignal([]).signal).toBeUndefined();
});
