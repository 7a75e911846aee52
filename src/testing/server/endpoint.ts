import type { Readable } from 'node:stream';

/** The endpoints, by the names under which faults are scripted and requests are logged. */
export const OPERATIONS = [
  'files.create',
  'files.list',
  'files.retrieve',
  'files.content',
  'files.delete',
  'uploads.create',
  'uploads.addPart',
  'uploads.complete',
  'uploads.cancel',
  'batches.create',
  'batches.list',
  'batches.retrieve',
  'batches.cancel',
  'fineTuning.create',
  'fineTuning.list',
  'fineTuning.retrieve',
  'fineTuning.cancel',
  'fineTuning.pause',
  'fineTuning.resume',
  'fineTuning.events',
  'fineTuning.checkpoints',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** One request, as handlers and the predicates of fault rules see it. */
export interface ApiCall {
  readonly operation: Operation;
  readonly method: string;
  /** Path with its query. */
  readonly path: string;
  /** The object's id, for endpoints that have it in their path. */
  readonly id: string | undefined;
  /** Nested names stay flat: `metadata[key]`. */
  readonly query: Record<string, string | undefined>;
  /** The parsed JSON body; undefined for a multipart one. */
  readonly body: unknown;
  /** Lower-case names, without `authorization`. */
  readonly headers: Record<string, string | undefined>;
}

/** A call with its multipart body, which is read as a stream by the handler. */
export interface ServedCall extends ApiCall {
  readonly parts: () => AsyncIterable<BodyPart>;
}

export type BodyPart =
  | { kind: 'field'; name: string; value: string }
  | { kind: 'file'; name: string; filename: string; stream: Readable & { truncated?: boolean } };

/** What a handler answers: JSON, or bytes of a known length. */
export type Answer =
  | { status?: number; headers?: Record<string, string>; json: unknown }
  | { status?: number; headers?: Record<string, string>; bytes: number; stream: (limit?: number) => Readable };

export interface Endpoint {
  readonly operation: Operation;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path below the origin, with `:id`. */
  readonly path: string;
  readonly handle: (call: ServedCall) => Promise<Answer>;
}
