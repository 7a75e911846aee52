export class FineTuningStore {
  async settle(_now: number): Promise<void> {}
}
