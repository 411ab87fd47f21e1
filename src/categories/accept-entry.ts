import { canonicalHost, type CanonicalHost } from '../kernel/host.ts';
import { addressKind } from '../kernel/ip.ts';
import { canonicalPath } from '../kernel/url.ts';
import { MAX_PATH_LENGTH, MAX_PATH_PREFIXES, countPrefixes, entryPath } from './path-prefix.ts';
import { suffixKind } from './public-suffix.ts';

/** Told what each line of a list comes to; a comment or empty line comes to nothing. Everything accepted is canonical. */
export interface LineSink {
  /** `path` null: the host and everything under it. */
  accept(host: string, path: string | null): void;
  /** What this stands for is in the list no more, whatever else of the list matches it. */
  except(host: string, path: string | null): void;
  /** A range of more than one address: `192.0.2.0/24`. */
  acceptRange(range: string): void;
  /** A regular expression, as it stands in the list. */
  acceptExpression(source: string): void;
  /** `reason` completes the sentence "this line …". */
  reject(reason: string): void;
}

/** Where hosts and URLs go: into the list or, for an exception, out of it. */
export type EntrySink = Pick<LineSink, 'accept' | 'reject'>;

/** Reads one line without its comment and the spaces around it; never empty. */
export type ParseText = (text: string, sink: LineSink) => void;

/** A host in any spelling, perhaps with `*.` before it. */
export function acceptHost(text: string, sink: EntrySink): void {
  const host = readHost(text, sink);
  if (host !== null) acceptWhole(host, sink);
}

/** A host and what follows it, from `/`, `?` or `\` on; everything below that path belongs to it. */
export function acceptUrl(hostText: string, tail: string, sink: EntrySink): void {
  if (/\s/.test(tail)) return sink.reject('has a space inside');
  const host = readHost(hostText, sink);
  if (host === null) return;
  const whole = canonicalPath(tail.startsWith('?') ? `/${tail}` : tail.replace(/^\\/, '/'));
  if (whole.length >= MAX_PATH_LENGTH) return sink.reject(`has a path of more than ${MAX_PATH_LENGTH} characters`);
  const path = entryPath(whole);
  if (path === null) return acceptWhole(host, sink);
  if (countPrefixes(path) > MAX_PATH_PREFIXES) return sink.reject(`has a path of more than ${MAX_PATH_PREFIXES} parts`);
  if (host.kind === 'name' && suffixKind(host.name) === 'icann') return sink.reject(suffixReason(host.name));
  sink.accept(host.name, path);
}

/** True for an address that answers nobody, as lists that are meant for resolvers write it. */
export function isNowhere(address: string): boolean {
  return address === '0.0.0.0' || address === '::' || addressKind(address) === 'loopback';
}

function acceptWhole(host: CanonicalHost, sink: EntrySink): void {
  if (host.kind === 'name' && suffixKind(host.name) !== null) return sink.reject(suffixReason(host.name));
  sink.accept(host.name, null);
}

function readHost(text: string, sink: EntrySink): CanonicalHost | null {
  const name = text.startsWith('*.') ? text.slice(2) : text;
  const refusal = /[*@]/.exec(name)?.[0];
  const host = refusal === undefined ? canonicalHost(name) : null;
  if (host !== null) return host;
  if (text === '*' || name === '') sink.reject('would match every site');
  else if (refusal === '*') sink.reject('has a wildcard other than "*." at its beginning');
  else if (refusal === '@') sink.reject('has a user name');
  else if (/^[^:[\]]+:\d+$/.test(name)) sink.reject('has a port, and a list says nothing of ports');
  else sink.reject('is neither a host name nor an IP address');
  return null;
}

function suffixReason(name: string): string {
  return `is a public suffix: "${name}" would match the sites of everybody under it`;
}
