import type OpenAI from 'openai';
import { ApiError, invalidType, missingParameter } from '../api-error.js';
import { optionalString, readObject, requiredString, type JsonObject } from '../json-body.js';
import { readMetadata } from '../metadata.js';
import type { World } from '../world.js';
import type { FineTuningOrder } from './fine-tuning-record.js';
import { readMethod } from './hyperparameters.js';

const MAX_SEED = 2_147_483_647;
const MAX_INTEGRATIONS = 5;

/** Reads and checks the body of `fineTuning.jobs.create`. @throws the API's 400s */
export function readJob(
  raw: unknown,
  world: World,
  now: number,
): Omit<FineTuningOrder, 'seed'> & { seed: number | null } {
  const body = readObject(raw);
  const model = requiredString(body, 'model');
  if (!world.limits.knowsModel(model)) {
    throw new ApiError(400, `Model ${model} is not available for fine-tuning or does not exist.`, {
      param: 'model',
      code: 'model_not_available',
    });
  }
  return {
    model,
    trainingFile: readFileId(body, 'training_file', world, now)!,
    validationFile: readFileId(body, 'validation_file', world, now),
    method: readMethod(body),
    suffix: readSuffix(body),
    seed: readSeed(body),
    integrations: readIntegrations(body),
    metadata: readMetadata(body.metadata),
  };
}

function readFileId(body: JsonObject, param: string, world: World, now: number): string | null {
  const id = param === 'training_file' ? requiredString(body, param) : optionalString(body, param);
  if (id === null) return null;
  const file = world.files.find(id, now);
  if (file === undefined) throw new ApiError(400, `invalid ${param}: ${id}`, { param });
  if (file.purpose !== 'fine-tune') {
    throw new ApiError(400, `Invalid file purpose for ${param}: '${file.purpose}'. Expected 'fine-tune'.`, {
      param,
      code: 'invalid_file_purpose',
    });
  }
  return id;
}

function readSuffix(body: JsonObject): string | null {
  const suffix = optionalString(body, 'suffix');
  if (suffix !== null && suffix.length > 64) {
    throw new ApiError(
      400,
      `Invalid 'suffix': string too long. Expected a string with maximum length 64, but got a string with length ${suffix.length} instead.`,
      { param: 'suffix', code: 'string_above_max_length' },
    );
  }
  return suffix;
}

function readSeed(body: JsonObject): number | null {
  const { seed } = body;
  if (seed === undefined || seed === null) return null;
  if (typeof seed !== 'number' || !Number.isInteger(seed)) throw invalidType('seed', 'an integer', seed);
  if (seed < 0 || seed > MAX_SEED) {
    throw new ApiError(400, `Invalid 'seed': expected an integer from 0 to ${MAX_SEED}, but got ${seed}.`, {
      param: 'seed',
      code: 'invalid_value',
    });
  }
  return seed;
}

function readIntegrations(body: JsonObject): OpenAI.FineTuning.FineTuningJobIntegration[] {
  const { integrations } = body;
  if (integrations === undefined || integrations === null) return [];
  if (!Array.isArray(integrations)) throw invalidType('integrations', 'an array', integrations);
  if (integrations.length > MAX_INTEGRATIONS) {
    throw new ApiError(400, `Invalid 'integrations': array too long. Expected at most ${MAX_INTEGRATIONS} items.`, {
      param: 'integrations',
      code: 'array_above_max_length',
    });
  }
  return (integrations as JsonObject[]).map((integration, index) => {
    const wandb = integration.wandb as OpenAI.FineTuning.FineTuningJobWandbIntegration | undefined;
    if (typeof wandb?.project !== 'string') throw missingParameter(`integrations[${index}].wandb.project`);
    return { type: 'wandb', wandb };
  });
}
