export {
  type BatchInputOptions,
  type BatchInputReport,
  checkBatchInput,
  countEmbeddingInputs,
} from './check-batch-input.js';
export { type Line, lineBlocks, type LineOptions, LineSplitter } from './lines.js';
