/** One fault that a pre-flight check found in a spec or in a file. */
export interface InputFault {
  /** Line in the file, from 1; absent when the fault is in the spec or in the file as a whole. */
  readonly line?: number;
  /** Path of the field, such as `body.model` or `messages[2].role`. */
  readonly field?: string;
  /** What is wrong, and the limit where there is one. Never quotes a request's body. */
  readonly message: string;
}

/** What a pre-flight check found: the first faults in full, and how many there are in all. */
export interface FaultReport {
  readonly faults: InputFault[];
  readonly total: number;
}
