import { canonicalHost } from '../kernel/host.ts';
import { acceptHost, isNowhere, type LineSink } from './accept-entry.ts';

/**
 * A line of a dnsmasq configuration that sends names nowhere: `address=/x/#`, `address=/x/0.0.0.0`, `server=/x/`, `local=/x/`, with one
 * name or several. One that sends them elsewhere is no entry: it is a rewrite, a forwarder or an exception of dnsmasq's own.
 */
export function parseDnsmasq(text: string, sink: LineSink): void {
  const line = stripComment(text);
  if (line === '') return;
  const match = /^(address|server|local)\s*=\s*\//i.exec(line);
  if (match === null) return sink.reject('is not of the form address=/name/, server=/name/ or local=/name/');
  const names = line.slice(match[0].length).split('/');
  const target = names.pop()!.trim();
  if (names.length === 0) return sink.reject('has no name between two slashes');
  const elsewhere = whyElsewhere(match[1]!.toLowerCase(), target);
  if (elsewhere !== null) return sink.reject(elsewhere);
  for (const name of names) {
    if (name.trim() === '#') sink.reject('would match every site');
    else acceptHost(name.trim(), sink);
  }
}

/** A "#" begins a comment at the beginning or after a space; after a slash it is a target. */
function stripComment(text: string): string {
  const start = text.search(/(?:^|\s)#/);
  return start < 0 ? text : text.slice(0, start).trimEnd();
}

function whyElsewhere(option: string, target: string): string | null {
  if (target === '') return null;
  if (option !== 'address') {
    return target === '#' ? 'lets its names through' : `sends questions for its names to ${target} instead of nowhere`;
  }
  const address = canonicalHost(target);
  if (target === '#' || (address !== null && address.kind !== 'name' && isNowhere(address.name))) return null;
  return `sends its names to ${target} instead of nowhere`;
}
