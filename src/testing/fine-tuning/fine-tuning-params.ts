import type OpenAI from 'openai';
import { ApiError, checkLength, invalidType, missingParameter } from '../api-error.js';
import type { ApiState } from '../api-state.js';
import { isObject, optionalString, readMetadata, readObject, requiredString, type JsonObject } from '../body-params.js';
import { MAX_TRAINING_SEED, type FineTuningParams } from './fine-tuning-record.js';
import { readMethod } from './hyperparameters.js';

const MAX_INTEGRATIONS = 5;
const MAX_SUFFIX_LENGTH = 64;

/** Reads and checks the body of `fineTuning.jobs.create`. @throws the API's 400s */
export function readFineTuningParams(rawBody: unknown, state: ApiState, now: number): FineTuningParams {
  const body = readObject(rawBody);
  const model = requiredString(body, 'model');
  if (!state.limits.knowsModel(model)) {
    throw new ApiError(400, `Model ${model} is not available for fine-tuning or does not exist.`, {
      param: 'model',
      code: 'model_not_available',
    });
  }
  const trainingFile = requiredString(body, 'training_file');
  checkFile('training_file', trainingFile, state, now);
  const validationFile = optionalString(body, 'validation_file');
  if (validationFile !== null) checkFile('validation_file', validationFile, state, now);
  return {
    model,
    trainingFile,
    validationFile,
    method: readMethod(body),
    suffix: readSuffix(body),
    seed: readSeed(body),
    integrations: readIntegrations(body),
    metadata: readMetadata(body),
  };
}

function checkFile(param: string, id: string, { files }: ApiState, now: number): void {
  const file = files.findAvailable(id, now);
  if (file === undefined) throw new ApiError(400, `invalid ${param}: ${id}`, { param });
  if (file.purpose !== 'fine-tune') {
    throw new ApiError(400, `Invalid file purpose for ${param}: '${file.purpose}'. Expected 'fine-tune'.`, {
      param,
      code: 'invalid_file_purpose',
    });
  }
}

function readSuffix(body: JsonObject): string | null {
  const suffix = optionalString(body, 'suffix');
  if (suffix !== null) checkLength('suffix', suffix.length, MAX_SUFFIX_LENGTH);
  return suffix;
}

function readSeed({ seed }: JsonObject): number | null {
  if (seed === undefined || seed === null) return null;
  if (typeof seed !== 'number' || !Number.isInteger(seed)) throw invalidType('seed', 'an integer', seed);
  if (seed < 0 || seed > MAX_TRAINING_SEED) {
    throw new ApiError(400, `Invalid 'seed': expected an integer from 0 to ${MAX_TRAINING_SEED}, but got ${seed}.`, {
      param: 'seed',
      code: 'invalid_value',
    });
  }
  return seed;
}

function readIntegrations({ integrations }: JsonObject): OpenAI.FineTuning.FineTuningJobIntegration[] {
  if (integrations === undefined || integrations === null) return [];
  if (!Array.isArray(integrations)) throw invalidType('integrations', 'an array', integrations);
  if (integrations.length > MAX_INTEGRATIONS) {
    throw new ApiError(400, `Invalid 'integrations': array too long. Expected at most ${MAX_INTEGRATIONS} items.`, {
      param: 'integrations',
      code: 'array_above_max_length',
    });
  }
  return integrations.map((integration: unknown, index) => {
    const wandb = isObject(integration) ? integration.wandb : undefined;
    if (!hasProject(wandb)) throw missingParameter(`integrations[${index}].wandb.project`);
    return { type: 'wandb', wandb };
  });
}

function hasProject(wandb: unknown): wandb is OpenAI.FineTuning.FineTuningJobWandbIntegration {
  return isObject(wandb) && typeof wandb.project === 'string';
}
