/** One source that was tried, and why it gave nothing. */
export interface Tried {
  source: string;
  reason: string;
}

/** No Temporal server could be found or fetched. The message names all that was tried, each with its reason. */
export class TemporalServerNotFound extends Error {
  override readonly name = 'TemporalServerNotFound';
  readonly tried: readonly Tried[];

  constructor(wanted: string, tried: readonly Tried[], wayOut: string) {
    const list = tried.map(({ source, reason }) => `  - ${source}: ${reason}`).join('\n');
    super(`No ${wanted}. Tried:\n${list}\n${wayOut}`);
    this.tried = tried;
  }
}
