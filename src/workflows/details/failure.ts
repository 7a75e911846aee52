/** Why a run has failed, for its page: the type first, then the reason, the first faults, and what to do next. */
import { FAILURES, type FailureType } from '../../contract/failures.js';
import { code, count } from './markdown.js';

export interface ShownFailure {
  readonly type: string;
  readonly message: string;
  /** The first entry of the failure's `details`. */
  readonly details: unknown;
}

const MAX_FAULTS = 5;
const MAX_MESSAGE = 600;

type Fields = Readonly<Record<string, unknown>>;

export function describeFailure({ type, message, details }: ShownFailure): string[] {
  const fields = fieldsOf(details);
  const faults = faultsOf(fields);
  const total = typeof fields.total === 'number' ? fields.total : faults.length;
  const others = total - Math.min(faults.length, MAX_FAULTS);
  return [
    `**${isFailureType(type) ? type : code(type)}:** ${code(message, MAX_MESSAGE)}`,
    ...listed([
      ...faults.slice(0, MAX_FAULTS).map(describeFault),
      ...(others > 0 ? [`and ${count(others)} more, in the failure's details`] : []),
      ...IDS.flatMap(([field, label]) => (isTold(fields[field]) ? [`${label}: ${code(textOf(fields[field]))}`] : [])),
    ]),
    ...(isFailureType(type) ? ['', `**What next:** ${FAILURES[type].next}`] : []),
  ];
}

const isFailureType = (type: string): type is FailureType => Object.hasOwn(FAILURES, type);

const listed = (lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', ...lines.map((line) => `- ${line}`)];

/** Fields of details that help to find what the failure is about. */
const IDS = [
  ['requestId', "The provider's request id"],
  ['lookFor', 'To look for'],
  ['atProvider', 'Results at the provider'],
  ['known', 'Known providers'],
] as const;

/** What the details of some types list: faults of the input, or the provider's errors. */
function faultsOf({ faults, errors, error }: Fields): readonly Fields[] {
  const all = Array.isArray(faults) ? faults : Array.isArray(errors) ? errors : isTold(error) ? [error] : [];
  return all.map(fieldsOf);
}

function describeFault({ line, field, param, code: errorCode, message }: Fields): string {
  const where = [
    typeof line === 'number' ? `line ${count(line)}` : null,
    ...[field, param, errorCode].map((text) => (typeof text === 'string' && text !== '' ? code(text, 100) : null)),
  ].filter((text) => text !== null);
  const what = code(typeof message === 'string' ? message : 'no message');
  return where.length === 0 ? what : `${where.join(', ')}: ${what}`;
}

const isTold = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== '' && textOf(value) !== '{}' && textOf(value) !== '[]';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
