/** What `llm-jobs check` found, in lines. */
import type { FaultReport } from '../contract/input-fault.js';
import type { ModelEstimate } from './estimate.js';

/** What is printed. */
export interface CheckReport {
  /** Null for a bulk, whose requests have endpoints of their own. */
  readonly endpoint: string | null;
  readonly requests: number;
  readonly bytes: number;
  /** Batches that a bulk batch sends; null where its input would be refused. */
  readonly parts: number | null;
  readonly models: readonly ModelEstimate[];
  /** A rough estimate by the length of the prompts. */
  readonly estimatedTokens: number | null;
  readonly faults: FaultReport;
}

const MANY_MODELS = 3;

/** @param hasPrices whether there are prices of any model */
export function checkText(report: CheckReport, hasPrices: boolean): string[] {
  const { endpoint, requests, bytes, models, faults } = report;
  const names = models.map(({ model }) => model);
  const shown =
    names.length > MANY_MODELS ? [...names.slice(0, MANY_MODELS), `${names.length - MANY_MODELS} more`] : names;
  return [
    `requests  ${number(requests)}${endpoint === null ? ' for a bulk' : ` for ${endpoint}`}`,
    `model     ${shown.length === 0 ? 'none is named' : shown.join(', ')}`,
    `size      ${number(bytes)} bytes`,
    `tokens    ${promptText(report)}`,
    `answers   ${answerText(models)}`,
    ...(hasPrices ? [`cost      ${costText(models)}`] : []),
    `fits      ${fitsText(report)}`,
    ...(faults.total === 0
      ? ['faults    none']
      : [`faults    ${faults.total}${faults.total > faults.faults.length ? ', of which the first are' : ''}`]),
    ...faults.faults.map(({ line, field, message }) =>
      [line === undefined ? null : `  line ${line}`, field ?? null, message].filter((text) => text !== null).join(': '),
    ),
  ];
}

function promptText({ models, requests, estimatedTokens }: CheckReport): string {
  if (models.some(({ prompts }) => prompts.tokens === null)) {
    const rough =
      estimatedTokens === null ? 'not known' : `about ${number(estimatedTokens)} in the prompts, by their length`;
    return `${rough}; to count them: npm install gpt-tokenizer`;
  }
  const tokens = sum(models, ({ prompts }) => prompts.tokens ?? 0);
  const counted = sum(models, ({ prompts }) => prompts.counted);
  if (counted >= requests) return `${number(tokens)} in the prompts, without images and sounds`;
  return `about ${number(tokens)} in the prompts, by ${number(counted)} of them, without images and sounds`;
}

function answerText(models: readonly ModelEstimate[]): string {
  const unlimited = sum(models, ({ answers }) => answers.unlimited);
  if (unlimited > 0) return `without an upper bound: ${number(unlimited)} requests name none, such as max_tokens`;
  return `at most ${number(sum(models, ({ answers }) => answers.maxTokens))} tokens`;
}

function costText(models: readonly ModelEstimate[]): string {
  const without = models.filter(({ cost }) => cost === null).map(({ model }) => model);
  if (without.length > 0) return `not known: no price, or no tokenizer, for ${without.join(', ')}`;
  const from = sum(models, ({ cost }) => cost?.from ?? 0);
  if (models.some(({ cost }) => cost?.to === null)) return `${usd(from)} USD for the prompts, and the answers`;
  return `${usd(from)} to ${usd(sum(models, ({ cost }) => cost?.to ?? 0))} USD`;
}

function fitsText({ endpoint, parts, faults }: CheckReport): string {
  const bulk = parts === null ? null : `a bulk sends ${parts === 1 ? 'one batch' : `${number(parts)} batches`}`;
  if (endpoint === null) return bulk ?? 'nothing as it is';
  if (faults.total === 0) return 'one batch';
  return bulk === null ? 'no batch as it is' : `no single batch; ${bulk}`;
}

const sum = <T>(all: readonly T[], of: (each: T) => number): number => all.reduce((total, each) => total + of(each), 0);
const number = (value: number): string => value.toLocaleString('en-US');
const usd = (value: number): string => (value > 0 && value < 0.01 ? value.toPrecision(2) : value.toFixed(2));
