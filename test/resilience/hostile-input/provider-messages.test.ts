/** Messages of the provider are bounded and carry no markup, wherever a run shows them. */
import { describe, expect, test } from 'vitest';
import { MINUTE, HOUR } from '../../../dev/stage/timing.js';
import { endpoint, failureOf } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { timeSkippingStage } from '../../support/stage.js';

const stage = timeSkippingStage({
  api: { batches: { validatingMs: MINUTE, inProgressMs: HOUR, finalizingMs: MINUTE, jitter: 0 } },
});
const poll = { min: '5m', max: '5m' };
const startBatch = () => stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint, poll });

/** A history as JSON, with its payloads as text. */
function decoded(history: string): string {
  return history.replace(/"data":"([A-Za-z0-9+/=]+)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
}

describe('messages of the provider', () => {
  const hostile = `# Heading\n\n[click](javascript:alert(1)) <img src=x onerror=alert(1)> \`code\` ${'long '.repeat(5_000)}\u202e\u0000\ud800`;

  test('long, with markup and control characters → bounded, well-formed and plain in failures and warnings', async () => {
    stage.api.scenarios.forNextBatch({ failWith: [{ code: hostile, message: hostile, line: 1, param: null }] });
    const failure = await failureOf(await startBatch());
    expect(failure.type).toBe('BatchFailed');
    expect(failure.message.length).toBeLessThan(2_500);
    // oxlint-disable-next-line no-control-regex
    expect(failure.message).not.toMatch(/[\u0000-\u0008\u202e]/);
    expect(failure.message.isWellFormed()).toBe(true);

    stage.api.scenarios.forNextBatch({ foreignStatus: { status: hostile, insteadOf: 'in_progress' } });
    const run = await startBatch();
    const { warnings } = await run.result();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.length).toBeLessThan(200);
  });

  test('that echo a key, in an error, a model and a status → redacted wherever the run shows them', async () => {
    const key = stage.api.apiKey;
    const foreign = 'sk-live-0123456789abcdef';
    const said = `not allowed for ${key} or ${foreign}`;
    stage.api.scenarios.forNextBatch({ failWith: [{ code: said, message: said, line: 1, param: said }] });
    const failed = await startBatch();
    await failureOf(failed);
    stage.api.scenarios.forNextBatch({ foreignStatus: { status: said, insteadOf: 'in_progress' } });
    const warned = await startBatch();
    await warned.result();
    for (const { handle } of [failed, warned]) {
      const history = decoded(JSON.stringify(await handle.fetchHistory()));
      const seen = ['[redacted]', key, foreign].filter((text) => history.includes(text));
      expect(seen).toEqual(['[redacted]']);
    }
  });

  test('in the summary of a run → no markup; in those of activities, which the UI shows as they are, one line', async () => {
    const run = await stage.jobs.startBatch({ input: { fileId: 'file-[x](javascript:y)' }, endpoint, poll });
    await failureOf(run);
    const { events } = await run.handle.fetchHistory();
    const summaries = (events ?? []).flatMap(({ userMetadata }) =>
      userMetadata?.summary?.data ? [Buffer.from(userMetadata.summary.data).toString()] : [],
    );
    const [ofRun, ...ofActivities] = summaries;
    expect(ofRun).toContain('javascript');
    expect(ofRun).not.toMatch(/(?<!\\)\]\(/);
    expect(ofActivities.join()).toContain('javascript');
    for (const summary of ofActivities) expect(summary).not.toContain('\n');
  });

  test('in the current details of the UI → neither links nor markup', async () => {
    stage.api.scenarios.forNextBatch({ foreignStatus: { status: hostile, insteadOf: 'in_progress' } });
    const run = await startBatch();
    await stage.pass('30m');
    const metadata = await run.handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    const details = metadata.currentDetails ?? '';
    expect(details).toContain('click');
    // In a code span nothing is markup; a backtick of the provider's would end it early and leave the rest outside.
    const outside = details.replaceAll(/`[^`\n]+`/g, '');
    expect(outside).not.toContain('click');
    expect(outside).not.toMatch(/`|\]\(|<img|^#+ heading/im);
    await run.result();
  });
});
