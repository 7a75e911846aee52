/** `llm-jobs worker --check`, and commands by a configuration file. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { configFolder } from '../support/config-folder.js';
import { llmJobs, useVariablesOf } from '../support/commands.js';
import { answer, serving } from '../support/raw-server.js';
import { devServerStage } from '../support/stage.js';

const WRONG_KEY = 'wrong-7hIsMustNotBePrinted0123456789';

describe('llm-jobs worker --check', () => {
  const stage = devServerStage();
  useVariablesOf(stage, () => ({ LLM_JOBS_STORAGE: stage.root, RIGHT: stage.api.apiKey, WRONG: WRONG_KEY }));

  beforeEach(() => {
    // Of the machine.
    vi.stubEnv('LLM_JOBS_CONFIG', '');
  });

  const right = () => ({ preset: 'compatible', baseURL: stage.api.url, apiKey: { env: 'RIGHT' } });

  /** Runs the check of a configuration with these accounts beside one that works. */
  async function checked(accounts: object, more: object = {}, ...options: string[]) {
    await using config = await configFolder();
    const content = { accounts: { default: right(), ...accounts }, ...more };
    const file = await config.write('llm-jobs.config.json', content);
    // Awaited here: the folder is removed when this function returns.
    return await llmJobs('worker', '--check', '--config', file, ...options);
  }

  test('everything works → a line each, exit code 0, and nothing was created', async () => {
    const { code, out, err } = await checked({});
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out).toEqual([
      expect.stringMatching(/^CHECKED +WHAT +FOUND$/),
      expect.stringMatching(/^configuration +\/.*llm-jobs\.config\.json +no fault$/),
      expect.stringMatching(/^storage +file:\/\/\/.* writable$/),
      expect.stringMatching(/^temporal +.* at .* works$/),
      expect.stringMatching(/^account +default at http:\/\/127\.0\.0\.1:\d+\/v1 +works$/),
    ]);
    expect(stage.calls()).toEqual(['batches.list']);
  });

  test.each<[what: string, answers: Parameters<typeof answer>, code: number, found: RegExp]>([
    ['fine-tuning alone', [404, { error: { message: 'no such path' } }], 5, /has neither a batches endpoint nor/],
    ['another API', [200, { hello: 'world' }], 1, /does not answer like the OpenAI API/],
    ['an API that is down', [503, { error: { message: 'later' } }], 3, /does not answer: 503/],
    ['too many requests', [429, { error: { message: 'slow down' } }], 0, /works, and says at the moment: 429/],
  ])('%s → exit code and what was found', async (_, answers, code, found) => {
    const ended = await serving(answer(...answers), (baseURL) =>
      checked({ other: { preset: 'compatible', baseURL, apiKey: { env: 'RIGHT' } } }),
    );
    expect(ended.code).toBe(code);
    expect(ended.out.find((line) => line.startsWith('account') && line.includes('other at'))).toMatch(found);
  });

  test('an API with fine-tuning jobs alone → it works, and the line says so', async () => {
    const list = { data: [], has_more: false };
    const fineTuningOnly: Parameters<typeof serving>[0] = (request, response) =>
      answer(request.url?.includes('/fine_tuning/') ? 200 : 404, list)(request, response);
    const ended = await serving(fineTuningOnly, (baseURL) =>
      checked({ other: { preset: 'compatible', baseURL, apiKey: null } }),
    );
    expect(ended.code).toBe(0);
    expect(ended.out.at(-1)).toMatch(/works for fine-tuning jobs, and has no batches endpoint$/);
  });

  test('a wrong key beside an address where nobody is, as JSON → both told, the refusal first', async () => {
    const accounts = {
      wrong: { preset: 'compatible', baseURL: stage.api.url, apiKey: { env: 'WRONG' } },
      nobody: { preset: 'compatible', baseURL: 'http://127.0.0.1:1/v1', apiKey: null },
    };
    const { code, out } = await checked(accounts, {}, '--json');
    expect(code).toBe(5);
    expect(JSON.parse(out.join(''))).toMatchObject({
      configuration: { faults: [] },
      storage: [{ isWritable: true }],
      temporal: { state: 'works' },
      accounts: [
        { name: 'default', state: 'works' },
        { name: 'wrong', state: 'keyRefused' },
        { name: 'nobody', state: 'unreachable' },
      ],
    });
    expect(out.join('')).not.toContain(WRONG_KEY);
  });

  test.each<[what: string, variables: Record<string, string>, code: number, found: RegExp]>([
    ['a namespace that is not there', { TEMPORAL_NAMESPACE: 'nowhere' }, 1, /^temporal .* there is no such namespace/],
    ['a root below a file', { LLM_JOBS_STORAGE: '/dev/null/x' }, 1, /^storage .* cannot use the storage root/],
  ])('%s → exit code and its line', async (_, variables, code, found) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const ended = await checked({});
    expect(ended.code).toBe(code);
    expect(ended.out).toContainEqual(expect.stringMatching(found));
  });

  test('faults of the configuration → all of them, exit code 1, also as JSON', async () => {
    const faulty = { acounts: {}, poll: { min: WRONG_KEY } };
    const { code, out, err } = await checked({}, faulty);
    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err.join()).toMatch(
      /2 faults in .*llm-jobs\.config\.json:\n {2}acounts: .*"accounts"\?\n {2}poll\.min: .*$/,
    );
    expect(err.join()).not.toContain(WRONG_KEY);
    const asJson = await checked({}, faulty, '--json');
    expect(asJson.code).toBe(1);
    const { configuration } = JSON.parse(asJson.out.join('')) as { configuration: { faults: object[] } };
    expect(configuration.faults).toHaveLength(2);
  });

  test('commands by the file → its task queue, its accounts, and one that it does not have', async () => {
    await using config = await configFolder();
    const file = await config.write('c.json', {
      taskQueue: 'of-the-file',
      accounts: { default: right(), other: right() },
    });
    const listed = await llmJobs('list', '--config', file);
    expect(listed.err).toEqual(['No run is open on the task queue "of-the-file".']);
    expect((await llmJobs('orphans', '--config', file)).code).toBe(0);
    expect(stage.calls('batches.list')).toHaveLength(2);
    const unknown = await llmJobs('webhooks', 'test', 'whep_1', '--config', file, '--provider', 'nobody');
    expect(unknown.code).toBe(1);
    expect(unknown.err[0]).toMatch(/there is no account "nobody": default, other$/);
  });
});
