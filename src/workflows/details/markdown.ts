/**
 * Markdown that reads well in the Temporal UI and as plain text in a terminal. Whatever comes from outside stands in a
 * code span: nothing in it is markup, nothing needs a backslash, and a person can copy it.
 */
import { bounded } from '../../contract/text.js';

/** The text as a code span of one line. */
export function code(text: string, max = 300): string {
  const line = bounded(text, max).replace(/\s+/g, ' ').replaceAll('`', "'").trim();
  return line === '' ? '(empty)' : `\`${line}\``;
}

/** A line of a list. Those without a value are left out. */
export type Row = readonly [label: string, markdown: string | null | undefined | false];

export function list(rows: readonly Row[]): string[] {
  return rows.filter(([, value]) => Boolean(value)).map(([label, value]) => `- **${label}:** ${value}`);
}

/** The number with separators, such as `1,000`. */
export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 line`, `2 lines`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

const BAR_LENGTH = 10;

/** A bar with what it shows, such as `████████░░ 812 / 1,000`. It is full only when all is done. */
export function bar(done: number, total: number): string {
  const share = total > 0 ? Math.min(Math.max(done / total, 0), 1) : 0;
  const full = Math.floor(share * BAR_LENGTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_LENGTH - full)} ${count(done)} / ${count(total)}`;
}

/**
 * When all will be done at the rate so far, in epoch seconds; null before anything is.
 *
 * @param from epoch seconds: when the work began
 * @param asOf epoch seconds: when so much was done
 */
export function expectedEnd(done: number, total: number, from: number | null, asOf: number | null): number | null {
  if (from === null || asOf === null || asOf <= from || done <= 0 || total <= done) return null;
  return Math.round(from + ((asOf - from) * total) / done);
}

/**
 * A link to the page of a job at the provider.
 *
 * @param template with `{id}`, as the spec's `link`
 */
export function link(label: string, template: string, id: string): string {
  // Brackets would end the link, and `encodeURIComponent` leaves them as they are.
  const path = encodeURIComponent(bounded(id)).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return `[${label}](${template.replaceAll('{id}', path)})`;
}
