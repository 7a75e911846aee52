/** Single sweeps of an account that holds 10,000 batches of others: what they ask of the provider and of Temporal. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createActivities } from '../../../src/activities/index.js';
import type { WireBatch } from '../../../src/testing/index.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { serving } from '../../support/raw-server.js';
import { endpoint, jobsOf } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const FOREIGN = 10_000;
const HOUR_S = 3_600;

const stage = devServerStage({
  api: { batches: { validatingMs: 50, inProgressMs: 1e9, cancellingMs: 50, jitter: 0 } },
});

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** A client of Temporal, and the methods of the server that it has called. */
let temporal: Client;
let temporalCalls: string[] = [];
beforeAll(async () => {
  const count: Interceptor = (options, next) => {
    temporalCalls.push(options.method_definition.path.split('/').at(-1) ?? '');
    return next(options) as ReturnType<Interceptor>;
  };
  const connection = await Connection.connect({ address: stage.temporal.address, interceptors: [count] });
  temporal = new Client({ connection, namespace: stage.temporal.namespace });
});
afterAll(async () => {
  await temporal.connection.close();
});

/** An account of which most is not ours. It serves the lists itself and passes all other requests on. */
class SharedAccount {
  /** Seconds by which its clock is ahead. */
  ahead = 0;
  newer: readonly WireBatch[] = [];
  older: readonly WireBatch[] = [];
  calls: string[] = [];

  readonly listener: RequestListener = (request, response) => {
    this.#serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  };

  async #serve({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(url, stage.api.url);
    const date = new Date(Date.now() + this.ahead * 1_000).toUTCString();
    this.calls.push(pathname);
    if (pathname !== '/v1/batches') {
      const { authorization = '' } = headers;
      const reply = await fetch(new URL(url, stage.api.url), { headers: { authorization } });
      response.writeHead(reply.status, { 'content-type': 'application/json', date }).end(await reply.text());
      return;
    }
    const all = [...this.newer, ...(await stage.api.batches()), ...this.older];
    const start = all.findIndex(({ id }) => id === searchParams.get('after')) + 1;
    const data = all.slice(start, start + Number(searchParams.get('limit')));
    const page = { object: 'list', data, has_more: start + data.length < all.length };
    response.writeHead(200, { 'content-type': 'application/json', date }).end(JSON.stringify(page));
  }
}

/** What others put into the metadata of their batches, among it a key of a run in another cluster. */
const METADATA: readonly WireBatch['metadata'][] = [
  null,
  {},
  { team: 'search' },
  { temporal_llm_job: 'cluster/default/their-run/its-id' },
];

/** Batches of others, newest first, evenly spread between two times of the provider. */
function foreign(like: WireBatch, from: number, to: number): WireBatch[] {
  return Array.from({ length: FOREIGN }, (_, index) => ({
    ...like,
    id: `batch_foreign_${index}`,
    created_at: Math.floor(to - ((to - from) * index) / FOREIGN),
    metadata: METADATA[index % METADATA.length] ?? null,
  }));
}

interface SweepCalls {
  /** Pages of the list of batches. */
  readonly pages: number;
  /** Batches that were read one by one. */
  readonly singles: number;
  readonly temporal: readonly string[];
}

/** One activity after the other, each of which sweeps the account once and remembers what the last one saw. */
function sweepsOf(account: SharedAccount, baseURL: string): () => Promise<SweepCalls> {
  const client = new OpenAI({ apiKey: stage.api.apiKey, baseURL });
  const activities = createActivities({ providers: { default: { client } }, storage: [stage.root] });
  return async () => {
    account.calls = [];
    temporalCalls = [];
    const now = Date.now() + account.ahead * 1_000;
    const times = { scheduledTimestampMs: now, currentAttemptScheduledTimestampMs: now };
    const activity = new MockActivityEnvironment(
      { taskQueue: stage.temporal.taskQueue, ...times },
      { client: temporal },
    );
    await activity
      .run(() => activities.sweepAccount({ provider: 'default', announced: [] }))
      .catch((error: ApplicationFailure) => {
        if (error.type !== 'NothingNew') throw error;
      });
    return {
      pages: account.calls.filter((path) => path === '/v1/batches').length,
      singles: account.calls.filter((path) => path.startsWith('/v1/batches/')).length,
      temporal: temporalCalls,
    };
  };
}

