/** What the page of a fine-tuning job shows besides that of every run. */
import type { FineTuningProgress, FineTuningResult } from '../../contract/fine-tuning.js';
import { iso } from '../lifecycle/time.js';
import { describeFile } from './batch-page.js';
import { steeringOf, storyOf, type JobWords } from './job-story.js';
import { bar, code, count, expectedEnd } from './markdown.js';
import type { RunPage } from './run-page.js';

const WORDS: JobWords = {
  noun: 'job',
  statuses: {
    validating_files: 'it checks the training files',
    queued: 'the job waits for its turn, which may take hours',
    running: 'it trains the model',
    paused: 'the job is paused. Update `resume` lets it go on',
    cancelling: 'it stops the job, which may take minutes',
  },
};

const PAUSING = 'Updates `pause` and `resume`: the provider pauses the job, and goes on.';

export interface ShownFineTuning {
  readonly progress: FineTuningProgress;
  /** Epoch seconds: when the phase began. */
  readonly phaseSince: number;
  /** Epoch seconds: when the job was first seen to run, and when its steps were; null before. */
  readonly runningSince: number | null;
  readonly result: Pick<FineTuningResult, 'fineTunedModel' | 'trainedTokens' | 'checkpoints' | 'events'> | null;
  readonly method: string;
  readonly spec: { readonly model: string; readonly provider: string; readonly link?: string | undefined };
}

export function fineTuningPage({ progress, phaseSince, runningSince, result, method, spec }: ShownFineTuning): RunPage {
  const { phase, status, jobId, steps, estimatedFinish, lastCheckedAt } = progress;
  const isOver = phase === 'done';
  const tokens = result?.trainedTokens ?? null;
  const isRunning = phase === 'waiting' && status === 'running';
  const computed = isRunning && steps?.total ? expectedEnd(steps.done, steps.total, runningSince, lastCheckedAt) : null;
  return {
    noun: 'Fine-tuning job',
    id: jobId,
    status: jobId === null ? (isOver ? 'cancelled before it was created' : 'not created yet') : code(status, 60),
    link: spec.link,
    story: storyOf(WORDS, progress, phaseSince),
    bar: steps && (isOver ? null : describeSteps(steps, lastCheckedAt)),
    rows: [
      ['Expected end', !isOver && estimatedFinish !== null && `${iso(estimatedFinish)}, says the provider`],
      ['Expected end', estimatedFinish === null && computed !== null && `${iso(computed)}, at the rate so far`],
      ['New model', result?.fineTunedModel && code(result.fineTunedModel)],
      ['Trained tokens', tokens !== null && count(tokens)],
      ['Checkpoints', result !== null && result.checkpoints.length > 0 && count(result.checkpoints.length)],
      ['Events', result && describeFile(result.events)],
      ['Base model', code(spec.model)],
      ['Method', code(method, 60)],
      ['Provider', code(spec.provider, 100)],
    ],
    steering: steeringOf(WORDS, jobId !== null, [PAUSING]),
  };
}

function describeSteps({ done, total }: NonNullable<FineTuningProgress['steps']>, asOf: number | null): string {
  const steps = total === null ? `step ${count(done)}` : `${bar(done, total)} steps`;
  return `${steps}${asOf === null ? '' : `, as of ${iso(asOf)}`}`;
}
