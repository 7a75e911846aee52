/** Storage roots as a person writes them. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The only storage root if none is configured: a folder in the working directory. */
const DEFAULT_STORAGE = '.llm-jobs/';

/** The URIs of a comma-separated list of URIs and paths. */
export function storageRoots(list: string | undefined, folder: string): string[] {
  const configured = (list ?? '').split(',').flatMap((root) => root.trim() || []);
  return (configured.length > 0 ? configured : [DEFAULT_STORAGE]).map((root) => {
    // One letter is a drive of Windows, not a scheme.
    if (/^[a-z]:[\\/]/i.test(root)) return driveUri(root);
    if (/^[a-z][a-z0-9+.-]+:\//i.test(root)) return root;
    return pathToFileURL(isAbsolute(root) ? root : `${folder}/${root}`).href;
  });
}

/** The URI of a path such as `C:\\data\\` or `C:/data/`, the same on every system. */
function driveUri(path: string): string {
  const [drive = '', ...names] = path.split(/[\\/]/);
  return `file:///${[drive.toUpperCase(), ...names.map((name) => encodeURIComponent(name))].join('/')}`;
}
