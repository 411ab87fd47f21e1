import { RE2JS, RE2JSException, RE2Set } from 're2js';
import { withoutParameters } from '../kernel/url.ts';
import type { LineSink } from './accept-entry.ts';
import type { IndexedExpression } from './index-file.ts';
import { needsPath } from './needs-path.ts';

// What a search may cost at worst grows with the length of the text times the size of all programs together (steps of an automaton).
const MAX_TEXT = 2048;
const MAX_SOURCE = 4096;
const MAX_EXPRESSIONS = 100;
const MAX_SIZE = 2000;
const MAX_TOTAL_SIZE = 5000;
/** Memory for the states of an automaton, bytes: one for URLs, one for hosts. It goes on without when they are used up. */
const MAX_MEMORY = 4 * 2 ** 20;
/** Hosts whose answer is remembered: a browser opens many connections to one. */
const MAX_HOSTS = 4096;

// Addresses that say nothing: what finds itself in one of them is about an ending, a `www`, a sign or a letter, and about half the world.
const NEUTRAL = [
  'q.test',
  '7.invalid/',
  'www.j-x.example/k?z=0',
  'vqjxkzwgfbpymcdhlutnsriaeo.test',
  '0192837465.test',
  ...['com', 'net', 'org', 'uk', 'co.uk', 'org.uk', 'ac.uk', 'sch.uk', 'gov.uk', 'edu', 'eu', 'io'].map(
    (end) => `zv.${end}`,
  ),
];

/** The parser for the lines of one `expressions` file: POSIX-like, case makes no difference, run over `host/path`. */
export function parseExpressions(): (line: string, sink: LineSink) => void {
  let count = 0;
  let size = 0;
  return (line, sink) => {
    const source = line.trim();
    if (source === '' || source.startsWith('#')) return;
    const measured = measure(source);
    if (typeof measured === 'string') return sink.reject(measured);
    if (count === MAX_EXPRESSIONS)
      return sink.reject(`comes after ${MAX_EXPRESSIONS} expressions, the most of one list`);
    if (size + measured > MAX_SIZE)
      return sink.reject(`makes the expressions of this list larger than ${MAX_SIZE} steps`);
    count++;
    size += measured;
    sink.acceptExpression(source);
  };
}

/** The size of an expression's program, or why it cannot be used. */
function measure(source: string): number | string {
  if (source.length > MAX_SOURCE) return `is longer than ${MAX_SOURCE} characters`;
  if (/[^ -~]/.test(source)) return 'holds more than printable ASCII, and a canonical address does not';
  try {
    const compiled = RE2JS.compile(source, RE2JS.CASE_INSENSITIVE);
    const neutral = NEUTRAL.find((text) => compiled.test(text));
    if (neutral !== undefined) return `would match every site, or many with nothing in common: ${neutral} is one`;
    return compiled.programSize();
  } catch (error) {
    if (error instanceof RE2JSException)
      return `is no expression that can be searched in linear time (${error.message})`;
    throw error;
  }
}

/** Counts what expressions of several lists cost together; those that no longer fit are left out, list by list. */
export function expressionBudget(): { readonly takes: (sources: readonly string[]) => boolean } {
  let total = 0;
  return {
    takes: (sources) => {
      const size = sources.reduce(
        (sum, source) => sum + RE2JS.compile(source, RE2JS.CASE_INSENSITIVE).programSize(),
        0,
      );
      if (total + size > MAX_TOTAL_SIZE) return false;
      total += size;
      return true;
    },
  };
}

/** Searches hosts and URLs for the expressions of an index. */
export interface ExpressionLookup {
  /** Positions of the expressions that find themselves, rising. `path` null: only the host is known. */
  find(host: string, path: string | null): readonly number[];
}

/** Null where there are none. */
export function createExpressionLookup(expressions: readonly IndexedExpression[]): ExpressionLookup | null {
  if (expressions.length === 0) return null;
  const set = compileSet(expressions.map(({ source }) => source));
  // Most expressions of published lists are about paths, and most requests are CONNECTs.
  const ofHosts = expressions.flatMap(({ source }, position) => (needsPath(source) ? [] : [position]));
  const hostSet = ofHosts.length === 0 ? null : compileSet(ofHosts.map((position) => expressions[position]!.source));
  const hosts = new Map<string, readonly number[]>();
  return {
    find(host, path) {
      if (path !== null) return searchReadings(set, host, path);
      if (hostSet === null) return NONE;
      const known = hosts.get(host);
      if (known !== undefined) return known;
      const found = search(hostSet, host).map((i) => ofHosts[i]!);
      if (hosts.size === MAX_HOSTS) hosts.clear();
      hosts.set(host, found);
      return found;
    },
  };
}

const NONE: readonly number[] = [];

function compileSet(sources: readonly string[]): RE2Set {
  const set = new RE2Set(RE2Set.UNANCHORED, RE2JS.CASE_INSENSITIVE, MAX_MEMORY);
  for (const source of sources) set.add(source);
  set.compile();
  return set;
}

/** With the `;` parameters of the path and without them. */
function searchReadings(set: RE2Set, host: string, path: string): readonly number[] {
  const found = search(set, host + path);
  const plain = withoutParameters(path);
  if (plain === path) return found;
  return [...new Set([...found, ...search(set, host + plain)])].sort((a, b) => a - b);
}

function search(set: RE2Set, text: string): readonly number[] {
  return set.match(text.slice(0, MAX_TEXT)).sort((a, b) => a - b);
}
