import { readFile } from 'node:fs/promises';
import { CommandError, EXIT_CODES } from './io.js';

/** The object in a JSON file that an option names. @throws CommandError if there is none */
export async function jsonFile(option: string, path: string): Promise<object> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    throw new Error('not an object');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const next = 'It must be a file with a JSON object.';
    throw new CommandError(EXIT_CODES.usage, `${option} ${path}: ${reason}`, next, error);
  }
}
