/** Text from outside, made safe to show: in a failure, in a log, in the UI's markdown. */

/** Longest text of the provider that is kept, in characters. */
const MAX_TEXT = 1_000;

/** The text without control characters and direction overrides, as well-formed Unicode, cut to a bound (in characters). */
export function bounded(text: string, max = MAX_TEXT): string {
  // eslint-disable-next-line no-control-regex
  const unwanted = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]+/g;
  const start = text.slice(0, max * 2);
  const characters = Array.from(start.replace(unwanted, ' ').toWellFormed());
  const isCut = characters.length > max || start.length < text.length;
  return isCut ? `${characters.slice(0, max - 1).join('')}…` : characters.join('');
}

/** The text as one line of plain words in markdown: nothing of it is a link (a bare address neither), an image, a list, a heading or HTML. */
export function inMarkdown(text: string, max = 300): string {
  return bounded(text, max)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]()<>#+!|~&.:@-]/g, (character) => `\\${character}`);
}
