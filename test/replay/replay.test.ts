/** Runs that earlier code began must continue under the current code, which must issue the same commands again. */
import { readdir, readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
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
  const FOREIGN = 'one that the code would not write';
  const outcomes = new Map<string, string>();

  // One worker replays all, since each loads the bundle.
  beforeAll(async () => {
    const histories = new Map(names.map((name) => [name, recorded(name)]));
    histories.set(FOREIGN, withForeignActivity(recorded('batch-completed')));
    const replays = Worker.runReplayHistories(
      { workflowBundle: { codePath: WORKFLOW_BUNDLE } },
      [...histories.values()].map((history) => ({ history, workflowId: workflowIdOf(history) })),
    );
    const titles = [...histories.keys()];
    for await (const { error } of replays) outcomes.set(titles[outcomes.size]!, error ? String(error) : 'replayed');
  });

  test.each(names)('%s: recorded → no nondeterminism', (name) => {
    expect(outcomes.get(name)).toBe('replayed');
  });

  test('a history that the code would not write → nondeterminism', () => {
    expect(outcomes.get(FOREIGN)).toMatch(/[Nn]ondeterminism/);
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
function recorded(name: string): RecordedHistory {
  return JSON.parse(texts.get(name) ?? '') as RecordedHistory;
}

function withForeignActivity({ events }: RecordedHistory): RecordedHistory {
  return JSON.parse(JSON.stringify({ events }).replaceAll('"createBatch"', '"createOrder"')) as RecordedHistory;
}

/** The names of children and leases contain it. */
function workflowIdOf(history: RecordedHistory): string {
  return (history.events[0] as unknown as StartedEvent).workflowExecutionStartedEventAttributes.workflowId;
}

interface StartedEvent {
  readonly workflowExecutionStartedEventAttributes: { readonly workflowId: string };
}

/** The history with its payloads as text. */
function decoded(json: string): string {
  return json.replaceAll(/"data":"([A-Za-z0-9+/=]+)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
}
