import { notFound } from '../api-error.js';
import type { ApiCall } from '../server/endpoint.js';

/** Objects that exist and are not visible yet: a replica lags behind the create. */
export class HiddenObjects {
  readonly #readsLeft = new Map<string, number>();

  hide(created: unknown, reads: number): void {
    const id = (created as { id?: unknown } | null)?.id;
    if (typeof id === 'string' && reads > 0) this.#readsLeft.set(id, reads);
  }

  /** @throws the API's 404 while the object of the call is hidden; each such read counts */
  check(call: ApiCall): void {
    const left = call.id === undefined ? undefined : this.#readsLeft.get(call.id);
    if (call.id === undefined || left === undefined) return;
    if (left === 1) this.#readsLeft.delete(call.id);
    else this.#readsLeft.set(call.id, left - 1);
    throw notFoundFor(call);
  }

  /** The reply without hidden objects, if it is a list. */
  filter(json: unknown): unknown {
    const list = json as { object?: unknown; data?: unknown } | null;
    if (this.#readsLeft.size === 0 || list?.object !== 'list' || !Array.isArray(list.data)) return json;
    const data = list.data as { id: string }[];
    return { ...list, data: data.filter(({ id }) => !this.#readsLeft.has(id)) };
  }
}

const KINDS = { files: 'File', uploads: 'Upload', batches: 'Batch', fineTuning: 'FineTuningJob' } as const;

export function notFoundFor(call: ApiCall) {
  const area = call.operation.split('.')[0] as keyof typeof KINDS;
  return notFound(KINDS[area], call.id ?? '');
}
