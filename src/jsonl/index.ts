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
export { type CollectedResults, collectResults, type ResultSinks, type ResultSources } from './collect-results.js';
export { judgeResult, modelOf, type ResultOutcome, usageOf } from './judge-result.js';
export { ResultsLedger, type ResultsSummary } from './results-ledger.js';
