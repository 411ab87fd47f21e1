/** Entries whose path is not shorter are refused, and look-ups read no further: a 64 KB URL costs no more than a 2 KB one. */
export const MAX_PATH_LENGTH = 2048;
/** Prefixes of one path that a look-up tries; entries with more parts are refused. */
export const MAX_PATH_PREFIXES = 64;

/**
 * The path of a URL entry as it is hashed: slashes and question marks at the end say nothing, so that `/games/`, `/games` and all below
 * match alike. Null when nothing is left, which is the whole host. `path` canonical.
 */
export function entryPath(path: string): string | null {
  let end = path.length;
  // No expression: a run of slashes that does not end the path would be tried again from each of them.
  while (end > 0 && (path[end - 1] === '/' || path[end - 1] === '?')) end--;
  return end === 0 ? null : path.slice(0, end);
}

/** How many prefixes of a path end on a boundary: before `/`, `?` and, in the query, `&`; and the whole. */
export function countPrefixes(path: string): number {
  const question = path.indexOf('?');
  const query = question < 0 ? '' : path.slice(question);
  return path.split(/[/?]/).length - 1 + query.split('&').length - 1;
}

/** The prefixes that a look-up tries, from the shortest. The bounds above hold. */
export function pathPrefixes(path: string): string[] {
  const ends: number[] = [];
  const question = path.indexOf('?');
  for (let i = 1; i < Math.min(path.length, MAX_PATH_LENGTH); i++) {
    const isInQuery = question >= 0 && i > question;
    if (path[i] === '/' || path[i] === '?' || (isInQuery && path[i] === '&')) ends.push(i);
  }
  if (path.length <= MAX_PATH_LENGTH) ends.push(path.length);
  return ends.slice(0, MAX_PATH_PREFIXES).map((end) => path.slice(0, end));
}
