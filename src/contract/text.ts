/** Makes text from outside safe to show in a failure, a log or the markdown of the UI. */

/** Longest text of a provider that is kept, in characters. */
const MAX_TEXT_LENGTH = 1_000;

/** The text without control characters and direction overrides, as well-formed Unicode of at most `max` characters. */
export function bounded(text: string, max = MAX_TEXT_LENGTH): string {
  // oxlint-disable-next-line no-control-regex
  const unwanted = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]+/g;
  const start = text.slice(0, max * 2);
  const characters = Array.from(start.replace(unwanted, ' ').toWellFormed());
  const isCut = characters.length > max || start.length < text.length;
  return isCut ? `${characters.slice(0, max - 1).join('')}…` : characters.join('');
}

/**
 * The text as one line of plain text in markdown. No part of it is a link (not even a bare address), an image, a list,
 * a heading or HTML.
 */
export function inMarkdown(text: string, max = 300): string {
  return bounded(text, max)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]()<>#+!|~&.:@-]/g, (character) => `\\${character}`);
}

/** The server refuses a workflow task with a longer summary, in bytes. */
const MAX_SUMMARY_BYTES = 400;

/** The text as the summary of a run, which the UI shows as markdown: one line, as {@link inMarkdown} makes it. */
export function inSummary(text: string, max = 200): string {
  return withinSummary((length) => inMarkdown(text, length), max);
}

/** The text as the summary of an activity, which the UI shows as it is: one line. */
export function inPlainSummary(text: string, max = 200): string {
  return withinSummary((length) => bounded(text, length).replace(/\s+/g, ' '), max);
}

function withinSummary(ofLength: (length: number) => string, max: number): string {
  for (let length = max; ; length = Math.floor(length * 0.8)) {
    const summary = ofLength(length);
    if (bytesOf(summary) <= MAX_SUMMARY_BYTES) return summary;
  }
}

/** Bytes in UTF-8. The sandbox of workflows has no `Buffer`. */
function bytesOf(text: string): number {
  return Array.from(text).reduce((bytes, character) => bytes + utf8Bytes(character.codePointAt(0)!), 0);
}

function utf8Bytes(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_0000 ? 3 : 4;
}
