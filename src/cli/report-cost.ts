/** What runs have cost, by the prices of the spec or of the configuration. */
import { costOf, priceOf, type PriceTable } from '../config/prices.js';
import type { TokenUsage } from '../contract/batch.js';
import type { BulkBatchResult } from '../contract/bulk-batch.js';
import type { ReportedCost } from '../report/report.js';

const CONFIGURED = 'in USD, by the prices of the configuration';

/** @returns null if no model has a price */
export function costOfUsage(usage: Readonly<Record<string, TokenUsage>>, prices: PriceTable): ReportedCost | null {
  const byModel: [model: string, cost: number][] = [];
  const unpriced: string[] = [];
  for (const [model, used] of Object.entries(usage)) {
    const price = priceOf(model, prices);
    if (price === null) unpriced.push(model);
    else byModel.push([model, costOf(price, used)]);
  }
  return costFrom(byModel, unpriced, CONFIGURED);
}

/** By the prices of the spec; where it has none, by those of the configuration. */
export function costOfBulk({ usage, cost }: BulkBatchResult, prices: PriceTable): ReportedCost | null {
  if (cost === null) return costOfUsage(usage, prices);
  const byModel = Object.entries(cost.byModel);
  const unpriced = Object.keys(usage).filter((model) => !Object.hasOwn(cost.byModel, model));
  return { total: cost.total, byModel, unpriced, basis: 'by the prices of the spec' };
}

/** @param model the model that was trained, whose price has `training` */
export function costOfTraining(model: string, trainedTokens: number, prices: PriceTable): ReportedCost | null {
  const perMillion = priceOf(model, prices)?.training;
  return perMillion === undefined
    ? null
    : costFrom([[model, (trainedTokens * perMillion) / 1_000_000]], [], CONFIGURED);
}

function costFrom(byModel: [model: string, cost: number][], unpriced: string[], basis: string): ReportedCost | null {
  if (byModel.length === 0) return null;
  return { total: byModel.reduce((sum, [, cost]) => sum + cost, 0), byModel, unpriced, basis };
}
