import { Ajv, type Options } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { StructuredOutputPlace } from '../contract/bulk-batch.js';
import { invalidField } from '../contract/failures.js';
import { structuredOutput } from './structured-output.js';

const OPTIONS: Options = { strict: false, allErrors: false, validateFormats: false };

/** How an answer relates to a schema; `noText` if there is nothing to check where the schema looks. */
export type SchemaFit = 'fits' | 'mismatched' | 'noText';

/**
 * Makes a function that checks the structured output in the body of an answer against a JSON schema. It is in a file
 * apart from `structuredOutput`, so that applications which read results do not load Ajv.
 *
 * @throws ApplicationFailure `InvalidInput` for an invalid schema
 */
export function fitsSchema(
  schema: Readonly<Record<string, unknown>>,
  place: StructuredOutputPlace,
): (body: unknown) => SchemaFit {
  try {
    const validate = validatorFor(schema).compile(schema);
    if ('$async' in validate) throw new Error('`$async` schemas are not supported');
    return (body) => {
      const output = structuredOutput(body, place);
      if (!output.found) return 'noText';
      // A text that is not JSON has no value, and schemas without a `type` would accept that.
      return output.value !== undefined && isValid(validate, output.value) ? 'fits' : 'mismatched';
    };
  } catch (error) {
    const message = `invalid JSON schema: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
    throw invalidField('schema', message);
  }
}

/**
 * By the draft that the schema names. One that names none is read as the current one, 2020-12: an older draft would
 * ignore `prefixItems` and so accept what does not fit.
 */
function validatorFor({ $schema }: Readonly<Record<string, unknown>>): Ajv {
  if (typeof $schema !== 'string' || $schema.includes('draft/2020-12')) return new Ajv2020(OPTIONS);
  return $schema.includes('draft/2019-09') ? new Ajv2019(OPTIONS) : new Ajv(OPTIONS);
}

/** A value that is nested too deeply for a recursive schema does not fit. */
function isValid(validate: (value: unknown) => unknown, value: unknown): boolean {
  try {
    return validate(value) === true;
  } catch {
    return false;
  }
}
