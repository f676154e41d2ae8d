import type { ByteString } from './bytes.ts';

/**
 * A path without empty segments, `.` and `..`, by text alone: symbolic links are not followed. An absolute path stays
 * absolute (`..` at the root is the root); a relative one keeps the `..` that lead out of where it starts.
 */
export function normalisePath(path: ByteString): ByteString {
  const isAbsolute = path.startsWith('/');
  const segments: ByteString[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.length > 0 && segments.at(-1) !== '..') segments.pop();
    else if (!isAbsolute) segments.push(segment);
  }
  return (isAbsolute ? '/' : '') + segments.join('/');
}

/** Whether a path has a segment that is exactly `..`. */
export function hasParentSegment(path: ByteString): boolean {
  for (let at = path.indexOf('..'); at !== -1; at = path.indexOf('..', at + 1)) {
    const before = at === 0 || path[at - 1] === '/';
    const after = at + 2 === path.length || path[at + 2] === '/';
    if (before && after) return true;
  }
  return false;
}

/** Whether a normalised path is a directory itself or lies under it. `''` is the directory that relative paths start in. */
export function isUnder(path: ByteString, directory: ByteString): boolean {
  if (directory === '/') return path.startsWith('/');
  if (directory === '') return !path.startsWith('/') && path !== '..' && !path.startsWith('../');
  return path.startsWith(directory) && (path.length === directory.length || path[directory.length] === '/');
}

/**
 * The directory that a path leaves because of the bytes from `offset` on, or null where it stays inside (or where the
 * directory is the root, which nothing leaves). `/srv/files/../../etc/passwd` with offset 11 leaves `/srv/files`.
 *
 * @param workingDirectory where relative paths start; '' when unknown
 */
export function directoryLeft(
  path: ByteString,
  offset: number,
  workingDirectory: ByteString,
): ByteString | null {
  const prefix = path.slice(0, offset);
  const base = path[offset] === '/' ? prefix : prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (base === '' && path.startsWith('/')) return null;
  const start = path.startsWith('/') || workingDirectory === '' ? '' : `${workingDirectory}/`;
  const directory = normalisePath(start + base);
  return directory === '/' || isUnder(normalisePath(start + path), directory) ? null : directory;
}
