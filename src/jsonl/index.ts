export {
  type BatchInputOptions,
  type BatchInputReport,
  checkBatchInput,
  countEmbeddingInputs,
} from './check-batch-input.js';
export {
  checkTrainingFile,
  type TrainingFileOptions,
  type TrainingFileReport,
  type TrainingLimits,
} from './check-training-file.js';
export { type Line, lineBlocks, type LineOptions, LineSplitter } from './lines.js';
