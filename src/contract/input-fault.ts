/** One fault that a check found in a spec or in a file. */
export interface InputFault {
  /** Line of the file, from 1; absent if the fault is in the spec or in the file as a whole. */
  readonly line?: number;
  /** Path of the field, such as `body.model` or `messages[2].role`. */
  readonly field?: string;
  /** What is wrong, and the limit if there is one. Never quotes the body of a request. */
  readonly message: string;
}

/** The first faults that a check found, and their total number. */
export interface FaultReport {
  /** The first of them. */
  readonly faults: InputFault[];
  /** How many there are. */
  readonly total: number;
}
