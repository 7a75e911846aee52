/** What of a failure people need: its first faults, ids to look for, and what to do next. */
import { FAILURES, type FailureType } from './failures.js';

/** How a run failed. */
export interface ShownFailure {
  readonly type: string;
  readonly message: string;
  /** The first entry of the failure's `details`. */
  readonly details: unknown;
}

export interface FailureFault {
  /** Line of the file, from 1; null where the fault names none. */
  readonly line: number | null;
  /** The field, the parameter and the code, as far as the fault names them. */
  readonly names: readonly string[];
  readonly message: string | null;
}

export interface FailureFacts {
  /** Whether the type is one of the table `FAILURES`. */
  readonly isKnown: boolean;
  /** At most the first five. */
  readonly faults: readonly FailureFault[];
  /** How many more there are. */
  readonly others: number;
  readonly ids: readonly (readonly [label: string, text: string])[];
  /** What a person may do, in a sentence; null for a type that is not known. */
  readonly next: string | null;
}

const MAX_FAULTS = 5;

type Fields = Readonly<Record<string, unknown>>;

export function factsOf({ type, details }: ShownFailure): FailureFacts {
  const fields = fieldsOf(details);
  const faults = faultsOf(fields);
  const total = typeof fields.total === 'number' ? fields.total : faults.length;
  return {
    isKnown: isFailureType(type),
    faults: faults.slice(0, MAX_FAULTS).map(faultOf),
    others: total - Math.min(faults.length, MAX_FAULTS),
    ids: IDS.flatMap(([field, label]) => (isTold(fields[field]) ? [[label, textOf(fields[field])] as const] : [])),
    next: isFailureType(type) ? FAILURES[type].next : null,
  };
}

const isFailureType = (type: string): type is FailureType => Object.hasOwn(FAILURES, type);

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

function faultOf({ line, field, param, code, message }: Fields): FailureFault {
  return {
    line: typeof line === 'number' ? line : null,
    names: [field, param, code].filter((text) => typeof text === 'string' && text !== '') as string[],
    message: typeof message === 'string' ? message : null,
  };
}

const isTold = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== '' && textOf(value) !== '{}' && textOf(value) !== '[]';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
