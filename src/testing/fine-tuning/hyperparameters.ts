import type OpenAI from 'openai';
import { ApiError, invalidType, invalidValue, missingParameter } from '../api-error.js';
import type { JsonObject } from '../json-body.js';

export type FineTuningMethod = OpenAI.FineTuning.FineTuningJob.Method;
export type MethodType = FineTuningMethod['type'];

const METHOD_TYPES = ['supervised', 'dpo', 'reinforcement'] as const;

/** Names that may be numbers or `auto`, for each method. */
const NAMES: Record<MethodType, readonly string[]> = {
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

/** A method with every hyperparameter set: `auto` until the files are checked, then numbers (or an effort's name). */
export interface MethodChoice {
  readonly type: MethodType;
  readonly hyperparameters: Record<string, number | string>;
  readonly grader: unknown;
}

/** Reads `method`, or the deprecated top-level `hyperparameters`. */
export function readMethod(body: JsonObject): MethodChoice {
  const method = body.method;
  if (method === undefined || method === null) {
    return choice('supervised', (body.hyperparameters ?? {}) as JsonObject, undefined, 'hyperparameters');
  }
  if (typeof method !== 'object') throw invalidType('method', 'an object', method);
  const { type } = method as JsonObject;
  if (type === undefined) throw missingParameter('method.type');
  const known = METHOD_TYPES.find((name) => name === type);
  if (known === undefined) throw invalidValue('method.type', type, METHOD_TYPES);
  const settings = ((method as JsonObject)[known] ?? {}) as JsonObject;
  if (known === 'reinforcement' && settings.grader === undefined) {
    throw missingParameter('method.reinforcement.grader');
  }
  const given = (settings.hyperparameters ?? {}) as JsonObject;
  return choice(known, given, settings.grader, `method.${known}.hyperparameters`);
}

function choice(type: MethodType, given: JsonObject, grader: unknown, param: string): MethodChoice {
  const hyperparameters: MethodChoice['hyperparameters'] = {};
  for (const name of NAMES[type]) {
    const value = given[name] ?? 'auto';
    if (value !== 'auto' && typeof value !== 'number') throw invalidType(`${param}.${name}`, 'a number', value);
    if (name === 'n_epochs' && value !== 'auto' && (!Number.isInteger(value) || value < 1 || value > 50)) {
      throw new ApiError(400, `Invalid '${param}.n_epochs': expected an integer from 1 to 50, but got ${value}.`, {
        param: `${param}.n_epochs`,
        code: 'invalid_value',
      });
    }
    hyperparameters[name] = value;
  }
  if (type === 'reinforcement') {
    const effort = given.reasoning_effort ?? 'default';
    if (typeof effort !== 'string') throw invalidType(`${param}.reasoning_effort`, 'a string', effort);
    hyperparameters.reasoning_effort = effort;
  }
  return { type, hyperparameters, grader };
}

/** The choice with numbers for every `auto`, as the API picks them once it knows the files. */
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

/** The `method` of the job object. */
export function methodObject({ type, hyperparameters, grader }: MethodChoice): FineTuningMethod {
  const settings = { hyperparameters, ...(type === 'reinforcement' ? { grader } : {}) };
  return { type, [type]: settings };
}

/** The deprecated top-level `hyperparameters` of the job object. */
export function topLevelHyperparameters({ hyperparameters }: MethodChoice) {
  const { n_epochs, batch_size, learning_rate_multiplier } = hyperparameters;
  return { n_epochs, batch_size, learning_rate_multiplier } as OpenAI.FineTuning.FineTuningJob.Hyperparameters;
}

/** Steps of the training. */
export function trainingSteps({ hyperparameters }: MethodChoice, examples: number): { steps: number; epochs: number } {
  const epochs = Number(hyperparameters.n_epochs);
  return { epochs, steps: Math.max(1, Math.ceil(examples / Number(hyperparameters.batch_size))) * epochs };
}
