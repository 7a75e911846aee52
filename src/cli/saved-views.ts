/**
 * Queries for the list of workflows in the Temporal UI. The UI keeps saved views in the browser, so no call can make them:
 * it saves one when a link is opened that has its name as `savedQuery` (seen in UI 2.54.1; an older one ignores it).
 */
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.js';

const { kind, status, id } = SEARCH_ATTRIBUTES;

export interface SavedView {
  readonly name: string;
  readonly query: string;
}

export const SAVED_VIEWS: readonly SavedView[] = [
  {
    name: 'Open jobs',
    query: `${kind.name} IN ("batch", "bulkBatch", "fineTuning") AND ExecutionStatus = "Running"`,
  },
  { name: 'With failures', query: `${status.name} IN ("completed_with_failures", "failed")` },
  { name: 'Expired', query: `${status.name} = "expired"` },
  { name: 'Whose is this batch?', query: `${id.name} = "batch_abc"` },
];

const LOCAL_UI_PORT = 8233;

/**
 * Where the UI of a server is, as far as that can be told from its address: beside a dev server on this machine, and of
 * Temporal Cloud. Null for any other.
 */
export function uiOf(address: string): string | null {
  const host = address.replace(/^https?:\/\//, '').replace(/:\d+$/, '');
  if (/^(localhost|127\.0\.0\.1|\[::1\])$/.test(host)) return `http://localhost:${LOCAL_UI_PORT}`;
  return /\.(tmprl\.cloud|api\.temporal\.io)$/.test(host) ? 'https://cloud.temporal.io' : null;
}

/**
 * A link that opens the list and saves it as a view.
 *
 * @param ui null for the path alone
 */
export function linkOf({ name, query }: SavedView, ui: string | null, namespace: string): string {
  const view = `query=${encodeURIComponent(query)}&savedQuery=${encodeURIComponent(name)}`;
  const path = `/namespaces/${encodeURIComponent(namespace)}/workflows?${view}`;
  return `${ui?.replace(/\/+$/, '') ?? ''}${path}`;
}
