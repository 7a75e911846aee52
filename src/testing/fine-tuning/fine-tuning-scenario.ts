export interface FineTuningScenario {
  name?: string;
}
export const FINE_TUNING_SCENARIOS = {} as const satisfies Record<string, FineTuningScenario>;
export type FineTuningScenarioName = keyof typeof FINE_TUNING_SCENARIOS;
