/** What a run may need of a provider, and how the words for it begin a sentence. */
export const NEEDS = { batches: 'batches', fineTuning: 'fine-tuning jobs', uploads: 'uploads of files' } as const;
export type Need = keyof typeof NEEDS;

/** What a provider has no API for in this dialect, each with a sentence that says what to do instead. */
export type Unsupported = Readonly<Partial<Record<Need, string | undefined>>>;

/** The first of the needs that a provider does not meet, as the end of a sentence about it; null if it meets all. */
export function unmetNeed(unsupported: Unsupported, needs: readonly Need[]): string | null {
  const need = needs.find((each) => unsupported[each] !== undefined);
  return need === undefined ? null : `has no ${NEEDS[need]} that this library can use: ${unsupported[need]}`;
}
