/** What a provider has no API for is refused before anything is sent. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createActivities, type Activities } from '../../../src/activities/index.js';
import { providerOf } from '../../../src/config/account-client.js';
import { configFolder } from '../../support/config-folder.js';
import { chatRequests, jsonl } from '../../support/samples.js';
import { sandbox } from '../../support/storage.js';

const KEYS = { GROQ_API_KEY: 'k', TOGETHER_API_KEY: 'k', MISTRAL_API_KEY: 'k', OPENAI_API_KEY: 'k' };
let box: Awaited<ReturnType<typeof sandbox>>;
beforeAll(async () => {
  box = await sandbox();
  await writeFile(join(box.root, 'in.jsonl'), jsonl(chatRequests(2)));
});
afterAll(() => box.remove());

interface Asked {
  /** What was wrong, or `ok`. */
  readonly outcome: string;
  /** What was sent to the provider, as method and path. */
  readonly sent: readonly string[];
}

/** Calls an activity of a worker with this account alone. The provider answers every request with 404. */
async function ask(account: object, call: (activities: Activities) => Promise<unknown>): Promise<Asked> {
  await using config = await configFolder({ 'llm-jobs.config.json': { accounts: { default: account } } });
  const { accounts } = await config.read(KEYS);
  const sent: string[] = [];
  const fetch = async (url: unknown, { method = 'GET' }: RequestInit = {}): Promise<Response> => {
    sent.push(`${method} ${new URL(String(url)).pathname}`);
    return Response.json({ error: { message: 'not here' } }, { status: 404 });
  };
  const activities = createActivities({
    providers: { default: providerOf(accounts[0]!, fetch) },
    storage: box.storage,
  });
  const outcome = await new MockActivityEnvironment()
    .run(() => call(activities))
    .then(
      () => 'ok',
      (error: unknown) => (error instanceof ApplicationFailure ? `${error.type}: ${error.message}` : String(error)),
    );
  return { outcome, sent };
}

const batchOf = (input: object) => (activities: Activities) => activities.checkBatchInput({ input } as never);
const training = (activities: Activities): Promise<unknown> =>
  activities.checkTrainingFile({ provider: 'default', file: { uri: box.uri('in.jsonl') }, outputUri: null } as never);
const bulk = (activities: Activities): Promise<unknown> =>
  activities.planRound({ provider: 'default', round: 1, outputUri: null, folder: 'f' } as never);

describe('accounts of presets', () => {
  test.each([
    ['together', 'a file in storage', batchOf({ uri: 'file:///data/in.jsonl' }), 'uploads of files'],
    ['together', 'a bulk batch', bulk, 'uploads of files'],
    ['together', 'fine-tuning', training, 'fine-tuning jobs'],
    ['mistral', 'a file at the provider', batchOf({ fileId: 'file-1' }), 'batches'],
    ['mistral', 'a bulk batch', bulk, 'batches'],
    ['mistral', 'fine-tuning', training, 'fine-tuning jobs'],
    ['groq', 'fine-tuning', training, 'fine-tuning jobs'],
  ])('%s: %s → InvalidInput, and nothing is sent', async (preset, _, call, missing) => {
    const { outcome, sent } = await ask({ preset }, call);
    expect(outcome).toContain(`InvalidInput: provider: "default" has no ${missing} that this library can use: `);
    expect(sent).toEqual([]);
  });

  test('together: a file at the provider → is read, and not refused', async () => {
    const { outcome, sent } = await ask({ preset: 'together' }, batchOf({ fileId: 'file-1' }));
    expect(outcome).not.toContain('that this library can use');
    expect(sent).toContain('GET /v1/files/file-1/content');
  });

  test.each([
    ['mistral behind a gateway', { preset: 'mistral', baseURL: 'https://gateway.example/v1' }],
    ['groq', { preset: 'groq' }],
  ])('%s: a batch → is not refused', async (_, account) => {
    const { outcome } = await ask(account, batchOf({ uri: box.uri('in.jsonl') }));
    expect(outcome).toBe('ok');
  });

  test('the trait of an account → counts for any preset, and for the notes at the start', async () => {
    const traits = { unsupported: { batches: 'Ask Jim.' } };
    const { outcome } = await ask({ preset: 'openai', traits }, batchOf({ uri: box.uri('in.jsonl') }));
    expect(outcome).toContain('has no batches that this library can use: Ask Jim.');
    await using config = await configFolder({
      'llm-jobs.config.json': { accounts: { default: { preset: 'openai', traits }, groq: { preset: 'groq' } } },
    });
    const { notes } = await config.read(KEYS);
    expect(notes).toEqual(['accounts.default has no batches that this library can use: Ask Jim.']);
  });
});
