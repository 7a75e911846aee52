/** Options of the plugin: checked when it is made, every fault at once, each with its path. */
import OpenAI from 'openai';
import { describe, expect, test, vi } from 'vitest';
import { checkOptions, InvalidOptionsError } from '../../../src/activities/check-options.js';
import { LlmJobsPlugin, S3Backend, Storage, type ActivitiesOptions } from '../../../src/index.js';

const KEY = 'sk-must-not-be-printed-0123456789';
const client = new OpenAI({ apiKey: KEY });
const storage = ['file:///data/'];

/** What the plugin says of options, as a program without types might pass them. */
function faultsOf(options: unknown): string[] {
  try {
    checkOptions(options);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    return error.faults.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`));
  }
}

const ofProvider = (fields: object): string[] => faultsOf({ providers: { default: { client, ...fields } }, storage });

const ofStorage = (given: unknown): string[] => faultsOf({ providers: { default: { client } }, storage: given });

describe('options of the plugin', () => {
  test('everything that is documented → no fault', () => {
    const options: ActivitiesOptions = {
      providers: {
        default: {
          client,
          metadata: true,
          lists: false,
          fileExpiry: false,
          fileMustBeProcessed: true,
          trainingRules: 'provider',
          expiresAtIsFinal: false,
          statusWords: { fertig: 'completed' },
          fineTuningSlots: null,
          batchLimits: { requests: 10, reservedShare: 0.5 },
          secrets: () => [KEY],
        },
        'second.one': { client },
      },
      storage: new Storage({ roots: ['s3://bucket/jobs/'], backends: [new S3Backend({ region: 'eu-1' })] }),
      poll: { min: 0, max: '1m' },
      watch: { mode: 'job', net: '1h', onOrphan: 'cancel' },
    };
    expect(faultsOf(options)).toEqual([]);
    expect(new LlmJobsPlugin(options).name).toBe('temporal-llm-jobs');
  });

  test('fields that resemble none of ours → ignored, each named in a warning of the process', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const settings = { port: 8_080, providers: { default: { client, tier: 'gold', [KEY]: 1 } }, storage };
    expect(faultsOf(settings)).toEqual([]);
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      'port is ignored: no option of temporal-llm-jobs',
      'providers.default.tier is ignored: no option of temporal-llm-jobs',
      'providers.default.[redacted] is ignored: no option of temporal-llm-jobs',
    ]);
    warned.mockRestore();
  });

  test('faults of every kind → all of them in one error of the constructor, misspelt names first', () => {
    const options = {
      provider: {},
      providers: {
        default: { client, metdata: true, batchLimits: { request: 5, bytes: 0, reservedShare: 0.95 } },
        groq: { lists: 'yes', statusWords: { DONE: 'completed', ready: 'finished' }, secrets: [KEY] },
        'my account': { client },
      },
      storage: ['/data/', 'file:///data/', 3],
      poll: { min: 500, max: '5' },
      watch: { mode: 'all', net: '6', orphans: 'cancel' },
    };
    const make = (): LlmJobsPlugin => new LlmJobsPlugin(options as never);
    expect(make).toThrow(/^\d+ faults in the options:\n {2}providers\.default\.batchLimits\.request: is not/);
    expect(faultsOf(options).map((fault) => fault.slice(0, 110))).toMatchInlineSnapshot(`
      [
        "providers.default.batchLimits.request: is not a field: did you mean "requests"?",
        "providers.default.metdata: is not a field: did you mean "metadata"?",
        "watch.orphans: is not one of the fields mode, net, onOrphan",
        "provider: is not a field: did you mean "providers"?",
        "providers.default.batchLimits.bytes: Too small: expected number to be >=1",
        "providers.default.batchLimits.reservedShare: Too big: expected number to be <=0.9",
        "providers.groq.lists: Invalid input: expected boolean, received string",
        "providers.groq.statusWords.DONE: a word must be in lower case, without blanks around it",
        "providers.groq.statusWords.ready: Invalid option: expected one of "validating"|"in_progress"|"finalizing"|"can",
        "providers.groq.client: not set: a client of the package openai, such as \`new OpenAI()\`",
        "providers.groq.secrets: must be a function that returns texts",
        "providers.my account: must be a name of up to 100 letters, digits, '.', '_' and '-'",
        "storage[0]: invalid URI /data/: the form must be file:///path or s3://bucket/key",
        "storage[2]: must be a URI",
        "poll.min: must be a duration with a unit, such as '90s', '5m' or '24h', of at most ten years",
        "poll.max: must be a duration with a unit, such as '90s', '5m' or '24h', of at most ten years",
        "watch.mode: Invalid option: expected one of "account"|"job"",
        "watch.net: must be a duration with a unit, such as '90s', '5m' or '24h', of at most ten years",
      ]
    `);
    expect(faultsOf(options).join()).not.toContain(KEY);
  });

  test('one fault → its path and reason are the message', () => {
    expect(() => new LlmJobsPlugin({ providers: {}, storage })).toThrow('providers: must name one provider at least');
  });

  test('no options → told', () => {
    expect(faultsOf(undefined)).toHaveLength(1);
    expect(faultsOf({})).toMatchInlineSnapshot(`
      [
        "providers: must be an object with the providers by name",
        "storage: not set: it must be a list of file:// or s3:// URIs such as ['file:///data/'], or a Storage",
      ]
    `);
  });

  test('a bound of polling alone → compared with the default of the other', () => {
    const providers = { default: { client } };
    expect(faultsOf({ providers, storage, poll: { min: '10m' } })).toEqual([
      "poll.min: must not be larger than max, which is '5m' by default",
    ]);
  });
});

describe('client of a provider', () => {
  test('none, something else, one that lacks the files → told what it must be', () => {
    const { batches } = client;
    expect(faultsOf({ providers: { default: {} }, storage })).toEqual([
      'providers.default.client: not set: a client of the package openai, such as `new OpenAI()`',
    ]);
    expect(ofProvider({ client: KEY })[0]).toMatch(
      /must be a client of the package openai.* it has no batches\.create\(\)$/,
    );
    expect(ofProvider({ client: { batches } })[0]).toMatch(/it has no files\.content\(\)$/);
    expect(ofProvider({ client: OpenAI })[0]).toMatch(/it has no batches\.create\(\)$/);
  });
});

describe('storage', () => {
  test('neither roots nor a storage → told what it must be', () => {
    const must = "storage: must be a list of file:// or s3:// URIs such as ['file:///data/'], or a Storage";
    expect(ofStorage('file:///data/')).toEqual([must]);
    expect(ofStorage({ roots: storage })).toEqual([must]);
    expect(ofStorage([])).toEqual(['storage: must name one root at least']);
  });

  test('a root without a backend → told that it needs a storage', () => {
    expect(ofStorage(['gs://bucket/'])).toEqual([
      'storage[0]: has the scheme gs:, which needs a Storage with a backend for it',
    ]);
  });

  test('of another copy of the package, whose errors would not be known → refused, with what to do', async () => {
    vi.resetModules();
    const { Storage: OtherStorage } = await import('../../../src/storage/storage.js');
    const other = new OtherStorage({ roots: storage });
    expect(other).not.toBeInstanceOf(Storage);
    expect(ofStorage(other)).toEqual([
      expect.stringMatching(/^storage: is a Storage of another copy .* pass its roots$/),
    ]);
  });
});
