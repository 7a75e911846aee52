/**
 * What a provider writes, made safe in the one place where replies are read: keys that it echoes are replaced, control
 * characters removed, long texts and deep nesting cut. The schemas of the objects then bound what becomes part of a
 * history. Its own words for statuses are translated, too.
 */
import { bounded } from '../contract/text.js';
import { redact } from './redact.js';

export interface ReplyReading {
  readonly secrets: readonly string[];
  /** The provider's words for statuses, in lower case, and those of `contract/status.ts`. */
  readonly statusWords: Readonly<Record<string, string>>;
  /** Whether a job ends at its `expires_at`. */
  readonly expiresAtIsFinal: boolean;
}

/** Stands for a known secret. No id may contain it. */
export const REDACTED = '[redacted]';

/** Longest text that is kept, in characters. */
const MAX_TEXT = 10_000;
/** Text after `MAX_TEXT` that is read, too, so that no key is cut in two and escapes. */
const MAX_CUT = 2_000;
/** Deeper values are dropped. No object of the API is nested like that, and recursion has an end. */
const MAX_DEPTH = 32;
/** A shorter secret may be a part of a name by chance, such as `test` or `EMPTY` as the key of a local server. */
const MIN_SECRET_IN_NAME = 8;
/** Metadata of a job is not deeper: a list holds an array of jobs. */
const METADATA_DEPTH = 2;

/**
 * Fields that name something, such as ids and models. A name must stay what it is, even where it looks like a key by
 * chance (`ft:gpt:acme:key-extractor:1`), so only known secrets are replaced in it. The schemas bound and check names.
 */
const NAMES =
  /(?:^|_)ids?$|^(?:object|purpose|endpoint|filename|model|fine_tuned_model(?:_checkpoint)?|(?:training|validation)_file|result_files)$/;

// oxlint-disable-next-line no-control-regex
const UNWANTED = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/;

/** Cleans a parsed reply, in place. Metadata is the user's and is left as it is: the key of a job stands in it. */
export function cleanReply(value: unknown, reading: ReplyReading): unknown {
  return clean(value, '', 0, reading);
}

function clean(value: unknown, name: string, depth: number, reading: ReplyReading): unknown {
  if (typeof value === 'string') return cleanText(value, name, reading.secrets);
  if (value === null || typeof value !== 'object') return value;
  if (depth >= MAX_DEPTH) return null;
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) value[index] = clean(entry, name, depth + 1, reading);
    return value;
  }
  const record = value as Record<string, unknown>;
  for (const [key, field] of Object.entries(record)) {
    // As an own field it would become the prototype of a copy.
    if (key === '__proto__') delete record[key];
    else if (key !== 'metadata' || depth > METADATA_DEPTH) record[key] = clean(field, key, depth + 1, reading);
  }
  translateJob(record, reading);
  return record;
}

/** Files have statuses, too, and other words for them. */
function translateJob(record: Record<string, unknown>, { statusWords, expiresAtIsFinal }: ReplyReading): void {
  if (typeof record.status !== 'string' || 'bytes' in record || 'filename' in record || 'purpose' in record) return;
  const word = record.status.trim().toLowerCase();
  if (Object.hasOwn(statusWords, word)) record.status = statusWords[word];
  if (!expiresAtIsFinal) delete record.expires_at;
}

function cleanText(text: string, name: string, secrets: readonly string[]): string {
  if (NAMES.test(name)) {
    return secrets.reduce(
      (known, secret) => (secret.length >= MIN_SECRET_IN_NAME ? known.replaceAll(secret, REDACTED) : known),
      text,
    );
  }
  const redacted = redact(text.slice(0, MAX_TEXT + MAX_CUT), secrets);
  const isFine = redacted.length <= MAX_TEXT && redacted.isWellFormed() && !UNWANTED.test(redacted);
  return isFine ? redacted : bounded(redacted, MAX_TEXT);
}
