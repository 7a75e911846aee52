/** Keeps secrets in the worker: a key that a provider echoes must not reach a failure, a log or the UI. */

/** Shapes of keys. They also catch keys of other clients, which are not among the known secrets. */
const KEY_SHAPES = [
  /\b(?:sk|pk|rk|gsk|ak|key|whsec)[-_][A-Za-z0-9_\-*.]{6,}/g,
  /\bBearer\s+[^\s"',;}]+/gi,
  /\b(?:authorization|api[-_]?key)["']?\s*[:=]\s*["']?(?:Basic\s+)?[^\s"',;}]+/gi,
  // User information in a URL. The password may contain an "@".
  /(?<=:\/\/)[^\s/]+@/g,
];

/** The text with every known secret, and everything that looks like a key, replaced by `[redacted]`. */
export function redact(text: string, secrets: readonly string[]): string {
  // The longest secret is replaced first, since one secret may begin with another.
  const longestFirst = secrets.toSorted((a, b) => b.length - a.length);
  const known = longestFirst.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text);
  return KEY_SHAPES.reduce((clean, shape) => clean.replace(shape, '[redacted]'), known);
}
