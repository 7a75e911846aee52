import { bounded } from '../contract/text.js';
import { StorageError } from './storage-error.js';

/** Linux limits paths to 4,096 bytes, S3 limits keys to 1,024. */
const MAX_URI_LENGTH = 4_096;

/** Names of old buckets may contain capitals and underscores and have up to 255 characters. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]$/i;

/** A URI that {@link parseUri} accepted. */
export interface StorageUri {
  readonly url: URL;
  readonly scheme: string;
  /** Bucket of an `s3:` URI; empty for `file:`. */
  readonly host: string;
  /** Decoded segments of the path, without empty ones at its ends. */
  readonly segments: readonly string[];
  /** Whether the path is that of a folder: it ends in `/`. */
  readonly isFolder: boolean;
}

/**
 * The URI for messages: bounded, one line, without credentials and without the query, which may contain a signature.
 */
export function shownUri(uri: string): string {
  const plain = bounded(uri, 300)
    .replace(/\s+/g, ' ')
    .replace(/[?#].*$/, '?…');
  return plain.replace(/^([a-z][a-z0-9+.-]*:\/*)[^/\\]*@/i, '$1…@');
}

/**
 * Parses and checks a URI. The URL parser would silently resolve `..` and `%2e%2e`, turn `\` into `/` and drop tabs and
 * newlines, so the text is checked before it is parsed, and each segment is decoded exactly once.
 *
 * @throws StorageError `BadUri`
 */
export function parseUri(uri: string): StorageUri {
  const refuse = (reason: string): StorageError =>
    new StorageError('BadUri', shownUri(uri), `invalid URI ${shownUri(uri)}: ${reason}`);

  if (uri.length > MAX_URI_LENGTH) throw refuse(`it is longer than ${MAX_URI_LENGTH} characters`);
  if (hasControlCharacter(uri)) throw refuse('it contains a control character');
  if (/\p{Surrogate}/u.test(uri)) throw refuse('it is not valid Unicode');
  if (uri !== uri.trim()) throw refuse('it begins or ends with whitespace');
  if (uri.includes('\\')) throw refuse('it contains a backslash');
  if (/[?#]/.test(uri)) throw refuse('it has a query or a fragment');

  const parts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/]*))?(\/.*)?$/i.exec(uri);
  if (!parts) throw refuse('the form must be file:///path or s3://bucket/key');
  const scheme = parts[1]!.toLowerCase();
  const authority = parts[2] ?? '';
  const path = parts[3] ?? '';
  if (authority.includes('@')) throw refuse('it contains credentials');
  if (scheme === 'file') {
    if (authority !== '' && authority.toLowerCase() !== 'localhost') throw refuse('a file: URI cannot have a host');
    if (path === '') throw refuse('the path must be absolute');
  }
  if (scheme === 's3' && !BUCKET.test(authority)) throw refuse('it has no valid bucket name');
  for (const segment of path.split('/')) checkSegment(decode(segment, refuse), refuse);

  if (!URL.canParse(uri)) throw refuse('it cannot be parsed');
  const url = new URL(uri);
  if (scheme === 'file') url.pathname = withPlainDrive(url.pathname);
  const segments = url.pathname.split('/').map((segment) => decode(segment, refuse));
  if (segments[0] === '') segments.shift();
  const isFolder = segments.length === 0 || segments.at(-1) === '';
  if (segments.at(-1) === '') segments.pop();
  return { url, scheme, host: url.host, segments, isFolder };
}

/** Whether `uri` is `root` or below it. Whole segments are compared, so `/data-evil` is not below `/data`. */
export function isWithin(root: StorageUri, uri: StorageUri): boolean {
  return (
    root.scheme === uri.scheme &&
    root.host === uri.host &&
    root.segments.length <= uri.segments.length &&
    root.segments.every((segment, index) => segment === uri.segments[index])
  );
}

/**
 * Whether a name can be a segment of a URI that {@link parseUri} accepts. `list` omits other names, since `read` would
 * refuse them.
 */
export function isUsableName(name: string): boolean {
  return (
    name !== '' && name !== '.' && name !== '..' && !/[/\\]|\p{Surrogate}/u.test(name) && !hasControlCharacter(name)
  );
}

/** A drive letter of Windows, `c:` or `c%3A`, as `C:`: the two cases name one drive, and the colon may be encoded. */
function withPlainDrive(pathname: string): string {
  return pathname.replace(/^\/([a-z])(?::|%3a)(?=\/|$)/i, (_, letter: string) => `/${letter.toUpperCase()}:`);
}

function checkSegment(segment: string, refuse: (reason: string) => StorageError): void {
  if (segment === '.' || segment === '..') throw refuse("it contains a '.' or '..' segment");
  if (/[/\\]/.test(segment)) throw refuse('it contains an encoded slash or backslash');
  if (hasControlCharacter(segment)) throw refuse('it contains an encoded control character');
}

function decode(segment: string, refuse: (reason: string) => StorageError): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw refuse('it contains a percent sign that does not begin an encoded UTF-8 character');
  }
}

function hasControlCharacter(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001F\u007F]/.test(text);
}
