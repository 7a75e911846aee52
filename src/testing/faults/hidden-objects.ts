import { notFoundFor } from '../api-error.js';
import { isObject } from '../body-params.js';
import type { ApiCall } from '../server/endpoint.js';

/** Objects that exist but are not visible yet, as behind a replica that lags. */
export class HiddenObjects {
  readonly #readsLeft = new Map<string, number>();

  /** @param created the object as its create endpoint returned it @param reads how many reads do not see it */
  hide(created: unknown, reads: number): void {
    if (isObject(created) && typeof created.id === 'string' && reads > 0) this.#readsLeft.set(created.id, reads);
  }

  /** Counts a read. @throws the API's 404 while the object of the call is hidden */
  check(call: ApiCall): void {
    const left = call.id === undefined ? undefined : this.#readsLeft.get(call.id);
    if (call.id === undefined || left === undefined) return;
    if (left === 1) this.#readsLeft.delete(call.id);
    else this.#readsLeft.set(call.id, left - 1);
    throw notFoundFor(call);
  }

  /** Takes hidden objects out of a list; returns anything else as it is. */
  filter(json: unknown): unknown {
    if (this.#readsLeft.size === 0 || !isObject(json) || json.object !== 'list' || !Array.isArray(json.data))
      return json;
    const isHidden = (item: unknown): boolean =>
      isObject(item) && typeof item.id === 'string' && this.#readsLeft.has(item.id);
    return { ...json, data: json.data.filter((item) => !isHidden(item)) };
  }
}
