import type OpenAI from 'openai';

/** An API object as the wire carries it: what the SDK's types call optional arrives as `null`. */
export type Wire<T> = { [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K] };

export type WireFile = OpenAI.FileObject;
export type WireBatch = Wire<OpenAI.Batch>;
/** With the status `paused`, which the API answers and no enum lists. */
export type WireFineTuningJob = Omit<Wire<OpenAI.FineTuning.FineTuningJob>, 'status'> & {
  status: OpenAI.FineTuning.FineTuningJob['status'] | 'paused';
};
export type WireFineTuningEvent = Wire<OpenAI.FineTuning.FineTuningJobEvent>;
export type WireCheckpoint = OpenAI.FineTuning.Jobs.FineTuningJobCheckpoint;

/** Epoch seconds, as the API sends times, of epoch milliseconds. */
export const epochSeconds = (ms: number): number => Math.floor(ms / 1000);
