/** Text from outside, made safe to show: in a failure, in a log, in the UI's markdown. */

/** Longest text of the provider that is kept, in characters. */
const MAX_TEXT = 1_000;

/** The text without control characters, cut to a bound. */
export function bounded(text: string, max = MAX_TEXT): string {
  // eslint-disable-next-line no-control-regex
  const plain = text.slice(0, max * 2).replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029]+/g, ' ');
  const characters = Array.from(plain);
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : plain.toWellFormed();
}

/** The text as one line of plain words in markdown: nothing of it is a link, an image, a heading or HTML. */
export function inMarkdown(text: string, max = 300): string {
  return bounded(text, max)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]()<>#+!|~&-]/g, (character) => `\\${character}`);
}
