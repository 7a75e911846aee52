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

/** The URI of a key, in the form in which `Storage` names objects. */
export function uriOf(bucket: string, key: string): string {
  return new URL(`s3://${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`).href;
}

/**
 * Whether `Storage` accepts the URI as that of an object: not keys such as `a/../b`, nor folder markers, which end in a
 * slash.
 */
export function isObjectUri(uri: string): boolean {
  try {
    return !parseUri(uri).isFolder;
  } catch {
    return false;
  }
}
