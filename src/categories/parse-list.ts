import { canonicalHost, type CanonicalHost } from '../kernel/host.ts';
import { addressKind } from '../kernel/ip.ts';
import { canonicalPath } from '../kernel/url.ts';
import { MAX_PATH_LENGTH, MAX_PATH_PREFIXES, countPrefixes, entryPath } from './path-prefix.ts';
import { suffixKind } from './public-suffix.ts';

/** How the lines of one file are to be understood. */
export type LineFormat = 'domains' | 'hosts' | 'urls';

/** Told what each line of a list comes to; a comment or empty line comes to nothing. */
export interface LineSink {
  /** Both canonical; `path` null: the host and everything under it. */
  accept(host: string, path: string | null): void;
  /** `reason` completes the sentence "this line …". */
  reject(reason: string): void;
}

/** Reads one line of a list, with or without its line end. Entries are accepted or rejected one by one; nothing is thrown. */
export type LineParser = (line: string, sink: LineSink) => void;

/** The parser for a format. Quirks it forgives: see the table in this room's tests. */
export function lineParser(format: LineFormat): LineParser {
  const parse = PARSERS[format];
  return (line, sink) => {
    const text = stripComment(line);
    if (text !== '') parse(text, sink);
  };
}

const PARSERS: Readonly<Record<LineFormat, LineParser>> = {
  domains: parseDomain,
  hosts: parseHosts,
  urls: parseUrlEntry,
};

const COMMENT_START = /^[#!;]/;

function stripComment(line: string): string {
  const text = line.trim();
  if (COMMENT_START.test(text)) return '';
  const hash = text.indexOf('#');
  return hash < 0 ? text : text.slice(0, hash).trimEnd();
}

function parseDomain(text: string, sink: LineSink): void {
  if (/\s/.test(text)) {
    const first = canonicalHost(text.split(/\s/, 1)[0]!);
    const isHosts = first !== null && first.kind !== 'name';
    return sink.reject(isHosts ? 'looks like a line of a hosts file: set "format: hosts"' : 'holds more than one word');
  }
  if (/[/?]/.test(text)) return sink.reject('is a URL, not a host name: set "format: urls"');
  acceptHost(text, sink);
}

// What systems' own hosts files define; every published hosts list begins with them.
const OWN_NAMES =
  /^(?:localhost|localhost\.localdomain|local|broadcasthost|ip6-(?:localhost|loopback|localnet|mcastprefix|allnodes|allrouters|allhosts)|0\.0\.0\.0|127\.0\.0\.1|::1)$/;

function parseHosts(text: string, sink: LineSink): void {
  const [address, ...names] = text.split(/\s+/) as [string, ...string[]];
  const foreign = names.filter((name) => !OWN_NAMES.test(name.toLowerCase()));
  if (names.length > 0 && foreign.length === 0) return;
  const target = canonicalHost(address);
  if (target === null || target.kind === 'name') return sink.reject('does not begin with an IP address');
  if (names.length === 0) return sink.reject('has an address and no name');
  if (addressKind(target.name) !== 'loopback' && !/^(?:0\.0\.0\.0|::)$/.test(target.name)) {
    return sink.reject(`sends the name to ${target.name} instead of nowhere`);
  }
  for (const name of foreign) acceptHost(name, sink);
}

function parseUrlEntry(text: string, sink: LineSink): void {
  const bare = text.replace(/^https?:\/\//i, '');
  const end = bare.search(/[/\\?]/);
  if (end < 0) return acceptHost(bare, sink);
  if (/\s/.test(bare)) return sink.reject('has a space inside');
  const host = readHost(bare.slice(0, end), sink);
  if (host === null) return;
  const tail = bare.slice(end);
  const whole = canonicalPath(tail.startsWith('?') ? `/${tail}` : tail.replace(/^\\/, '/'));
  if (whole.length >= MAX_PATH_LENGTH) return sink.reject(`has a path of more than ${MAX_PATH_LENGTH} characters`);
  const path = entryPath(whole);
  if (path === null) return acceptWhole(host, sink);
  if (countPrefixes(path) > MAX_PATH_PREFIXES) return sink.reject(`has a path of more than ${MAX_PATH_PREFIXES} parts`);
  if (host.kind === 'name' && suffixKind(host.name) === 'icann') return sink.reject(suffixReason(host.name));
  sink.accept(host.name, path);
}

function acceptHost(text: string, sink: LineSink): void {
  const host = readHost(text, sink);
  if (host !== null) acceptWhole(host, sink);
}

function acceptWhole(host: CanonicalHost, sink: LineSink): void {
  if (host.kind === 'name' && suffixKind(host.name) !== null) return sink.reject(suffixReason(host.name));
  sink.accept(host.name, null);
}

function readHost(text: string, sink: LineSink): CanonicalHost | null {
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
