import { canonicalHost } from '../kernel/host.ts';
import { canonicalAddress, canonicalRange } from '../kernel/ip.ts';
import { canonicalPath } from '../kernel/url.ts';

/** A written entry in its one form; `path` (lower-case) null for the whole host and everything under it. */
export interface ParsedEntry {
  /** Canonical host, or range of addresses in its one spelling. */
  readonly host: string;
  readonly path: string | null;
}

/**
 * Reads an entry as people write it: `example.com` or `*.example.com` (it and everything under it), `example.com/path`
 * (that path and below), `203.0.113.0/24` (every address of that range). Gives a sentence that says what to write instead when it is none.
 */
export function parseEntry(text: string): ParsedEntry | string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return `"${text}" must be written without http:// or https://, such as ${text.replace(/^[^/]*\/\//, '')}`;
  }
  const slash = text.indexOf('/');
  const hostPart = (slash < 0 ? text : text.slice(0, slash)).replace(/^\*\./, '');
  const pathPart = slash < 0 ? '/' : text.slice(slash);
  const address = hostPart.replace(/^\[(.*)\]$/, '$1');
  if (/^\/\d+$/.test(pathPart) && canonicalAddress(address) !== null) return parseRange(text, address + pathPart);
  if (/^[^:[]+:\d*$/.test(hostPart)) return `"${text}" must be written without a port`;
  const host = hostPart.includes('*') || /\s/.test(text) ? null : canonicalHost(hostPart);
  if (host === null) {
    return `"${text}" is not a site; write a host such as example.com, or host and path such as example.com/games`;
  }
  const path = canonicalPath(pathPart.split('#')[0]!).replace(/\/+$/, '').toLowerCase();
  return { host: host.name, path: path === '' ? null : path };
}

function parseRange(text: string, cidr: string): ParsedEntry | string {
  const range = canonicalRange(cidr);
  return range === null
    ? `"${text}" is not an address range; write it as 203.0.113.0/24 or 2001:db8::/32`
    : { host: range, path: null };
}

/** Whether what an entry is about is a range of addresses: no host has a slash in it. */
export function isRange({ host }: Pick<ParsedEntry, 'host'>): boolean {
  return host.includes('/');
}

/** The entry as text again, for rules and for finding doubles. */
export function entryText(entry: ParsedEntry): string {
  return `${entry.host}${entry.path ?? ''}`;
}
