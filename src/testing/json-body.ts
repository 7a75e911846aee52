import { invalidType, missingParameter } from './api-error.js';

export type JsonObject = Record<string, unknown>;

/** The body of a request as an object. */
export function readObject(body: unknown): JsonObject {
  if (body === undefined || body === null) return {};
  if (typeof body !== 'object' || Array.isArray(body)) throw invalidType('body', 'an object', body);
  return body as JsonObject;
}

export function requiredString(body: JsonObject, param: string): string {
  const value = body[param];
  if (value === undefined || value === null || value === '') throw missingParameter(param);
  if (typeof value !== 'string') throw invalidType(param, 'a string', value);
  return value;
}

export function optionalString(body: JsonObject, param: string): string | null {
  return body[param] === undefined || body[param] === null ? null : requiredString(body, param);
}

/** A line of JSONL that holds an object; undefined for anything else. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
