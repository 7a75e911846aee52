import { request } from '../../support/result-lines.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchInputOptions, checkBatchInput } from '../../../src/requests/check-input.js';
import { bytesOf, cut } from '../../support/streams.js';
import { FUZZ_RUNS } from '../../support/fuzz.js';

const ENDPOINT = '/v1/chat/completions';

function check(content: string | Uint8Array, options: Partial<BatchInputOptions> = {}) {
  return checkBatchInput(bytesOf(content), { endpoint: ENDPOINT, ...options });
}

describe('checkBatchInput', () => {
  it('batch input: any bytes, cut anywhere → the same report, never an exception', async () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('a', 'b', '', null, 'POST', ENDPOINT, { model: 'm' }, { model: 'n', stream: true }, '__proto__'),
    );
    const field = fc.constantFrom('custom_id', 'method', 'url', 'body', '__proto__', 'constructor');
    const object = fc.dictionary(field, value).map((dictionary) => JSON.stringify(dictionary));
    const good = fc.constantFrom('a', 'b', 'c').map((id) => JSON.stringify(request(id)));
    const line = fc.oneof(good, object, fc.json(), fc.string({ unit: 'binary' }), fc.constant('{"custom_id":"a"'));
    const content = fc.oneof(
      fc.array(line, { maxLength: 30 }).map((lines) => Buffer.from(lines.join('\n'))),
      fc.uint8Array({ maxLength: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.nat(), { maxLength: 10 }), async (bytes, places) => {
        const whole = await check(bytes);
        expect(await checkBatchInput(cut(bytes, places), { endpoint: ENDPOINT })).toEqual(whole);
        expect(whole.faults.faults.length).toBe(Math.min(whole.faults.total, 20));
        expect(whole.faults.total > 0 || isGood(bytes)).toBe(true);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});

/** Whether every line is a valid request by the API reference, written for clarity only. */
function isGood(bytes: Uint8Array): boolean {
  const lines = Buffer.from(bytes).toString().replace(/^\uFEFF/, '').split('\n').filter((line) => line.trim() !== ''); // prettier-ignore
  const requests = lines.map((line) => JSON.parse(line) as ReturnType<typeof request>);
  return (
    requests.length > 0 &&
    new Set(requests.map(({ custom_id: id }) => id)).size === requests.length &&
    new Set(requests.map(({ body }) => body.model)).size === 1 &&
    requests.every(
      (line) =>
        typeof line.custom_id === 'string' && line.custom_id !== '' && line.method === 'POST' && line.url === ENDPOINT,
    )
  );
}
