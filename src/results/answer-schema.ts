import { Ajv } from 'ajv';
import { invalidField } from '../contract/failures.js';
import { structuredOutput } from './structured-output.js';

/**
 * A check of answers against a JSON schema: the structured output inside the body, as the model was asked for it.
 *
 * @throws ApplicationFailure `InvalidInput` for a schema that is none
 */
export function fitsSchema(schema: Readonly<Record<string, unknown>>): (body: unknown) => boolean {
  const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false });
  try {
    const validate = ajv.compile(schema);
    if ('$async' in validate) throw new Error('a schema with $async cannot be answered at once');
    return (body) => validate(structuredOutput(body));
  } catch (error) {
    const message = `not a JSON schema: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
    throw invalidField('schema', message);
  }
}
