/** Names of the metrics that the panels and variables of a Grafana dashboard query. */
export function metricsIn(dashboard: string): string[] {
  const queries = [...dashboard.matchAll(/"(?:expr|query|definition)": "((?:[^"\\]|\\.)*)"/g)].map(
    ([, text = '']) => text,
  );
  const names = queries.flatMap((text) => text.match(/\b(?:llm_jobs|temporal)_\w+/g) ?? []);
  return [...new Set(names)];
}
