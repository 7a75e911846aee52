/** What the budget reports to the meter of its worker. */
import { metricMeter, workflowInfo } from '@temporalio/workflow';
import { METRICS } from '../../contract/metrics.js';
import type { Ledger } from './ledger.js';

/** Models of one run of the budget that have gauges. A spec may name any, and a gauge stays as long as its worker. */
const MAX_MODELS = 50;

export class BudgetMetrics {
  readonly #provider = providerOf(workflowInfo().workflowId);
  /** Models that have gauges, each with the last known limit: that of a spec is known only while its parts are. */
  readonly #limits = new Map<string, number>();

  report(ledger: Ledger): void {
    const { leases, queue } = ledger.state;
    for (const { model } of [...leases, ...queue]) {
      if (this.#limits.size < MAX_MODELS && !this.#limits.has(model)) this.#limits.set(model, Infinity);
    }
    const provider = this.#provider;
    for (const [model, lastLimit] of this.#limits) {
      const labels = { provider, model };
      const { tokens } = ledger.enqueuedOf(model);
      const { value, whence } = ledger.limitOf(model, 'tokens');
      const limit = whence === null ? lastLimit : value;
      this.#limits.set(model, limit);
      gauge(METRICS.budgetEnqueued).set(tokens, labels);
      gauge(METRICS.budgetWaiting).set(queue.filter((part) => part.model === model).length, labels);
      if (limit < Infinity) gauge(METRICS.budgetRoom).set(Math.max(0, limit - tokens), labels);
    }
    gauge(METRICS.budgetUpdated).set(Math.floor(Date.now() / 1_000), { provider });
  }
}

/** The name of a provider is the end of the workflow id. */
const providerOf = (workflowId: string): string => workflowId.slice(workflowId.lastIndexOf('/') + 1);

const gauge = ({ name, description }: { readonly name: string; readonly description: string }) =>
  metricMeter.createGauge(name, 'int', undefined, description);
