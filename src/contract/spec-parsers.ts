/**
 * Parsers of the arguments of workflows. Workflows import nothing else that needs zod: a worker loads the workflows once
 * for all runs and freezes their modules (`preloadModules` of the bundler), which zod does not survive as a module of its
 * own. The build makes one file of this module and its imports, whose exports do not reach zod.
 */
import { parseSent } from './absent-fields.js';
import { batchSpecSchema, checkedBatchInputSchema, type CheckedBatchInput, type ParsedBatchSpec } from './batch.js';
import { bulkBatchSpecSchema, type ParsedBulkBatchSpec } from './bulk-batch.js';
import { fineTuningSpecSchema, type ParsedFineTuningSpec } from './fine-tuning.js';
import { parseSpec, type SpecParse } from './parse-spec.js';

export function parseBatchSpec(value: unknown): SpecParse<ParsedBatchSpec> {
  return parseSent(batchSpecSchema, value);
}

export function parseCheckedBatchInput(value: unknown): SpecParse<CheckedBatchInput> {
  return parseSpec(checkedBatchInputSchema, value);
}

export function parseBulkBatchSpec(value: unknown): SpecParse<ParsedBulkBatchSpec> {
  return parseSent(bulkBatchSpecSchema, value);
}

export function parseFineTuningSpec(value: unknown): SpecParse<ParsedFineTuningSpec> {
  return parseSent(fineTuningSpecSchema, value);
}
