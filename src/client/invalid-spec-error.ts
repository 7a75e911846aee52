import type { FaultReport, InputFault } from '../contract/input-fault.js';

/** An invalid spec. It is thrown before a workflow is started. */
export class InvalidSpecError extends Error {
  override readonly name = 'InvalidSpecError';
  /** What is wrong, field by field: at most the first 20 faults. */
  readonly faults: readonly InputFault[];

  constructor({ faults, total }: FaultReport) {
    super(described(faults, total));
    this.faults = faults;
  }
}

/** One fault as a sentence, several as a list. */
function described(faults: readonly InputFault[], total: number): string {
  const sentences = faults.map(({ line, field, message }) => {
    const where = [line === undefined ? '' : `request ${line}`, field ?? ''].filter(Boolean).join(', ');
    return where ? `${where}: ${message}` : message;
  });
  if (total === 1) return sentences.join('');
  const more = total > faults.length ? [`and ${total - faults.length} more`] : [];
  return [`${total} faults`, ...sentences, ...more].join('\n- ');
}
