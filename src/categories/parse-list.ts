import { canonicalHost } from '../kernel/host.ts';
import { acceptHost, acceptUrl, isNowhere, type LineSink, type ParseText } from './accept-entry.ts';
import { parseAdblock } from './parse-adblock.ts';
import { parseCidr } from './parse-cidr.ts';
import { parseDnsmasq } from './parse-dnsmasq.ts';

/** How the lines of a list's file are to be understood. */
export type LineFormat = 'domains' | 'wildcard' | 'hosts' | 'urls' | 'adblock' | 'dnsmasq' | 'cidr';

/** Reads one line of a list, with or without its line end. Entries are accepted or rejected one by one; nothing is thrown. */
export type LineParser = (line: string, sink: LineSink) => void;

interface Grammar {
  readonly strip: (line: string) => string;
  readonly parse: ParseText;
}

/** The parser for a format. Quirks it forgives: see the table in this room's tests. */
export function lineParser(format: LineFormat): LineParser {
  const { strip, parse } = GRAMMARS[format];
  return (line, sink) => {
    const text = strip(line.trim());
    if (text !== '') parse(text, sink);
  };
}

const GRAMMARS: Readonly<Record<LineFormat, Grammar>> = {
  domains: { strip: stripComment, parse: parseDomain },
  // `*.x` and `x` say the same in both.
  wildcard: { strip: stripComment, parse: parseDomain },
  hosts: { strip: stripComment, parse: parseHosts },
  urls: { strip: stripComment, parse: parseUrlEntry },
  // A "#" may be part of a rule, of a target, and ";" begins a comment only among addresses.
  adblock: { strip: (text) => text, parse: parseAdblock },
  dnsmasq: { strip: (text) => text, parse: parseDnsmasq },
  cidr: { strip: (text) => stripComment(text.split(';', 1)[0]!), parse: parseCidr },
};

const COMMENT_START = /^[#!;]/;

function stripComment(text: string): string {
  if (COMMENT_START.test(text)) return '';
  const hash = text.indexOf('#');
  return (hash < 0 ? text : text.slice(0, hash)).trimEnd();
}

function parseDomain(text: string, sink: LineSink): void {
  if (!/[\s/?|]/.test(text)) return acceptHost(text, sink);
  if (/\s/.test(text)) {
    const first = canonicalHost(text.split(/\s/, 1)[0]!);
    const isHosts = first !== null && first.kind !== 'name';
    return sink.reject(isHosts ? 'looks like a line of a hosts file: set "format: hosts"' : 'holds more than one word');
  }
  const other = OTHER_FORMS.find(([form]) => form.test(text));
  if (other === undefined) acceptHost(text, sink);
  else sink.reject(other[1]);
}

/** What stands in a list of names when its format was chosen wrongly. */
const OTHER_FORMS: readonly (readonly [RegExp, string])[] = [
  [/^(?:@@)?\|\|/, 'looks like a rule of an adblock list: set "format: adblock"'],
  [/^(?:address|server|local)=\//, 'looks like a line for dnsmasq: set "format: dnsmasq"'],
  [/^[\d.:a-f]+\/\d{1,3}$/i, 'is a range of addresses: set "format: cidr"'],
  [/[/?]/, 'is a URL, not a host name: set "format: urls"'],
];

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
  if (!isNowhere(target.name)) return sink.reject(`sends the name to ${target.name} instead of nowhere`);
  for (const name of foreign) acceptHost(name, sink);
}

function parseUrlEntry(text: string, sink: LineSink): void {
  const bare = text.replace(/^https?:\/\//i, '');
  const end = bare.search(/[/\\?]/);
  if (end < 0) return acceptHost(bare, sink);
  acceptUrl(bare.slice(0, end), bare.slice(end), sink);
}
