import { canonicalHost } from '../kernel/host.ts';
import { canonicalPath } from '../kernel/url.ts';

/** A written entry in its one form; `path` (lower-case) null for the whole host and everything under it. */
export interface ParsedEntry {
  readonly host: string;
  readonly path: string | null;
}

/**
 * Reads an entry as people write it: `example.com` or `*.example.com` (it and everything under it), `example.com/path`
 * (that path and below). Gives a sentence that says what to write instead when it is none.
 */
export function parseEntry(text: string): ParsedEntry | string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return `"${text}" must be written without http:// or https://, such as ${text.replace(/^[^/]*\/\//, '')}`;
  }
  const slash = text.indexOf('/');
  const hostPart = (slash < 0 ? text : text.slice(0, slash)).replace(/^\*\./, '');
  const pathPart = slash < 0 ? '/' : text.slice(slash);
  if (/^[^:[]+:\d*$/.test(hostPart)) return `"${text}" must be written without a port`;
  const host = hostPart.includes('*') || /\s/.test(text) ? null : canonicalHost(hostPart);
  if (host === null) {
    return `"${text}" is not a site; write a host such as example.com, or host and path such as example.com/games`;
  }
  const path = canonicalPath(pathPart.split('#')[0]!).replace(/\/+$/, '').toLowerCase();
  return { host: host.name, path: path === '' ? null : path };
}

/** The entry as text again, for rules and for finding doubles. */
export function entryText(entry: ParsedEntry): string {
  return `${entry.host}${entry.path ?? ''}`;
}
