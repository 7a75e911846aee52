import { invalidField } from '../../contract/failures.js';
import { unmetNeed, type Need } from '../../provider/needs.js';
import type { Provider } from '../../provider/providers.js';

/**
 * Refuses a run before anything is sent if the provider has no API for what the run needs.
 *
 * @throws ApplicationFailure `InvalidInput`
 */
export function assertSupported({ name, unsupported }: Provider, ...needs: readonly Need[]): void {
  const unmet = unmetNeed(unsupported, needs);
  if (unmet !== null) throw invalidField('provider', `"${name}" ${unmet}`);
}
