/** Runs that earlier code began must continue under the current code, which must issue the same commands again. */
import { readdir, readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { WORKFLOW_BUNDLE } from '../../dev/stage/worker.js';
import { SCENARIOS } from './scenarios.js';

const HISTORIES = new URL('../histories/', import.meta.url);
const names = (await readdir(HISTORIES)).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));

interface RecordedHistory {
  readonly events: readonly Record<string, unknown>[];
}

const texts = new Map<string, string>();
for (const name of names) texts.set(name, await readFile(new URL(`${name}.json`, HISTORIES), 'utf8'));

test('the recorded histories: one for each scenario', () => {
  expect(names.toSorted()).toEqual(Object.keys(SCENARIOS).toSorted());
});

describe('replay on the current bundle', () => {
  test.each(names)('%s: recorded → no nondeterminism', async (name) => {
    await expect(replay(JSON.parse(texts.get(name) ?? '') as RecordedHistory)).resolves.toBeUndefined();
  });

  test('a history that the code would not write → nondeterminism', async () => {
    const { events } = JSON.parse(texts.get('batch-completed') ?? '') as RecordedHistory;
    const foreign = events.map(
      (event) => JSON.parse(JSON.stringify(event).replaceAll('"createBatch"', '"createOrder"')) as unknown,
    );
    await expect(replay({ events: foreign })).rejects.toThrow(/[Nn]ondeterminism/);
  });
});

describe('content of the histories', () => {
  test.each(names)('%s: decoded → no key, and no path but the recorder’s storage', (name) => {
    const text = decoded(texts.get(name) ?? '');
    expect(text).not.toMatch(/sk-[a-z]/);
    expect(text).not.toMatch(/stackTrace|node_modules|\.[cm]?js\b/);
    const uris = text.match(/file:\/\/[^"\s,]+/g) ?? [];
    expect(uris.filter((uri) => !/^file:\/\/\/(tmp\/llm-jobs-histories\/|nowhere)/.test(uri))).toEqual([]);
  });
});

/** Parsing a history from JSON needs a single copy of protobufjs, hence the devDependency. */
function replay(history: { events: readonly unknown[] }): Promise<void> {
  // The names of children and leases contain the workflow id.
  const { workflowId } = (history.events[0] as StartedEvent).workflowExecutionStartedEventAttributes;
  return Worker.runReplayHistory({ workflowBundle: { codePath: WORKFLOW_BUNDLE } }, history, workflowId);
}

interface StartedEvent {
  readonly workflowExecutionStartedEventAttributes: { readonly workflowId: string };
}

/** The history with its payloads as text. */
function decoded(json: string): string {
  return json.replaceAll(/"data":"([A-Za-z0-9+/=]+)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
}
