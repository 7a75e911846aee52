/** A Temporal server on a developer's machine: found, fetched and started. */
export { findTemporalCli, findTimeSkippingServer } from './find.js';
export type { FindOptions, FoundBinary } from './find.js';
export { TemporalServerNotFound, type Tried } from './not-found.js';
export { plainProgress, spinnerProgress, type Progress, type ShowProgress } from './progress.js';
export type { TemporalSource } from './source.js';
export { startDevServer, type DevServer, type DevServerOptions } from './start.js';
export { startTimeSkippingServer, type TimeSkippingServerOptions } from './time-skipping.js';
