import { describe, expect, test } from 'vitest';
import { fineTuningSpecSchema } from '../../../src/contract/fine-tuning.js';
import { parseSpec } from '../../../src/contract/parse-spec.js';

const SPEC = { model: 'gpt-4o-mini-2024-07-18', trainingFile: { fileId: 'file-1' } };
const FILE = 'must be { fileId }, or { uri } with a file:// or s3:// URI';
const integrations = (count: number) =>
  Array.from({ length: count }, () => ({ type: 'wandb', wandb: { project: 'p' } }));

const faultsOf = (spec: unknown) => parseSpec(fineTuningSpecSchema, spec).report?.faults;

test('fine-tuning spec: model and training file alone → the defaults', () => {
  expect(parseSpec(fineTuningSpecSchema, SPEC).spec).toEqual({
    ...SPEC,
    provider: 'default',
    vanishedAfter: '15m',
    stuckAfter: '2h',
    settleFor: '15m',
    giveUpAfter: '7d',
    check: true,
    onAmbiguousCreate: 'fail',
    leaveFreeSlots: 0,
  });
});

test('fine-tuning spec: every field given, at its limits → all of them kept', () => {
  const spec = {
    model: 'm'.repeat(512),
    trainingFile: { uri: 'file:///train.jsonl' },
    validationFile: { uri: 's3://bucket/validate.jsonl' },
    method: { type: 'dpo', dpo: { hyperparameters: { beta: 0.1 } } },
    suffix: 's'.repeat(64),
    seed: 2_147_483_647,
    integrations: integrations(5),
    metadata: { team: 'search' },
    outputUri: 's3://bucket/prefix/',
    deadline: 1_800_000_000,
    provider: 'together',
    poll: { min: '1s' },
    vanishedAfter: 0,
    settleFor: 0,
    giveUpAfter: '1h',
    extraBody: { trainingType: 1 },
    check: false,
    onAmbiguousCreate: 'createAgain',
    stuckAfter: '1d',
    leaveFreeSlots: 100,
    cleanup: { input: true },
  };
  expect(parseSpec(fineTuningSpecSchema, spec).spec).toEqual(spec);
});

test('fine-tuning spec: a suffix of one character and a seed of 0 → accepted', () => {
  expect(faultsOf({ ...SPEC, suffix: 's', seed: 0 })).toBeUndefined();
});

test('fine-tuning spec: reinforcement with a grader → passed on as it is', () => {
  const method = { type: 'reinforcement', reinforcement: { grader: { type: 'string_check' }, extra: 1 } };
  expect(parseSpec(fineTuningSpecSchema, { ...SPEC, method }).spec?.method).toEqual(method);
});

describe('fine-tuning spec: one wrong field → one fault that names the field and its limit', () => {
  test.each<[field: string | undefined, wrong: Record<string, unknown>, message: string]>([
    ['model', { model: undefined }, 'expected string'],
    ['model', { model: '' }, 'must not be empty'],
    ['model', { model: 'm'.repeat(513) }, '<=512 characters'],
    ['trainingFile', { trainingFile: undefined }, FILE],
    ['trainingFile', { trainingFile: 'file-1' }, FILE],
    ['trainingFile', { trainingFile: { requests: [] } }, FILE],
    ['trainingFile.fileId', { trainingFile: { fileId: '' } }, 'must not be empty'],
    ['trainingFile.uri', { trainingFile: { uri: 'train.jsonl' } }, 'must be a file:// or s3:// URI'],
    ['validationFile', { validationFile: {} }, FILE],
    ['validationFile.fileId', { validationFile: { fileId: 'a b' } }, 'must be an id'],
    ['method.type', { method: { type: 'magic' } }, '"supervised"|"dpo"|"reinforcement"'],
    ['method.type', { method: {} }, '"supervised"|"dpo"|"reinforcement"'],
    ['method.reinforcement.grader', { method: { type: 'reinforcement' } }, 'needs a grader'],
    ['method.reinforcement.grader', { method: { type: 'reinforcement', reinforcement: {} } }, 'needs a grader'],
    ['method.reinforcement.grader', { method: { type: 'reinforcement', reinforcement: null } }, 'needs a grader'],
    [
      'method.reinforcement.grader',
      { method: { type: 'reinforcement', reinforcement: { grader: null } } },
      'needs a grader',
    ],
    ['suffix', { suffix: '' }, 'at least 1 character'],
    ['suffix', { suffix: 's'.repeat(65) }, 'at most 64 characters'],
    ['seed', { seed: -1 }, '>=0'],
    ['seed', { seed: 2_147_483_648 }, '<=2147483647'],
    ['seed', { seed: 0.5 }, 'expected int'],
    ['integrations', { integrations: integrations(6) }, 'at most 5 integrations'],
    ['integrations[0].type', { integrations: [{}] }, 'expected string'],
    ['leaveFreeSlots', { leaveFreeSlots: -1 }, '>=0'],
    ['leaveFreeSlots', { leaveFreeSlots: 101 }, '<=100'],
    ['stuckAfter', { stuckAfter: 'later' }, 'must be a duration'],
    ['cleanup.output', { cleanup: { output: true } }, 'is not one of the fields'],
    ['hyperparameters', { hyperparameters: { n_epochs: 3 } }, 'is not one of the fields'],
    ['outputExpiresAfter', { outputExpiresAfter: '7d' }, 'is not one of the fields'],
  ])('%s: %j', (field, wrong, message) => {
    expect(faultsOf({ ...SPEC, ...wrong })).toEqual([
      { ...(field !== undefined && { field }), message: expect.stringContaining(message) },
    ]);
  });
});
