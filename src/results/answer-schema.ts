import { Ajv } from 'ajv';
import { invalidField } from '../contract/failures.js';
import { structuredOutput } from './structured-output.js';

/**
 * Makes a function that checks the structured output in the body of an answer against a JSON schema. It is in a file
 * apart from `structuredOutput`, so that applications which read results do not load Ajv.
 *
 * @throws ApplicationFailure `InvalidInput` for an invalid schema
 */
export function fitsSchema(schema: Readonly<Record<string, unknown>>): (body: unknown) => boolean {
  const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false });
  try {
    const validate = ajv.compile(schema);
    if ('$async' in validate) throw new Error('`$async` schemas are not supported');
    return (body) => validate(structuredOutput(body));
  } catch (error) {
    const message = `invalid JSON schema: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
    throw invalidField('schema', message);
  }
}
