import type OpenAI from 'openai';

/** An API object as it is on the wire: what is optional in the SDK's types is `null` there. */
type Wire<T> = { [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K] };

/** A file, as the API returns it. */
export type WireFile = OpenAI.FileObject;
/** A batch, as the API returns it. */
export type WireBatch = Wire<OpenAI.Batch>;
/** With the status `paused`, which the API returns and no enum lists. */
export type WireFineTuningJob = Omit<Wire<OpenAI.FineTuning.FineTuningJob>, 'status'> & {
  status: OpenAI.FineTuning.FineTuningJob['status'] | 'paused';
};
/** An event of a fine-tuning job, as the API returns it. */
export type WireFineTuningEvent = Wire<OpenAI.FineTuning.FineTuningJobEvent>;
/** A checkpoint, as the API returns it. */
export type WireCheckpoint = OpenAI.FineTuning.Jobs.FineTuningJobCheckpoint;

/** Epoch milliseconds as epoch seconds, in which the API sends times. */
export const epochSeconds = (ms: number): number => Math.floor(ms / 1000);
