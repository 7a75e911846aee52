/** A run that an operator has paused in the UI is open: its job is no orphan, and it still holds its capacity. */
import type { ApplicationFailure } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { findOrphans } from '../../../src/index.js';
import { stageActivities } from '../../../dev/stage/backend.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { endpoint } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';
import { devServerThatPauses } from '../../support/temporal.js';

const temporal = devServerThatPauses();
const stage = devServerStage({}, temporal);

test('a run is paused, then terminated → its job becomes an orphan and its capacity free only then', async () => {
  stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
  const run = await stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint });
  await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
  const { client, namespace } = temporal;
  const { runId } = await run.handle.describe();
  await client.workflowService.pauseWorkflowExecution({ namespace, workflowId: run.workflowId, runId });
  expect((await run.handle.describe()).status.name).toBe('PAUSED');

  const orphans = () => findOrphans({ temporal: client, openai: stage.openai, cancel: true });
  const closed = () =>
    new MockActivityEnvironment({}, { client })
      .run(() =>
        stageActivities(stage.backend).watchHolders({ holders: [{ holder: run.workflowId, holderRun: runId }] }),
      )
      .catch((error: ApplicationFailure) => error.type);
  expect(await orphans()).toEqual([]);
  expect(await closed()).toBe('NothingNew');
  await run.handle.terminate();
  expect(await orphans()).toMatchObject([{ reason: 'runEnded', runStatus: 'TERMINATED', isCancelled: true }]);
  expect(await closed()).toEqual([{ holder: run.workflowId, holderRun: runId }]);
});
