/** A client in Python: the starter of the docs, and all that a run can be asked from another language. */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cleanEnvironment } from '../../dev/stage/worker-process.js';
import { ROOT } from '../support/docs/pages.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

const PYTHON = process.env.LLM_JOBS_PYTHON ?? 'python3';
const hasClient = spawnSync(PYTHON, ['-c', 'import temporalio.client']).status === 0;
const why = hasClient ? '' : `: ${PYTHON} has no temporalio; LLM_JOBS_PYTHON may name one that has`;

/** Starts a batch, waits until it is at the provider, cancels it and prints what it was told, as JSON. */
const STEER = `
import asyncio, json, os, sys
from temporalio.client import Client

async def main(spec, workflow_id):
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], namespace=os.environ["TEMPORAL_NAMESPACE"])
    run = await client.start_workflow(
        "runBatch", spec, id=workflow_id, task_queue=os.environ["LLM_JOBS_TASK_QUEUE"]
    )
    while (progress := await run.query("progress"))["jobId"] is None:
        await asyncio.sleep(0.1)
    look = await run.execute_update("look")
    await run.signal("cancel", "from Python")
    print(json.dumps({"progress": progress, "look": look, "result": await run.result()}))

asyncio.run(main(json.loads(sys.argv[1]), sys.argv[2]))
`;

describe.skipIf(!hasClient)(`a client in Python${why}`, () => {
  const stage = devServerStage();
  const starter = join(ROOT, 'examples/other-languages/starter.py');

  function python(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { address, namespace, taskQueue } = stage.temporal;
    const variables = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, LLM_JOBS_TASK_QUEUE: taskQueue };
    return new Promise((resolve) => {
      execFile(PYTHON, args, { env: { ...cleanEnvironment(), ...variables } }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  test('starter.py, twice → the answers both times, of one batch', async () => {
    const file = fileURLToPath(await stage.write(chatRequests(3), 'requests.jsonl'));
    const id = `python-${stage.temporal.taskQueue}`;
    const first = await python(starter, file, id);
    expect(first).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^progress: \w+\ncompleted \{'succeeded': 3, /),
    });
    expect(first.stdout.match(/^request-[012] \S/gm)).toHaveLength(3);
    expect(await python(starter, file, id)).toMatchObject({ code: 0, stdout: first.stdout });
    expect(stage.calls('batches.create')).toHaveLength(1);
  });

  test('starter.py with a faulty file → the type, the message and the details of the failure', async () => {
    const file = fileURLToPath(await stage.write([{ custom_id: 'a' }], 'faulty.jsonl'));
    const { code, stderr } = await python(starter, file, `python-faulty-${stage.temporal.taskQueue}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^InvalidInput: line 1.* \{'faults': \[\{/m);
  });

  test('start with null fields, progress, look, cancel → the result as JSON', async () => {
    stage.api.scenarios.forNextBatch('stuckInProgress');
    const uri = await stage.write(chatRequests(5), 'to-cancel.jsonl');
    const spec = { input: { uri, fileId: null }, endpoint, deadline: null, outputUri: null, poll: { min: null } };
    const { code, stdout, stderr } = await python(
      '-c',
      STEER,
      JSON.stringify(spec),
      `steer-${stage.temporal.taskQueue}`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      progress: { jobId: expect.stringMatching(/^batch_/), cancellation: null },
      look: { counts: { total: 5 } },
      result: { status: 'cancelled', cancellation: { by: 'signal', reason: 'from Python' } },
    });
  });
});
