import { canonicalHost } from '../kernel/host.ts';
import { parseUrl } from '../kernel/url.ts';
import { suffixKind } from './public-suffix.ts';

/**
 * The canonical host of a site as people type it: a host, or the address of a page, pasted. A sentence that says what to give
 * instead where it is none, or where it stands for the sites of everybody (`co.uk`).
 */
export function readSite(typed: string): string | { readonly reason: string } {
  const text = typed.trim();
  const url = /^[a-z]+:\/\//i.test(text) ? parseUrl(text) : null;
  const host =
    url === null ? canonicalHost(text.replace(/\/.*$/, ''))?.name : typeof url === 'string' ? undefined : url.host.name;
  if (host === undefined) return { reason: `“${text}” is not a site; write it like www.example.org.` };
  if (suffixKind(host) !== 'icann') return host;
  return { reason: `“${host}” stands for every site that ends in it; name the site itself.` };
}
