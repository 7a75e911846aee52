/** Starts with the search attributes of runs, where the namespace has them. */
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { attributePairs, type StartAttributes } from '../contract/search-attributes.js';
import { forgetSearchAttributes, hasSearchAttributes, isAboutSearchAttributes } from '../temporal/search-attributes.js';

type Attributes = Pick<WorkflowStartOptions, 'typedSearchAttributes'>;

/**
 * Calls with the attributes, and without them where the namespace has none, or its server does not take them yet.
 *
 * @param given those of the caller, which take precedence over ours of the same name
 */
export async function withAttributes<T>(
  client: Client,
  ours: StartAttributes,
  given: Attributes['typedSearchAttributes'],
  start: (attributes: Attributes) => Promise<T>,
): Promise<T> {
  if (!(await hasSearchAttributes(client))) return start(given === undefined ? {} : { typedSearchAttributes: given });
  const theirs = given === undefined ? [] : Array.isArray(given) ? given : given.getAll();
  const names = new Set(theirs.map(({ key }) => key.name));
  const added = attributePairs(ours).filter(({ key }) => !names.has(key.name));
  try {
    return await start({ typedSearchAttributes: [...theirs, ...added] });
  } catch (error) {
    if (!isAboutSearchAttributes(error)) throw error;
    // They were removed, or have just been added and this frontend does not know them yet.
    forgetSearchAttributes(client);
    return start(given === undefined ? {} : { typedSearchAttributes: given });
  }
}
