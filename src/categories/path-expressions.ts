import { MAX_PATH_LENGTH, MAX_PATH_PREFIXES } from './path-prefix.ts';

/**
 * The prefixes of a path and query on which a page entry can end, shortest first: before `/`, `?` and, in the query, `&`; and the
 * whole. The same boundaries and bounds as the category index has.
 */
export function forEachPrefix(path: string, visit: (prefix: string) => void): void {
  const length = Math.min(path.length, MAX_PATH_LENGTH);
  let count = 0;
  let inQuery = false;
  for (let i = 0; i < length && count < MAX_PATH_PREFIXES; i++) {
    const char = path[i];
    const isBoundary = char === '/' || char === '?' || (inQuery && char === '&');
    if (isBoundary && i > 0) {
      visit(path.slice(0, i));
      count++;
    }
    if (char === '?') inQuery = true;
  }
  if (length === path.length && count < MAX_PATH_PREFIXES) visit(path);
}

/**
 * The path parts of Safe Browsing's expressions, which published hashes are made of: the path with its query, without it, and every
 * folder from the root, each with its slash. Letters' case counts here. More folders than Safe Browsing's four are tried.
 */
export function forEachPublished(path: string, visit: (prefix: string) => void): void {
  const question = path.indexOf('?');
  const bare = question < 0 ? path : path.slice(0, question);
  let count = 0;
  for (let i = 0; i < bare.length && i < MAX_PATH_LENGTH && count < MAX_PATH_PREFIXES; i++) {
    if (bare[i] !== '/') continue;
    visit(bare.slice(0, i + 1));
    count++;
  }
  if (bare.length > MAX_PATH_LENGTH) return;
  if (!bare.endsWith('/')) visit(bare);
  if (question >= 0 && path.length <= MAX_PATH_LENGTH) visit(path);
}
