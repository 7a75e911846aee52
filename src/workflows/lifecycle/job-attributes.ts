/**
 * How a run stands, for the lists of runs and for the metrics. The search attributes are changed only where the run was
 * started with them: a namespace that has not registered them refuses every change, and each one is an event of the
 * history.
 */
import {
  ApplicationFailure,
  ContinueAsNew,
  isCancellation,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  attributePairs,
  SEARCH_ATTRIBUTES,
  stateOfResult,
  type AttributeValues,
  type JobState,
  type ResultState,
} from '../../contract/search-attributes.js';
import { countEnd } from './metrics.js';
import { asRunFailure } from './run-failures.js';

/** Whether the run was started with the attributes. */
export function hasAttributes(): boolean {
  return has(SEARCH_ATTRIBUTES.kind);
}

const has = ({ name }: { readonly name: string }): boolean => Object.hasOwn(workflowInfo().searchAttributes, name);

/** Whoever sends a spec names the provider, so that names which no worker knows must not become labels. */
const UNKNOWN = 'unknown';

export class JobAttributes {
  readonly #isOn = hasAttributes();
  readonly #provider: string | null;

  /**
   * A run that was started with its kind alone, by a schedule for example, gets the others here.
   *
   * @param provider null where the spec names none that could be read
   */
  constructor(provider: string | null) {
    this.#provider = provider;
    if (!has(SEARCH_ATTRIBUTES.status)) this.#set({ status: 'preparing', provider });
  }

  /** There is a job, or a bulk batch has parts. */
  created(values: Pick<AttributeValues, 'id' | 'model'> = {}): void {
    this.#set({ ...values, status: 'running' });
  }

  /** @param provider as metrics name it */
  ended(status: JobState, provider = this.#provider ?? UNKNOWN): void {
    this.#set({ status });
    countEnd(provider, status);
  }

  /** Does all the work of the run, and sets how it ended. */
  async untilEnd<Result extends ResultState>(work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work();
      this.ended(stateOfResult(result));
      return result;
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      if (isCancellation(error)) this.ended('cancelled');
      else this.ended('failed', isUnknownProvider(error) ? UNKNOWN : undefined);
      throw error;
    }
  }

  /** Changes what differs from what is known. */
  #set(values: AttributeValues & { readonly status: JobState }): void {
    if (!this.#isOn) return;
    const { searchAttributes } = workflowInfo();
    const changed = attributePairs(values).filter(({ key, value }) => searchAttributes[key.name]?.[0] !== value);
    if (changed.length > 0) upsertSearchAttributes(changed);
  }
}

function isUnknownProvider(error: unknown): boolean {
  const failure = asRunFailure(error);
  return failure instanceof ApplicationFailure && failure.type === 'UnknownProvider';
}
