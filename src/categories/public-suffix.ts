import { getPublicSuffix } from 'tldts';

/** What the Public Suffix List says of a name: `icann` as co.uk, `private` as github.io, null for a site of somebody's own. */
export type SuffixKind = 'icann' | 'private' | null;

/**
 * Whether an entry for this canonical name would match the sites of everybody. The parent of a wildcard rule counts: the list has
 * `*.sch.uk` and not sch.uk, yet sch.uk is every school. A name that only a private wildcard makes a suffix is one customer's
 * machine (`*.compute-1.amazonaws.com`) and does not.
 */
export function suffixKind(name: string): SuffixKind {
  if (isSite(name, true)) return null;
  if (!isSite(name, false)) return 'icann';
  const parent = name.slice(name.indexOf('.') + 1);
  const isWildcardChild = !isSite(`any-other.${parent}`, true);
  return isWildcardChild ? null : 'private';
}

const HOST_ONLY = { extractHostname: false, validateHostname: false, detectIp: false };
const WITH_PRIVATE = { ...HOST_ONLY, allowPrivateDomains: true };
const WITHOUT_PRIVATE = { ...HOST_ONLY, allowPrivateDomains: false };

/**
 * The site of somebody's own that a canonical host belongs to, such as example.co.uk of www.example.co.uk; an address, or a
 * name that is a suffix itself, is its own.
 */
export function siteOf(host: string): string {
  const labels = host.split('.');
  if (host.includes(':') || /^\d+$/.test(labels.at(-1)!)) return host;
  for (let i = labels.length - 2; i > 0; i--) {
    const name = labels.slice(i).join('.');
    if (suffixKind(name) === null) return name;
  }
  return host;
}

function isSite(name: string, allowPrivateDomains: boolean): boolean {
  // Asked of a name below, so that the parent of a wildcard rule answers as what it is.
  const suffix = getPublicSuffix(`below.${name}`, allowPrivateDomains ? WITH_PRIVATE : WITHOUT_PRIVATE);
  return suffix !== null && suffix.length < name.length;
}