/** Starts a run that looks at its batch only when it is woken. */
async function startOurs() {
  const poll = { min: '6h', max: '6h' } as const;
  const run = await stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint, poll });
  onTestFinished(async () => {
    await run.handle.terminate().catch(() => undefined);
  });
  const job = async () => (await jobsOf(stage.api, run.workflowId))[0] as WireBatch | undefined;
  await waitFor(async () => (await job())?.status === 'in_progress', 'the batch to be in progress');
  return { run, job, batch: (await job())! };
}

/** Pages of which the sweep of an account of many reads this many at most while it knows nothing. */
const COLD_PAGES = 20;
/** Calls to Temporal of a sweep with one job of ours, whatever others have. */
const FEW = 10;

test.each<[string, number, (account: SharedAccount, ours: WireBatch) => void]>([
  [
    'older than ours, over ten days',
    2,
    (account, ours) => {
      account.older = foreign(ours, ours.created_at - 240 * HOUR_S, ours.created_at);
    },
  ],
  [
    'older than ours, within ten minutes',
    COLD_PAGES,
    (account, ours) => {
      account.older = foreign(ours, ours.created_at - 600, ours.created_at);
    },
  ],
  [
    'newer than ours, over ten hours',
    COLD_PAGES,
    (account, ours) => {
      account.ahead = 10 * HOUR_S;
      account.newer = foreign(ours, ours.created_at, ours.created_at + account.ahead);
    },
  ],
])(
  '10,000 batches of others, %s → at most %i pages in the first sweeps, then two calls a sweep',
  async (_, pages, place) => {
    const { run, job, batch } = await startOurs();
    const account = new SharedAccount();
    place(account, batch);
    await serving(account.listener, async (baseURL) => {
      const sweep = sweepsOf(account, baseURL);
      const first = await sweep();
      expect(first.pages).toBeLessThanOrEqual(pages);
      expect(first.singles).toBeLessThanOrEqual(1);
      expect(first.temporal.length).toBeLessThanOrEqual(FEW);
      account.ahead += 300;
      // The list may lag, so a sweep reads some that the last one has read already.
      expect((await sweep()).pages).toBeLessThanOrEqual(pages);
      account.ahead += 300;
      const third = await sweep();
      expect(third.pages + third.singles).toBeLessThanOrEqual(2);
      expect(third.temporal.length).toBeLessThanOrEqual(FEW);

      await stage.openai.batches.cancel(batch.id);
      await waitFor(async () => (await job())?.status === 'cancelled', 'the batch to be cancelled');
      expect((await sweep()).temporal).toContain('SignalWorkflowExecution');
    });
    expect((await run.result()).status).toBe('cancelled');
  },
);

test('10,000 batches of others between two sweeps → one sweep reads them all, and soon it takes two calls again', async () => {
  const { batch } = await startOurs();
  const account = new SharedAccount();
  await serving(account.listener, async (baseURL) => {
    const sweep = sweepsOf(account, baseURL);
    await sweep();
    account.ahead = HOUR_S;
    account.newer = foreign(batch, batch.created_at, batch.created_at + account.ahead);
    const burst = await sweep();
    expect(burst.pages).toBeLessThanOrEqual(FOREIGN / 100 + 1);
    expect(burst.temporal.length).toBeLessThanOrEqual(FEW);
    account.ahead += 300;
    expect((await sweep()).pages).toBeLessThanOrEqual(COLD_PAGES);
    account.ahead += 300;
    const last = await sweep();
    expect(last.pages + last.singles).toBeLessThanOrEqual(2);
    expect(last.temporal.length).toBeLessThanOrEqual(FEW);
  });
});
