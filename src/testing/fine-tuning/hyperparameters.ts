import type OpenAI from 'openai';
import { ApiError, invalidType, invalidValue, missingParameter } from '../api-error.js';
import { isObject, type JsonObject } from '../body-params.js';

type FineTuningMethod = OpenAI.FineTuning.FineTuningJob.Method;
export type MethodType = FineTuningMethod['type'];

const METHOD_TYPES = ['supervised', 'dpo', 'reinforcement'] as const;

/** The hyperparameters of each method that are numbers or `auto`. */
const NUMBER_NAMES: Record<MethodType, readonly string[]> = {
  supervised: ['n_epochs', 'batch_size', 'learning_rate_multiplier'],
  dpo: ['n_epochs', 'batch_size', 'learning_rate_multiplier', 'beta'],
  reinforcement: [
    'n_epochs',
    'batch_size',
    'learning_rate_multiplier',
    'compute_multiplier',
    'eval_interval',
    'eval_samples',
  ],
};

/** A method with all its hyperparameters, which are `auto` until the files are checked. */
export interface MethodChoice {
  readonly type: MethodType;
  readonly hyperparameters: Record<string, number | string>;
  readonly grader: unknown;
}

/** Reads `method`, or the deprecated top-level `hyperparameters`. */
export function readMethod({ method, hyperparameters }: JsonObject): MethodChoice {
  if (method === undefined || method === null) {
    return readChoice('supervised', { hyperparameters }, 'hyperparameters');
  }
  if (!isObject(method)) throw invalidType('method', 'an object', method);
  if (method.type === undefined) throw missingParameter('method.type');
  const type = METHOD_TYPES.find((name) => name === method.type);
  if (type === undefined) throw invalidValue('method.type', method.type, METHOD_TYPES);
  const settings = isObject(method[type]) ? method[type] : {};
  if (type === 'reinforcement' && settings.grader === undefined) {
    throw missingParameter('method.reinforcement.grader');
  }
  return readChoice(type, settings, `method.${type}.hyperparameters`);
}

const MAX_EPOCHS = 50;

function readChoice(type: MethodType, { hyperparameters, grader }: JsonObject, param: string): MethodChoice {
  const given = isObject(hyperparameters) ? hyperparameters : {};
  const entries = NUMBER_NAMES[type].map((name): [string, number | string] => {
    const value = given[name] ?? 'auto';
    if (value !== 'auto' && typeof value !== 'number') throw invalidType(`${param}.${name}`, 'a number', value);
    if (name === 'n_epochs' && value !== 'auto') checkEpochs(`${param}.n_epochs`, value);
    return [name, value];
  });
  if (type === 'reinforcement') {
    const effort = given.reasoning_effort ?? 'default';
    if (typeof effort !== 'string') throw invalidType(`${param}.reasoning_effort`, 'a string', effort);
    entries.push(['reasoning_effort', effort]);
  }
  return { type, hyperparameters: Object.fromEntries(entries), grader };
}

function checkEpochs(param: string, epochs: number): void {
  if (Number.isInteger(epochs) && epochs >= 1 && epochs <= MAX_EPOCHS) return;
  throw new ApiError(400, `Invalid '${param}': expected an integer from 1 to ${MAX_EPOCHS}, but got ${epochs}.`, {
    param,
    code: 'invalid_value',
  });
}

/** The choice with a number for every `auto`, which the API sets once it has checked the files. */
export function resolveAuto(method: MethodChoice, examples: number): MethodChoice {
  const defaults: Record<string, number> = {
    n_epochs: examples < 100 ? 3 : 2,
    batch_size: Math.max(1, Math.min(256, Math.floor(examples * 0.002))),
    learning_rate_multiplier: 1.8,
    beta: 0.1,
    compute_multiplier: 1,
    eval_interval: 5,
    eval_samples: 2,
  };
  const entries = Object.entries(method.hyperparameters).map(
    ([name, value]) => [name, value === 'auto' ? (defaults[name] ?? value) : value] as const,
  );
  return { ...method, hyperparameters: Object.fromEntries(entries) };
}

/** The `method` of the fine-tuning job object. */
export function methodObject({ type, hyperparameters, grader }: MethodChoice): FineTuningMethod {
  const settings = { hyperparameters, ...(type === 'reinforcement' ? { grader } : {}) };
  return { type, [type]: settings };
}

/** The deprecated top-level `hyperparameters` of the fine-tuning job object. */
export function topLevelHyperparameters({ hyperparameters }: MethodChoice) {
  const { n_epochs, batch_size, learning_rate_multiplier } = hyperparameters;
  return { n_epochs, batch_size, learning_rate_multiplier } as OpenAI.FineTuning.FineTuningJob.Hyperparameters;
}

export function trainingSteps({ hyperparameters }: MethodChoice, examples: number): { steps: number; epochs: number } {
  const epochs = Number(hyperparameters.n_epochs);
  return { epochs, steps: Math.max(1, Math.ceil(examples / Number(hyperparameters.batch_size))) * epochs };
}
