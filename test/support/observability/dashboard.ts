/** What the panels and variables of a Grafana dashboard query. */
interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

/** A metric that is queried, with a label that it is selected by. */
export interface Selector {
  readonly name: string;
  readonly label: string;
}

export function queriesOf(dashboard: string): string[] {
  const { panels, templating } = JSON.parse(dashboard) as Dashboard;
  const ofPanels = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  return [...ofPanels, ...templating.list.flatMap(({ definition }) => definition ?? [])];
}

/** The names of the metrics in a query. */
export function metricsIn(query: string): string[] {
  return query.match(/\b(?:llm_jobs|temporal)_\w+/g) ?? [];
}

export function selectorsIn(query: string): Selector[] {
  return [...query.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, name = '', matchers = '']) =>
    [...matchers.matchAll(/(\w+)=~?"/g)].map(([, label = '']) => ({ name, label })),
  );
}
