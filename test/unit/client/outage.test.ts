import { ServiceError as WrappedError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { throughOutages } from '../../../src/client/outage.js';

const status = { INVALID_ARGUMENT: 3, PERMISSION_DENIED: 7, UNAVAILABLE: 14 };

/** As gRPC throws it. */
const grpcError = (code: number) => Object.assign(new Error('of gRPC'), { code, details: '', metadata: {} });
const wrapped = (code: number) => new WrappedError('Failed to query Workflow', { cause: grpcError(code) });

/** Fails with each error in turn, then answers. */
function server(errors: readonly Error[]) {
  let asked = 0;
  const ask = async () => {
    const error = errors[asked];
    asked += 1;
    if (error) throw error;
    return 'answer';
  };
  return { ask, asked: () => asked };
}

test('Temporal is away for a moment → asked again until it answers', async () => {
  const { ask, asked } = server([grpcError(status.UNAVAILABLE), wrapped(status.UNAVAILABLE)]);
  expect(await throughOutages(ask, 10_000)).toBe('answer');
  expect(asked()).toBe(3);
});

test('Temporal is away for longer than may be → the error of the last question', async () => {
  const { ask, asked } = server(Array.from({ length: 99 }, () => wrapped(status.UNAVAILABLE)));
  await expect(throughOutages(ask, 600)).rejects.toThrow('Failed to query Workflow');
  expect(asked()).toBeGreaterThan(1);
  expect(asked()).toBeLessThan(20);
});

test.each([
  ['a refusal', grpcError(status.PERMISSION_DENIED)],
  ['a wrapped refusal', wrapped(status.INVALID_ARGUMENT)],
  ['an error of the caller', new TypeError('no')],
])('%s → thrown at once', async (_, error) => {
  const { ask, asked } = server([error]);
  await expect(throughOutages(ask, 10_000)).rejects.toBe(error);
  expect(asked()).toBe(1);
});
