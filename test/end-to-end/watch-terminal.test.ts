/** `llm-jobs watch` at a terminal: bars, and the question that Ctrl-C asks. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cleanEnvironment } from '../../dev/stage/worker-process.js';
import { atTerminal, hasPseudoTerminals } from '../support/pseudo-terminal.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

const COMMAND = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const CTRL_C = '\u0003';
const ENTER = '\r';

describe.skipIf(!hasPseudoTerminals)('llm-jobs watch at a terminal', () => {
  const stage = devServerStage();

  function watch(...workflowIds: string[]) {
    const { address, namespace } = stage.temporal;
    const env = { ...cleanEnvironment(), TERM: 'xterm', TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
    return atTerminal([process.execPath, COMMAND, 'watch', ...workflowIds], env);
  }

  test('bars; Ctrl-C asks: go on, then leave; attached again with another run, then cancel both', async () => {
    const timing = { validatingMs: 50, inProgressMs: 600_000, jitter: 0 };
    stage.api.scenarios.forNextBatch({ timing });
    stage.api.scenarios.forNextBatch({ timing });
    const input = { requests: chatRequests(3) };
    const run = await stage.jobs.startBatch({ input, endpoint });
    const other = await stage.jobs.startBatch({ input, endpoint });

    const first = watch(run.workflowId);
    await first.shows(new RegExp(`${run.workflowId} .*in_progress`));
    await first.shows(/─+ +0 of 3/);
    first.type(CTRL_C);
    await first.shows('Leave it running [l], cancel it [c], or go on watching [w]?');
    first.type(`w${ENTER}`);
    await first.shows(/─+ +0 of 3/);
    first.type(CTRL_C);
    await first.shows('go on watching [w]?');
    first.type(ENTER);
    await first.shows(`The run continues. To follow it again: llm-jobs watch ${run.workflowId}`);
    expect(await first.ended).toBe(130);
    expect(await run.isOpen()).toBe(true);

    const second = watch(run.workflowId, other.workflowId);
    await second.shows(new RegExp(`${run.workflowId} .*in_progress`));
    await second.shows(new RegExp(`${other.workflowId} .*in_progress`));
    second.type(CTRL_C);
    await second.shows('cancel them [c]');
    second.type(`c${ENTER}`);
    expect(await second.ended).toBe(0);
    for (const { cancellation } of [await run.result(), await other.result()]) {
      expect(cancellation).toMatchObject({ by: 'signal', reason: 'at the terminal' });
    }
  });
});
