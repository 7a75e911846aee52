import { bounded } from '../contract/text.js';
import { StorageError } from './storage-error.js';

/** Longer URIs are refused; S3 keys end at 1,024 bytes and paths at 4,096. */
const MAX_URI = 4_096;

/** Old buckets may have capitals, underscores and up to 255 characters. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]$/i;

/** A URI that has passed every check of form. */
export interface StorageUri {
  readonly url: URL;
  readonly scheme: string;
  /** Bucket of an `s3:` URI; empty for `file:`. */
  readonly host: string;
  /** Decoded path segments, without the empty ones at either end. */
  readonly segments: readonly string[];
  /** Whether the path ends in `/`, and so names a folder. */
  readonly isFolder: boolean;
}

/** The URI as it may stand in a message: bounded, one line, and without credentials or a query, which may hold a signature. */
export function shownUri(uri: string): string {
  const plain = bounded(uri, 300)
    .replace(/\s+/g, ' ')
    .replace(/[?#].*$/, '?…');
  return plain.replace(/^([a-z][a-z0-9+.-]*:\/*)[^/\\]*@/i, '$1…@');
}

/**
 * Takes a URI apart, or refuses it with `BadUri`. The URL parser would quietly resolve `..` and `%2e%2e`, turn `\` into `/`
 * and drop tabs and newlines, so the text is judged before the parser sees it, and each segment is decoded exactly once.
 */
export function parseUri(uri: string): StorageUri {
  const refuse = (why: string): StorageError =>
    new StorageError('BadUri', shownUri(uri), `${shownUri(uri)} is not a usable URI: ${why}`);

  if (uri.length > MAX_URI) throw refuse(`it is longer than ${MAX_URI} characters`);
  if (hasControlCharacter(uri)) throw refuse('it holds a control character');
  if (/\p{Surrogate}/u.test(uri)) throw refuse('it is not valid Unicode');
  if (uri !== uri.trim()) throw refuse('it begins or ends with white space');
  if (uri.includes('\\')) throw refuse('it holds a backslash');
  if (/[?#]/.test(uri)) throw refuse('it has a query or a fragment');

  const parts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/]*))?(\/.*)?$/i.exec(uri);
  if (!parts) throw refuse('it is not of the form file:///path or s3://bucket/key');
  const scheme = parts[1]!.toLowerCase();
  const authority = parts[2] ?? '';
  const path = parts[3] ?? '';
  if (authority.includes('@')) throw refuse('it holds credentials');
  if (scheme === 'file') {
    if (authority !== '' && authority.toLowerCase() !== 'localhost') throw refuse('a file: URI names no other host');
    if (path === '') throw refuse('it has no absolute path');
  }
  if (scheme === 's3' && !BUCKET.test(authority)) throw refuse('it names no bucket');
  for (const segment of path.split('/')) checkSegment(decode(segment, refuse), refuse);

  if (!URL.canParse(uri)) throw refuse('it cannot be parsed');
  const url = new URL(uri);
  const segments = url.pathname.split('/').map((segment) => decode(segment, refuse));
  if (segments[0] === '') segments.shift();
  const isFolder = segments.length === 0 || segments.at(-1) === '';
  if (segments.at(-1) === '') segments.pop();
  return { url, scheme, host: url.host, segments, isFolder };
}

/** Whether `uri` is `root` or lies below it. Whole segments are compared, so `/data-evil` is not below `/data`. */
export function isWithin(root: StorageUri, uri: StorageUri): boolean {
  return (
    root.scheme === uri.scheme &&
    root.host === uri.host &&
    root.segments.length <= uri.segments.length &&
    root.segments.every((segment, index) => segment === uri.segments[index])
  );
}

/** Whether a name can be a segment of a URI of ours: what `list` finds must be readable again. */
export function isUsableName(name: string): boolean {
  return (
    name !== '' && name !== '.' && name !== '..' && !/[/\\]|\p{Surrogate}/u.test(name) && !hasControlCharacter(name)
  );
}

function checkSegment(segment: string, refuse: (why: string) => StorageError): void {
  if (segment === '.' || segment === '..') throw refuse("it holds a '.' or '..' segment");
  if (/[/\\]/.test(segment)) throw refuse('it holds an encoded slash or backslash');
  if (hasControlCharacter(segment)) throw refuse('it holds an encoded control character');
}

function decode(segment: string, refuse: (why: string) => StorageError): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw refuse('it has a percent sign that does not begin valid UTF-8');
  }
}

function hasControlCharacter(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /[\u0000-\u001F\u007F]/.test(text);
}
