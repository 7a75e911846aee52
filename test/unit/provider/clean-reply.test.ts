import { describe, expect, test } from 'vitest';
import { cleanReply, type ReplyReading } from '../../../src/provider/clean-reply.js';
import { batchObjectSchema } from '../../../src/provider/objects/batch.js';
import { fineTuningEventSchema, fineTuningObjectSchema } from '../../../src/provider/objects/fine-tuning-job.js';
import { API_KEY } from '../../support/raw-server.js';

const OPENAI: ReplyReading = { secrets: [API_KEY, 'test'], statusWords: {}, expiresAtIsFinal: true };
const clean = (value: unknown, reading: Partial<ReplyReading> = {}) => cleanReply(value, { ...OPENAI, ...reading });
/** A key of somebody else, as a provider may echo it. */
const FOREIGN = 'sk-live-0123456789abcdef';

describe('text in a reply', () => {
  test('keys in errors, statuses, details and events → redacted, wherever they stand', () => {
    const said = `denied for ${API_KEY} and ${FOREIGN}`;
    const reply = {
      id: 'batch_1',
      status: said,
      errors: { data: [{ code: said, message: said, param: said, line: 1 }] },
      status_details: said,
      error: { message: said },
      data: [{ message: said, data: { deep: [said] } }],
    };
    const text = JSON.stringify(clean(reply));
    expect(text).not.toContain(API_KEY);
    expect(text).not.toContain(FOREIGN);
    expect(text).toContain('batch_1');
  });

  test('control characters and direction overrides → spaces; a long text → cut', () => {
    const reply = { message: 'a\u001b[31mb\u0000\u202ec', details: 'x'.repeat(1_000_000) };
    expect(clean(reply)).toEqual({ message: 'a [31mb c', details: `${'x'.repeat(9_999)}…` });
  });

  test('a name that looks like a key by chance, or contains a short secret → kept', () => {
    const names = {
      id: 'file-test',
      model: 'ft:gpt:acme:key-extractor:9x',
      fine_tuned_model: 'ft:gpt:acme:sk-learn-bot:9x',
      result_files: ['file-key-0123456'],
    };
    expect(clean(structuredClone(names))).toEqual(names);
  });

  test('metadata of a job → as it was, since the key of the job stands in it', () => {
    const metadata = { llm_jobs_key: 'default/test-sk-0123456789/run', note: 'two\nlines\u0001' };
    expect(clean({ id: 'a', metadata: { ...metadata } })).toEqual({ id: 'a', metadata });
    expect(clean({ data: [{ id: 'a', metadata: { ...metadata } }] })).toEqual({ data: [{ id: 'a', metadata }] });
  });

  test('an id that contains the key → no id', () => {
    const echoed = clean({ id: `batch_${API_KEY}`, status: 'validating' });
    expect(batchObjectSchema.safeParse(echoed).success).toBe(false);
    const file = clean({ id: 'batch_1', status: 'completed', output_file_id: `file-${API_KEY}` });
    expect(batchObjectSchema.parse(file).outputFileId).toBeNull();
  });

  test('nested without end, and a field that is named like the prototype → cut, dropped', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as unknown;
    expect(JSON.stringify(clean(deep)).length).toBeLessThan(500);
    const reply = clean(JSON.parse('{"id":"a","__proto__":{"status":"completed"}}')) as object;
    expect({ ...reply }).toEqual({ id: 'a' });
    expect('status' in reply).toBe(false);
  });

  test('an event → its message is bounded and its other fields are cleaned', () => {
    const event = { id: 'e', created_at: 1, level: 'error', message: `${API_KEY} ${'long '.repeat(9_000)}`, data: {} };
    const { message } = fineTuningEventSchema.parse(clean(event));
    expect(message.length).toBeLessThanOrEqual(10_000);
    expect(message).not.toContain(API_KEY);
  });
});

describe('what becomes part of a history', () => {
  const huge = 'h'.repeat(2_000_000);

  test('a batch of megabytes → bounded', () => {
    const reply = {
      id: 'batch_1',
      status: huge,
      model: huge,
      endpoint: huge,
      errors: { data: Array.from({ length: 300 }, () => ({ code: huge, message: huge })) },
      metadata: { llm_jobs_key: 'k', ...Object.fromEntries(Array.from({ length: 9_999 }, (_, n) => [`k${n}`, 'v'])) },
    };
    const batch = batchObjectSchema.parse(clean(reply));
    expect(JSON.stringify(batch).length).toBeLessThan(200_000);
    expect(batch.metadata.llm_jobs_key).toBe('k');
  });

  test('a fine-tuning job of megabytes → bounded', () => {
    const records = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, huge.slice(0, 50)]));
    const reply = {
      id: 'ftjob-1',
      status: 'running',
      model: huge,
      fine_tuned_model: huge,
      hyperparameters: records,
      method: { type: 'supervised', supervised: records },
      result_files: Array.from({ length: 9_999 }, (_, n) => `file-${n}`),
      error: { code: huge, message: huge, param: huge },
    };
    expect(JSON.stringify(fineTuningObjectSchema.parse(clean(reply))).length).toBeLessThan(20_000);
  });
});

describe('words for statuses', () => {
  test.each([
    ['SUCCESS', 'completed'],
    ['TIMEOUT_EXCEEDED', 'expired'],
    ['CANCELLATION_REQUESTED', 'cancelling'],
    ['Canceled', 'cancelled'],
    ['error', 'failed'],
    ['In-Progress', 'in_progress'],
    ['succeeding', 'succeeding'],
  ])('batch %s → %s', (word, expected) => {
    expect(batchObjectSchema.parse({ id: 'b', status: word }).status).toBe(expected);
  });

  test.each([
    ['COMPLETED', 'succeeded'],
    ['cancel_requested', 'cancelling'],
    ['error', 'failed'],
    ['Pending', 'queued'],
    ['compressing', 'running'],
    ['done', 'done'],
  ])('fine-tuning job %s → %s', (word, expected) => {
    expect(fineTuningObjectSchema.parse({ id: 'f', status: word }).status).toBe(expected);
  });

  test("a provider's own words → by its trait; those of files stay", () => {
    const reading = { statusWords: { fertig: 'completed', error: 'cancelled' } };
    expect(clean({ data: [{ id: 'b', status: ' Fertig ' }] }, reading)).toEqual({
      data: [{ id: 'b', status: 'completed' }],
    });
    const file = { id: 'f', filename: 'x', status: 'error' };
    expect(clean({ ...file }, reading)).toEqual(file);
  });

  test('an expiry that is no end → not read', () => {
    expect(clean({ job: { id: 'b', status: 's', expires_at: 5 } }, { expiresAtIsFinal: false })).toEqual({
      job: { id: 'b', status: 's' },
    });
    const file = { id: 'f', bytes: 1, status: 'processed', expires_at: 5 };
    expect(clean({ ...file }, { expiresAtIsFinal: false })).toEqual(file);
  });
});
