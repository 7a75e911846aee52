/** The name that was probably meant by a misspelt one. */

/** So many letters of a name may be wrong: one in three, and at most three. */
const LETTERS_PER_SLIP = 3;
const MAX_SLIPS = 3;
/** A longer name is not compared. */
const MAX_LENGTH = 60;

/**
 * The known name that is nearest to the given one. Case, `_` and `-` do not count, since the API writes
 * `completion_window` where a spec has `completionWindow`.
 *
 * @returns undefined if none is near
 */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const given = plain(name);
  const distances = known.map((candidate) => ({ candidate, slips: slipsBetween(given, plain(candidate)) }));
  const [nearest] = distances.toSorted((a, b) => a.slips - b.slips);
  const allowed = Math.min(Math.floor(given.length / LETTERS_PER_SLIP), MAX_SLIPS);
  return nearest && nearest.slips <= allowed ? nearest.candidate : undefined;
}

const plain = (name: string): string => name.toLowerCase().replace(/[_\-\s]/g, '');

/** Letters that were left out, added, replaced, or swapped with the next one. */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
        isSwapped ? beforeLast[column - 2]! + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length]!;
}
