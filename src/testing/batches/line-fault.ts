/**
 * Faults of single requests in a batch. A request asks for one by its `user` field, which every endpoint's body may
 * have: `{ "user": "local-api:status=429" }`. A scenario may also put them on lines by position.
 *
 * | `user`                      | what comes of the line                                                          |
 * | --------------------------- | ------------------------------------------------------------------------------- |
 * | `local-api:status=NNN`      | in the error file, `error: null`, reason in `response.body.error`               |
 * | `local-api:status=0`        | in the error file with `status_code` 0 and an empty body                        |
 * | `local-api:no-response`     | in the error file with `response: null` and an `error`                          |
 * | `local-api:missing`         | in neither file, though it counts as completed                                  |
 * | `local-api:duplicate`       | twice in the output                                                             |
 * | `local-api:unknown-id`      | in the output under a custom_id that nobody sent                                |
 * | `local-api:null-error`      | a success whose `error` is `{ code: null, message: null }`                      |
 * | `local-api:truncated`       | a success that stopped early (`finish_reason: "length"`, `status: "incomplete"`) |
 * | `local-api:refusal`         | a success whose answer is a refusal                                             |
 * | `local-api:content-filter`  | a success that stopped on the content filter                                    |
 * | `local-api:malformed`       | a line of the output that is not JSON                                           |
 */
export type LineFault =
  | { kind: 'status'; status: number }
  | { kind: 'no-response' }
  | { kind: 'missing' }
  | { kind: 'duplicate' }
  | { kind: 'unknown-id' }
  | { kind: 'null-error' }
  | { kind: 'truncated' }
  | { kind: 'refusal' }
  | { kind: 'content-filter' }
  | { kind: 'malformed' };

/** The plain words after `local-api:`; `status=NNN` comes besides. */
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
] as const satisfies readonly LineFault['kind'][];

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

/** Whether the line ends in the error file and counts as failed. */
export function failsLine(fault: LineFault | undefined): boolean {
  return fault?.kind === 'no-response' || (fault?.kind === 'status' && (fault.status < 200 || fault.status > 299));
}
