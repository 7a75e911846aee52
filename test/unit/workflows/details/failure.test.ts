import { expect, test } from 'vitest';
import { FAILURES } from '../../../../src/contract/failures.js';
import { describeFailure } from '../../../../src/workflows/details/failure.js';
import { describeRun } from '../../../../src/workflows/details/run-page.js';

const textOf = (type: string, message: string, details: unknown) =>
  describeFailure({ type, message, details }).join('\n');

test('InvalidInput → its type, its reason, the first five faults, how many more, and what next', () => {
  const faults = Array.from({ length: 20 }, (_, n) => ({ line: n + 1, field: 'body.model', message: 'is missing' }));
  expect(textOf('InvalidInput', 'line 1, body.model: is missing (and 41 more)', { faults, total: 42 })).toBe(
    [
      '**InvalidInput:** `line 1, body.model: is missing (and 41 more)`',
      '',
      ...[1, 2, 3, 4, 5].map((line) => `- line ${line}, \`body.model\`: \`is missing\``),
      "- and 37 more, in the failure's details",
      '',
      `**What next:** ${FAILURES.InvalidInput.next}`,
    ].join('\n'),
  );
});

test('BatchFailed → the errors of the provider', () => {
  const errors = [{ code: 'invalid_json_line', line: 3, message: 'not JSON', param: null }];
  expect(textOf('BatchFailed', 'batch_1 failed', { batchId: 'batch_1', errors })).toContain(
    '- line 3, `invalid_json_line`: `not JSON`',
  );
});

test('FineTuningFailed without a reason → no empty fault', () => {
  expect(
    textOf('FineTuningFailed', 'ftjob_1 failed: the provider gave no reason', { jobId: 'ftjob_1', error: null }),
  ).toBe(
    `**FineTuningFailed:** \`ftjob_1 failed: the provider gave no reason\`\n\n**What next:** ${FAILURES.FineTuningFailed.next}`,
  );
});

test('ApiRefused → the id of the request, for whoever asks the provider', () => {
  const details = { operation: 'batches.create', status: 401, code: null, type: null, param: null, requestId: 'req_1' };
  expect(textOf('ApiRefused', 'batches.create: HTTP 401', details)).toContain("- The provider's request id: `req_1`");
});

test('JobStuck → the ids of the results', () => {
  const details = { jobId: 'b', status: 'in_progress', since: 1, atProvider: { outputFileId: 'file-1' }, result: null };
  expect(textOf('JobStuck', 'stuck', details)).toContain('- Results at the provider: `{"outputFileId":"file-1"}`');
});

test.each(['constructor', 'Own`Type'])('%s, a type that is not in the table → the type and the reason', (type) => {
  expect(textOf(type, 'why', undefined)).toBe(`**\`${type.replace('`', "'")}\`:** \`why\``);
});

test('the page of a run that failed → the type comes first, and nothing that no longer matters', () => {
  const failure = { type: 'JobVanished', message: 'batch_1 has been missing', details: { jobId: 'batch_1' } };
  const page = describeRun(
    { phase: 'done', cancellation: null, attention: null, warnings: [], failure },
    { noun: 'Batch', id: 'batch_1', status: 'in progress', story: 'Waiting', bar: null, rows: [], steering: ['no'] },
  );
  expect(page).toBe(
    [
      '### Batch `batch_1`: failed, `JobVanished`',
      '',
      '**JobVanished:** `batch_1 has been missing`',
      '',
      `**What next:** ${FAILURES.JobVanished.next}`,
    ].join('\n'),
  );
});
