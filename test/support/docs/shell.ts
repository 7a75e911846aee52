/** The commands in a shell block or a code span of the docs. */

export interface ShellCommand {
  /** The words of the command, without variables before it and redirections after it. */
  readonly words: readonly string[];
  /** As it stands in the docs. */
  readonly source: string;
}

/** All commands of a script: those of a pipe and those joined by `&&` are commands of their own. */
export function commandsIn(script: string): ShellCommand[] {
  const lines = script.replaceAll(/\\\n\s*/g, ' ').split('\n');
  return lines.flatMap((line) =>
    tokensOf(line).map((words) => ({ words: withoutVariables(words), source: line.trim() })),
  );
}

/** A token of one alternative each: blanks, a comment, an operator, a quoted or a plain piece of a word. */
const TOKEN = /(\s+)|(#.*$)|(&&|\|\||[|;&]|\d?>>?&?|<)|'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"|;&<>]+)/g;

/** The commands of a line as lists of words. */
function tokensOf(line: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | null = null;
  let isRedirection = false;
  const endWord = () => {
    if (word !== null && !isRedirection) commands.at(-1)?.push(word);
    if (word !== null) isRedirection = false;
    word = null;
  };
  for (const [, blank, comment, operator, single, double, plain] of line.matchAll(TOKEN)) {
    if (comment !== undefined && word === null) break;
    if (blank !== undefined || operator !== undefined) endWord();
    if (operator !== undefined && /[<>]/.test(operator)) isRedirection = true;
    else if (operator !== undefined) commands.push([]);
    const piece = single ?? double ?? plain ?? comment;
    if (piece !== undefined) word = (word ?? '') + piece;
  }
  endWord();
  return commands.filter((words) => words.length > 0);
}

function withoutVariables(words: readonly string[]): string[] {
  const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
  return first < 0 ? [] : words.slice(first);
}
