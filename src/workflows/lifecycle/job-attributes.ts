/**
 * The search attributes of a run. They are changed only where the run was started with them: a namespace that has not
 * registered them refuses every change, and each one is an event of the history.
 */
import { ContinueAsNew, isCancellation, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import {
  attributePairs,
  SEARCH_ATTRIBUTES,
  stateOfResult,
  type AttributeValues,
  type JobState,
  type ResultState,
} from '../../contract/search-attributes.js';

/** Whether the run was started with the attributes. */
export function hasAttributes(): boolean {
  return has(SEARCH_ATTRIBUTES.kind);
}

const has = ({ name }: { readonly name: string }): boolean => Object.hasOwn(workflowInfo().searchAttributes, name);

export class JobAttributes {
  readonly #isOn = hasAttributes();

  /**
   * A run that was started with its kind alone, by a schedule for example, gets the others here.
   *
   * @param provider null where the spec names none that could be read
   */
  constructor(provider: string | null) {
    if (!has(SEARCH_ATTRIBUTES.status)) this.#set({ status: 'preparing', provider });
  }

  /** There is a job, or a bulk batch has parts. */
  created(values: Pick<AttributeValues, 'id' | 'model'> = {}): void {
    this.#set({ ...values, status: 'running' });
  }

  ended(status: JobState): void {
    this.#set({ status });
  }

  /** Does all the work of the run, and sets how it ended. */
  async untilEnd<Result extends ResultState>(work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work();
      this.ended(stateOfResult(result));
      return result;
    } catch (error) {
      if (!(error instanceof ContinueAsNew)) this.ended(isCancellation(error) ? 'cancelled' : 'failed');
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
