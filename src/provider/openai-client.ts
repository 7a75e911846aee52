/**
 * The part of the `openai` package's client that this library uses, as a structural type.
 *
 * Public options take this type instead of `OpenAI`: the package declares its class once for `import` and once for
 * `require`, both with `#private` fields, so TypeScript regards a client of a CommonJS project as another class than
 * the one this (ESM) package refers to.
 */
export interface OpenAIClient {
  readonly apiKey: string | null;
  /** Milliseconds. */
  readonly timeout: number;
  readonly batches: {
    create(body: object): PromiseLike<unknown>;
    retrieve(batchId: string): PromiseLike<unknown>;
    cancel(batchId: string): PromiseLike<unknown>;
  };
  readonly files: {
    retrieve(fileId: string): PromiseLike<unknown>;
    content(fileId: string, options?: object): PromiseLike<unknown>;
    delete(fileId: string): PromiseLike<unknown>;
  };
  readonly fineTuning: {
    readonly jobs: {
      create(body: object): PromiseLike<unknown>;
      retrieve(fineTuningJobId: string): PromiseLike<unknown>;
      cancel(fineTuningJobId: string): PromiseLike<unknown>;
      pause(fineTuningJobId: string): PromiseLike<unknown>;
      resume(fineTuningJobId: string): PromiseLike<unknown>;
    };
  };
  get(path: string, options?: { readonly query?: object }): PromiseLike<unknown>;
  post(path: string, options?: object): PromiseLike<unknown>;
  withOptions(options: {
    readonly maxRetries: number;
    readonly timeout: number;
    readonly fetch: typeof fetch;
  }): OpenAIClient;
}
