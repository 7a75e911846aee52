/** What a run with one job waits for, why it may last, and what a person can do about it. */
import type { CommonProgress } from '../../contract/progress.js';
import { iso } from '../lifecycle/time.js';
import { code } from './markdown.js';

export interface JobWords {
  /** Such as `batch`, in a sentence. */
  readonly noun: string;
  /** What the provider does, by its status. */
  readonly statuses: Readonly<Record<string, string>>;
}

const LAST_FAILURE = 'the last failure under *Pending Activities*';

/**
 * @param since epoch seconds: when the phase began
 * @param waitingFor why the job is not uploaded yet; null where it does not wait
 */
export function storyOf(
  { noun, statuses }: JobWords,
  { phase, status, watchedBy }: Pick<CommonProgress, 'phase' | 'status' | 'watchedBy'>,
  since: number,
  waitingFor: string | null = null,
): string {
  const at = `since ${iso(since)}`;
  if (waitingFor !== null) return `**Waiting** for ${code(waitingFor)}. Nothing is at the provider yet.`;
  switch (phase) {
    case 'checking':
      return `**Checking the input** line by line, ${at}. Nothing is at the provider yet.`;
    case 'uploading':
      return `**Uploading the input**, ${at}. If it lasts: ${LAST_FAILURE} says why.`;
    case 'creating':
      return (
        `**Creating the ${noun}**, exactly once, ${at}. If it lasts, the provider has no room or does not answer: its ` +
        `last words are ${LAST_FAILURE}. \`WaitingForCapacity\` there is a limit of the provider; the run tries again ` +
        'until there is room.'
      );
    case 'cancelling':
      return `**Cancelling**, ${at}: the provider may take minutes to stop the ${noun}. What it has is kept.`;
    case 'collecting':
      return (
        `**Collecting the results** into storage, ${at}. If it lasts, ${LAST_FAILURE} says why: \`NotSettled\` there is ` +
        'no error, the results do not yet account for what the provider counts.'
      );
    default:
      return `**Waiting for the provider:** ${Object.hasOwn(statuses, status) ? statuses[status] : `the ${noun} is ${code(status)}`}. ${seenBy(noun, watchedBy)}`;
  }
}

/** Polls that find nothing new leave no trace in the history, so the workflow cannot show how far the job is. */
function seenBy(noun: string, watchedBy: string | null): string {
  const fresh = `Fresh counts: update \`look\`, or \`llm-jobs status\`.`;
  return watchedBy === null
    ? `What the latest poll saw is ${LAST_FAILURE}; \`NothingNew\` there is no error. ${fresh}`
    : `The run sleeps until ${code(watchedBy)} tells that the ${noun} has begun or ended. ${fresh}`;
}

/** @param extra further lines of this kind of job */
export function steeringOf({ noun }: JobWords, hasJob: boolean, extra: readonly string[] = []): string[] {
  if (!hasJob) {
    return [
      `Signal \`cancel\`: no ${noun} is bought, and the run completes as \`cancelled\`.`,
      '*Request Cancellation*: the same, but the run ends as Cancelled.',
      `*Terminate*: the run ends at once. A ${noun} that is just being created goes on: \`llm-jobs orphans\` finds it.`,
      `*Pause*: the run creates nothing more until it is unpaused; a call under way is finished.`,
    ];
  }
  return [
    `Signal \`cancel\`: the provider stops the ${noun}, and the run completes with what it has.`,
    '*Request Cancellation*: the same, but the run ends as Cancelled.',
    ...extra,
    `*Terminate*: only the run ends. **The ${noun} keeps running, at your cost**: \`llm-jobs orphans\` finds it.`,
    `*Reset*: the run begins again and takes over this ${noun}. Nothing is bought twice.`,
    `*Pause*: only the run stops. **The ${noun} keeps running, at your cost**; its end is seen after *Unpause*.`,
  ];
}
