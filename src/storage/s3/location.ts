/** S3 objects by URI. */
import { parseUri } from '../uri.js';

/** Bucket and key of an object. */
export interface S3Location {
  readonly bucket: string;
  readonly key: string;
  readonly uri: URL;
}

/**
 * Each segment of the path is percent-encoded separately; `parseUri` refuses segments that contain an encoded slash.
 */
export function locationOf(uri: URL): S3Location {
  return { bucket: uri.host, key: uri.pathname.slice(1).split('/').map(decodeURIComponent).join('/'), uri };
}

/**
 * The URI of a key, in the form in which `Storage` names objects; null for a key that `Storage` cannot name. That is a
 * folder marker, which ends in a slash, and a key such as `a/../b`, which a URL would turn into another key.
 */
export function uriOf(bucket: string, key: string): string | null {
  try {
    const { url, isFolder } = parseUri(`s3://${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`);
    return !isFolder && locationOf(url).key === key ? url.href : null;
  } catch {
    return null;
  }
}
