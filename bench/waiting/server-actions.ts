/**
 * The dev server's own count of billable actions. Temporal recommends its metric `action` to estimate those of Temporal
 * Cloud: https://docs.temporal.io/cloud/migrate/estimate-actions. It includes retries of pending activities and
 * heartbeats that reach the server, which are in no history.
 */

/** Number of actions in a namespace, by their type. */
export async function serverActions(metricsPort: number, namespace: string): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const counts: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const { labels, count } = /^action\{(?<labels>.*)\} (?<count>\S+)/.exec(line)?.groups ?? {};
    if (!labels?.includes(`namespace="${namespace}"`)) continue;
    const type = /action_type="(?<type>[^"]*)"/.exec(labels)?.groups?.type ?? 'unknown';
    counts[type] = (counts[type] ?? 0) + Number(count);
  }
  return counts;
}
