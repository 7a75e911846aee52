import { invalidField, invalidInput } from '../../contract/failures.js';
import { MAX_LISTED_FAULTS } from '../../contract/limits.js';
import { bounded } from '../../contract/text.js';
import type { Storage } from '../../storage/storage.js';

/**
 * The URIs of all files under the prefix of a bulk batch, in the order of their names.
 *
 * @param folder URI of the folder of the bulk batch's own files
 * @throws ApplicationFailure `InvalidInput` if there are none, if the folder is under the prefix, so that files which
 * the bulk batch writes would be among its requests, or if a file has a name that no URI can contain
 */
export async function listInput(storage: Storage, prefix: string, folder: string): Promise<string[]> {
  if (storage.isUnder(prefix, folder)) {
    const message = `${prefix} contains the folder of the results, ${folder}: set \`outputUri\` to a folder outside the prefix`;
    throw invalidField('input.prefix', message);
  }
  const uris: string[] = [];
  const unusable: string[] = [];
  for await (const { uri } of storage.list(prefix, { onUnusable: (name) => void unusable.push(name) })) uris.push(uri);
  if (unusable.length > 0) {
    const faults = unusable.slice(0, MAX_LISTED_FAULTS).map((name) => ({
      field: 'input.prefix',
      message: `a file under ${prefix} must be renamed, since no URI can contain its name: ${shownName(name)}`,
    }));
    throw invalidInput({ faults, total: unusable.length });
  }
  if (uris.length === 0) throw invalidField('input.prefix', `no objects under ${prefix}`);
  return uris;
}

/** The name with its control characters escaped. */
function shownName(name: string): string {
  return bounded(JSON.stringify(name), 300);
}
