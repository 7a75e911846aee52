import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import {
  checkpointSchema,
  fineTuningEventSchema,
  fineTuningObjectSchema,
} from '../../../../src/provider/objects/fine-tuning-job.js';
import { fileObjectSchema } from '../../../../src/provider/objects/file.js';

const JOB: OpenAI.FineTuning.FineTuningJob = {
  id: 'ftjob-1',
  object: 'fine_tuning.job',
  status: 'succeeded',
  model: 'gpt-4o-mini',
  fine_tuned_model: 'ft:gpt-4o-mini:org::1',
  training_file: 'file-train',
  validation_file: 'file-validate',
  result_files: ['file-result'],
  trained_tokens: 5_000,
  hyperparameters: { n_epochs: 3 },
  method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 3 } } },
  seed: 42,
  error: null,
  metadata: { temporal_llm_job: 'default/w/r' },
  organization_id: 'org-1',
  integrations: [],
  created_at: 1_800_000_000,
  finished_at: 1_800_003_600,
  estimated_finish: 1_800_003_000,
};
const SNAPSHOT = {
  id: 'ftjob-1',
  status: 'succeeded',
  model: 'gpt-4o-mini',
  fineTunedModel: 'ft:gpt-4o-mini:org::1',
  trainingFileId: 'file-train',
  validationFileId: 'file-validate',
  resultFileIds: ['file-result'],
  trainedTokens: 5_000,
  hyperparameters: { n_epochs: 3 },
  method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 3 } } },
  seed: 42,
  error: null,
  metadata: { temporal_llm_job: 'default/w/r' },
  timestamps: { createdAt: 1_800_000_000, finishedAt: 1_800_003_600, estimatedFinish: 1_800_003_000 },
};
const NOTHING = {
  id: 'ftjob-1',
  status: 'queued',
  model: null,
  fineTunedModel: null,
  trainingFileId: null,
  validationFileId: null,
  resultFileIds: [],
  trainedTokens: null,
  hyperparameters: null,
  method: null,
  seed: null,
  error: null,
  metadata: {},
  timestamps: { createdAt: null, finishedAt: null, estimatedFinish: null },
};

test("fine-tuning job: the API's own object → every part of it in its place", () => {
  expect(fineTuningObjectSchema.parse(JOB)).toEqual(SNAPSHOT);
});

test.each<[what: string, blank: unknown]>([
  ['absent', undefined],
  ['null', null],
  ['""', ''],
])('fine-tuning job: everything but id and status %s → read alike, as nothing', (_, blank) => {
  const blanks = Object.fromEntries(Object.keys(JOB).map((key) => [key, blank]));
  expect(fineTuningObjectSchema.parse({ ...blanks, id: 'ftjob-1', status: 'queued' })).toEqual(NOTHING);
});

test('fine-tuning job: id and status alone → read as nothing more', () => {
  expect(fineTuningObjectSchema.parse({ id: 'ftjob-1', status: 'queued' })).toEqual(NOTHING);
});

describe("fine-tuning job: another service's way of writing → the same job", () => {
  test.each<[why: string, object: unknown]>([
    ['wrapped with a warning', { job: JOB, warning: 'deprecated' }],
    ['wrapped alone', { job: JOB }],
    ['status in upper case', { ...JOB, status: 'SUCCEEDED' }],
    ['ISO times', { ...JOB, created_at: '2027-01-15T08:00:00.000Z', finished_at: '2027-01-15T09:00:00' }],
    ['epoch milliseconds', { ...JOB, finished_at: 1_800_003_600_000 }],
    ['a null-filled error', { ...JOB, error: { code: null, message: null, param: null } }],
    ['an empty error', { ...JOB, error: {} }],
    ['an error of empty strings', { ...JOB, error: { code: '', message: '', param: 'training_file' } }],
    ['unknown fields', { ...JOB, job: 'a name, not a wrapper', user_provided_suffix: null, shared_with: [1] }],
  ])('%s', (_, object) => {
    expect(fineTuningObjectSchema.parse(object)).toEqual(SNAPSHOT);
  });
});

test.each<[why: string, error: unknown, expected: unknown]>([
  ['a code alone', { code: 'moderation' }, { code: 'moderation', message: null, param: null }],
  ['a message alone', { code: null, message: 'no' }, { code: null, message: 'no', param: null }],
  ['all three', { code: 'c', message: 'm', param: 'p' }, { code: 'c', message: 'm', param: 'p' }],
  ['a numeric code', { code: 500, message: 'm' }, { code: '500', message: 'm', param: null }],
  ['a text', 'it failed', null],
])('fine-tuning job: an error with %s → %j', (_, error, expected) => {
  expect(fineTuningObjectSchema.parse({ ...JOB, error }).error).toEqual(expected);
});

