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
  'webhooks.create',
  'webhooks.list',
  'webhooks.retrieve',
  'webhooks.update',
  'webhooks.delete',
  'webhooks.rotateSecret',
  'webhooks.test',
  'webhooks.eventTypes',
] as const;
/** An operation of the API, by its name in the SDK. */
export type Operation = (typeof OPERATIONS)[number];

/** One request, as endpoints and the predicates of fault rules see it. */
export interface ApiCall {
  readonly operation: Operation;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** The object's id, for endpoints that have one in their path. */
  readonly id: string | undefined;
  /** Nested names stay flat: `metadata[key]`. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The parsed JSON body; undefined for a multipart body. */
  readonly body: unknown;
  /** Lower-case names, without `authorization`. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** A call with its multipart body, which the endpoint reads as a stream. */
export interface ServedCall extends ApiCall {
  readonly parts: () => AsyncIterable<BodyPart>;
}

export type BodyPart =
  | { readonly kind: 'field'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly filename: string;
      readonly stream: Readable & { readonly truncated?: boolean };
    };

interface AnswerHead {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an endpoint answers: JSON, or bytes of a known length. */
export type Answer =
  | (AnswerHead & { readonly json: unknown })
  | (AnswerHead & { readonly bytes: number; readonly stream: (limit?: number) => Readable });

export interface Route {
  readonly operation: Operation;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path below the origin, with `:id`. */
  readonly path: string;
}

export interface Endpoint extends Route {
  readonly handle: (call: ServedCall) => Promise<Answer>;
}
