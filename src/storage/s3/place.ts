/** Where an object is: its bucket and key. */
export interface Place {
  readonly bucket: string;
  readonly key: string;
  readonly uri: URL;
}

/** Each segment of the path is one percent-encoded piece of the key; `parseUri` has seen to it that none of them holds a slash. */
export function placeOf(uri: URL): Place {
  return { bucket: uri.host, key: uri.pathname.slice(1).split('/').map(decodeURIComponent).join('/'), uri };
}

/** The URI of a key, in the form in which `Storage` names objects. */
export function uriOf(bucket: string, key: string): string {
  return new URL(`s3://${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`).href;
}
