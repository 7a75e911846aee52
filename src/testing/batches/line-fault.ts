/**
 * Faults of single requests in a batch. A request asks for one by its `user` field, which every endpoint's body may
 * have: `{ "user": "local-api:status=429" }`. A scenario can also set them by the line's position.
 *
 * | `user`                      | the result                                                                       |
 * | --------------------------- | -------------------------------------------------------------------------------- |
 * | `local-api:status=NNN`      | in the error file with `error: null`; the reason is in `response.body.error`     |
 * | `local-api:status=0`        | in the error file with `status_code` 0 and an empty body                         |
 * | `local-api:no-response`     | in the error file with `response: null` and an `error`                           |
 * | `local-api:missing`         | in neither file, though it counts as completed                                   |
 * | `local-api:duplicate`       | twice in the output                                                              |
 * | `local-api:unknown-id`      | in the output under a custom_id that the input does not have                     |
 * | `local-api:null-error`      | a success whose `error` is `{ code: null, message: null }`                       |
 * | `local-api:truncated`       | a success that stopped early (`finish_reason: "length"`, `status: "incomplete"`) |
 * | `local-api:refusal`         | a success whose answer is a refusal                                              |
 * | `local-api:content-filter`  | a success that the content filter stopped                                        |
 * | `local-api:malformed`       | a line of the output that is not JSON                                            |
 * | `local-api:error-in-200`    | in the output, with status 200 and a body that is an error                       |
 * | `local-api:null-body`       | in the output, with status 200 and a body that is null                           |
 * | `local-api:no-wrapper`      | a success with the body itself in the place of `response`                        |
 * | `local-api:null-id`         | a success whose `custom_id` is null                                              |
 * | `local-api:no-credit`       | in the error file with status 429 and the code `insufficient_quota`              |
 */
export type LineFault =
  { readonly kind: 'status'; readonly status: number } | { readonly kind: (typeof LINE_FAULTS)[number] };

/** All faults except `status=NNN`. */
export const LINE_FAULTS = [
  'no-response',
  'missing',
  'duplicate',
  'unknown-id',
  'null-error',
  'truncated',
  'refusal',
  'content-filter',
  'malformed',
  'error-in-200',
  'null-body',
  'no-wrapper',
  'null-id',
  'no-credit',
] as const;

const PREFIX = 'local-api:';

/** Reads the `user` field of a request's body. */
export function lineFaultOf(user: unknown): LineFault | undefined {
  if (typeof user !== 'string' || !user.startsWith(PREFIX)) return undefined;
  const word = user.slice(PREFIX.length);
  const status = /^status=(\d{1,3})$/u.exec(word);
  if (status !== null) return { kind: 'status', status: Number(status[1]) };
  const kind = LINE_FAULTS.find((name) => name === word);
  return kind === undefined ? undefined : { kind };
}

/** Whether the line is written to the error file and counts as failed. */
export function failsLine(fault: LineFault | undefined): boolean {
  if (fault?.kind === 'no-response' || fault?.kind === 'no-credit') return true;
  return fault?.kind === 'status' && (fault.status < 200 || fault.status > 299);
}