test('fine-tuning job: an error text of a megabyte → bounded', () => {
  const error = { code: 'x'.repeat(1e6), message: 'x'.repeat(1e6), param: 'x'.repeat(1e6) };
  expect(JSON.stringify(fineTuningObjectSchema.parse({ ...JOB, error }).error).length).toBeLessThan(2_000);
});

test.each<[why: string, changes: Record<string, unknown>]>([
  ['a null list of result files', { result_files: null }],
  ['result files that are objects', { result_files: [{ id: 'file-1' }] }],
])('fine-tuning job: %s → none', (_, changes) => {
  expect(fineTuningObjectSchema.parse({ ...JOB, ...changes }).resultFileIds).toEqual([]);
});

test.each<[why: string, object: unknown]>([
  ['no id', { ...JOB, id: undefined }],
  ['an empty id', { ...JOB, id: '' }],
  ['no status', { ...JOB, status: undefined }],
  ['a wrapper of nothing', { job: null }],
  ['a list', [JOB]],
  ['null', null],
  ['text', '<html>'],
])('fine-tuning job: %s → not a job', (_, object) => {
  expect(fineTuningObjectSchema.safeParse(object).success).toBe(false);
});

test('event: any data, an unknown level or type, and further fields → passed on', () => {
  const event = {
    id: 'ftevent-1',
    object: 'fine_tuning.job.event',
    created_at: 1_800_000_000,
    level: 'notice',
    message: 'Step 10/30: training loss=0.5',
    type: 'moderation_checks',
    data: null,
  };
  expect(fineTuningEventSchema.parse(event)).toEqual(event);
});

test('event: no level or message, an ISO time → info, "", epoch seconds', () => {
  expect(fineTuningEventSchema.parse({ id: 'e', created_at: '2027-01-15T08:00:00Z', message: null })).toEqual({
    id: 'e',
    created_at: 1_800_000_000,
    level: 'info',
    message: '',
  });
});

test('checkpoint: the whole object → its model, step and metrics', () => {
  const checkpoint = {
    id: 'ftckpt_1',
    object: 'fine_tuning.job.checkpoint',
    created_at: 1_800_000_000,
    fine_tuned_model_checkpoint: 'ft:gpt-4o-mini:org::1:ckpt-step-10',
    fine_tuning_job_id: 'ftjob-1',
    step_number: 10,
    metrics: { step: 10, train_loss: 0.5 },
  };
  expect(checkpointSchema.parse(checkpoint)).toEqual({
    id: 'ftckpt_1',
    createdAt: 1_800_000_000,
    model: 'ft:gpt-4o-mini:org::1:ckpt-step-10',
    stepNumber: 10,
    metrics: { step: 10, train_loss: 0.5 },
  });
});

test.each<[what: string, blank: unknown]>([
  ['absent', undefined],
  ['null', null],
  ['""', ''],
])('checkpoint: everything but the id %s → read as nothing', (_, blank) => {
  const object = { id: 'c', created_at: blank, fine_tuned_model_checkpoint: blank, step_number: blank, metrics: blank };
  expect(checkpointSchema.parse(object)).toEqual({
    id: 'c',
    createdAt: null,
    model: null,
    stepNumber: null,
    metrics: {},
  });
});

test('file: the whole object → its parts; status folded', () => {
  const file = {
    id: 'file-1',
    object: 'file',
    filename: 'input.jsonl',
    bytes: 120,
    purpose: 'batch',
    status: 'Processed',
    status_details: 'fine',
    created_at: 1_800_000_000,
    expires_at: '2027-02-15T08:00:00Z',
  };
  expect(fileObjectSchema.parse(file)).toEqual({
    id: 'file-1',
    filename: 'input.jsonl',
    bytes: 120,
    status: 'processed',
    statusDetails: 'fine',
    createdAt: 1_800_000_000,
    expiresAt: 1_802_678_400,
  });
});

test.each<[what: string, blank: unknown]>([
  ['absent', undefined],
  ['null', null],
  ['""', ''],
])('file: everything but the id %s → read as nothing', (_, blank) => {
  const keys = ['filename', 'bytes', 'purpose', 'status', 'status_details', 'created_at', 'expires_at'];
  expect(fileObjectSchema.parse({ id: 'f', ...Object.fromEntries(keys.map((key) => [key, blank])) })).toEqual({
    id: 'f',
    filename: null,
    bytes: null,
    status: null,
    statusDetails: null,
    createdAt: null,
    expiresAt: null,
  });
});
