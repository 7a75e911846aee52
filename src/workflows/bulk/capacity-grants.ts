import { condition, setHandler } from '@temporalio/workflow';
import { capacityGrantedSignal } from '../token-budget.js';

/** A budget that was terminated has forgotten its queue: ask again after this long. */
const ASK_AGAIN = '30m';

/** Parts that wait for the budget's word. A word that comes before anybody waits is kept. */
export class CapacityGrants {
  readonly #granted = new Set<string>();

  constructor() {
    setHandler(capacityGrantedSignal, (lease) => void this.#granted.add(lease), {
      description: 'From the token budget: the part may be submitted.',
    });
  }

  /** Asks until the lease is granted. */
  async granted(lease: string, ask: () => Promise<void>): Promise<void> {
    do await ask();
    while (!(await condition(() => this.#granted.has(lease), ASK_AGAIN, { summary: 'or ask the budget again' })));
    this.#granted.delete(lease);
  }
}
