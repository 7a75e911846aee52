/**
 * Repeatable randomness. Every draw is fixed by the seed and by what it is for, so it depends neither on the order of
 * requests nor on the clock.
 */

/** A source of numbers in [0, 1), fixed by its keys. */
export function randomFor(...keys: readonly (string | number)[]): () => number {
  let state = hash(keys.join('\u0000'));
  // The algorithm is mulberry32, which is small, fast and good enough for jitter and shuffles.
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** FNV-1a over the UTF-16 units, with a final mix that spreads similar strings. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 0 … `count` - 1 in random order. */
export function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

export function randomItem<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}

/** `ms` varied by up to `share` of it in both directions, in whole milliseconds. */
export function jittered(ms: number, share: number, random: () => number): number {
  return Math.max(0, Math.round(ms * (1 + share * (2 * random() - 1))));
}

const HEX = '0123456789abcdef';
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const hexId = (length: number, random: () => number): string => randomText(HEX, length, random);
export const alphanumericId = (length: number, random: () => number): string =>
  randomText(ALPHANUMERIC, length, random);

function randomText(alphabet: string, length: number, random: () => number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += alphabet[Math.floor(random() * alphabet.length)];
  return text;
}
