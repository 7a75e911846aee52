import type { PartOutcome, PartWarning } from '../../contract/part.js';

/** Different warnings that are kept. Further ones are only counted. */
const MAX_KEPT = 40;

/** The warnings of all parts of a bulk batch: each once, with the first part that gave it and the number of parts. */
export class PartWarnings {
  readonly #byText: Map<string, PartWarning>;
  #dropped: number;

  constructor(kept: readonly PartWarning[], dropped: number) {
    this.#byText = new Map(kept.map((warning) => [warning.text, warning]));
    this.#dropped = dropped;
  }

  add({ round, part, warnings }: PartOutcome): void {
    for (const text of new Set(warnings)) {
      const known = this.#byText.get(text);
      if (known) this.#byText.set(text, { ...known, parts: known.parts + 1 });
      else if (this.#byText.size < MAX_KEPT) this.#byText.set(text, { text, round, part, parts: 1 });
      else this.#dropped += 1;
    }
  }

  get kept(): readonly PartWarning[] {
    return [...this.#byText.values()];
  }

  /** How many further warnings were not kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sentences for people. */
  get texts(): string[] {
    const texts = this.kept.map(({ text, round, part, parts }) => {
      const others = parts === 1 ? '' : ` (${parts} parts)`;
      return `Part ${part} of round ${round}: ${text}${others}`;
    });
    if (this.#dropped === 0) return texts;
    return [...texts, `${this.#dropped} further warnings of parts are not shown; see the runs of the parts`];
  }
}
