import { SchoolgateError } from '../kernel/errors.ts';
import { withoutParameters } from '../kernel/url.ts';
import { explainMatch } from './explain-match.ts';
import { createExpressionLookup } from './expression.ts';
import { finishHigh, finishLow, foldCase, joinA, joinB, pathSeed, stepA, stepB } from './hash.ts';
import { decodeIndex, type ListName } from './index-file.ts';
import { NO_MATCH, type CategoryMatch, type ExplainedIndex, type IndexedList } from './match.ts';
import { MAX_PATH_LENGTH, MAX_PATH_PREFIXES } from './path-prefix.ts';
import { createRangeLookup } from './range-lookup.ts';
import { findEntry } from './slot-table.ts';

const DOT = 46;
const SLASH = 47;
const QUESTION = 63;
const AMPERSAND = 38;

/** What a combination of sets comes to, and what each further set makes of it; so a look-up allocates nothing. */
interface Answer {
  readonly lists: readonly number[];
  readonly match: CategoryMatch;
  readonly next: Map<number, Answer>;
}

/**
 * Opens the bytes of an index file for look-ups; they must not change afterwards. `lists` are the facts of the build that made it;
 * `sha256` as for `decodeIndex`.
 * Throws a SchoolgateError if the file is damaged, of another version, or does not belong to these lists.
 */
export function openIndex(
  bytes: Uint8Array,
  lists: readonly IndexedList[],
  sha256: string | null = null,
): ExplainedIndex {
  const file = decodeIndex(bytes, sha256);
  const names = file.lists.filter(({ excepts }) => excepts === undefined);
  if (names.length !== lists.length || names.some((list, i) => list.id !== lists[i]!.id)) {
    throw new SchoolgateError(
      'index_unusable',
      'us',
      'The category index was built from other lists. Run "schoolgate lists build".',
    );
  }
  const { table, seed, sets } = file;
  const ranges = createRangeLookup(file);
  const expressions = createExpressionLookup(file.expressions);
  const pathStart = pathSeed(seed);
  const extend = answerMaker(file.lists);
  const none: Answer = { lists: [], match: NO_MATCH, next: new Map() };
  // Prefixes of the path at hand: their two lanes. One look-up is done before the next begins.
  const prefixA = new Int32Array(2 * MAX_PATH_PREFIXES);
  const prefixB = new Int32Array(2 * MAX_PATH_PREFIXES);

  function add(answer: Answer, set: number): Answer {
    if (sets[set]!.lists.length === 0) return answer;
    return answer.next.get(set) ?? extend(answer, set, sets[set]!.lists);
  }

  function addRanges(answer: Answer, host: string): Answer {
    let sum = answer;
    for (let i = ranges!.find(host) - 1; i >= 0; i--) sum = add(sum, ranges!.sets[i]!);
    return sum;
  }

  /** Sets are numbered from 0 up, so numbers from -1 down are free for the lists of expressions. */
  function addExpressions(answer: Answer, host: string, path: string | null): Answer {
    let sum = answer;
    for (const position of expressions!.find(host, path)) {
      const { list } = file.expressions[position]!;
      sum = sum.next.get(-1 - list) ?? extend(sum, -1 - list, [list]);
    }
    return sum;
  }

  /** Adds the prefixes of one reading of a path to the `known` ones. */
  function hashPrefixes(path: string, known: number): number {
    let { a, b } = pathStart;
    let count = known;
    const most = known + MAX_PATH_PREFIXES;
    let inQuery = false;
    const length = Math.min(path.length, MAX_PATH_LENGTH);
    for (let i = 0; i < length; i++) {
      const code = path.charCodeAt(i);
      const isBoundary = code === SLASH || code === QUESTION || (inQuery && code === AMPERSAND);
      if (isBoundary && i > 0 && count < most) {
        prefixA[count] = a;
        prefixB[count++] = b;
      }
      if (code === QUESTION) inQuery = true;
      a = stepA(a, foldCase(code));
      b = stepB(b, a);
    }
    if (length === path.length && count < most) {
      prefixA[count] = a;
      prefixB[count++] = b;
    }
    return count;
  }

  function hashReadings(path: string): number {
    const count = hashPrefixes(path, 0);
    const plain = withoutParameters(path);
    return plain === path ? count : hashPrefixes(plain, count);
  }

  function match(host: string, path: string | null): CategoryMatch {
    let { a, b } = seed;
    let answer = none;
    let prefixes = -1;
    let labels = 1;
    for (let i = host.length - 1; i >= -1; i--) {
      const code = i < 0 ? DOT : host.charCodeAt(i);
      // No entry has a single label, other than an IPv6 address.
      if (code === DOT && (labels++ > 1 || i < 0)) {
        const high = finishHigh(a, b);
        const set = findEntry(table, high, finishLow(high, b));
        if (set !== 0) {
          answer = add(answer, set);
          if (path !== null && sets[set]!.hasUrlsBelow) {
            if (prefixes < 0) prefixes = hashReadings(path);
            for (let p = 0; p < prefixes; p++) {
              const joinedB = joinB(b, prefixB[p]!);
              const urlHigh = finishHigh(joinA(a, prefixA[p]!), joinedB);
              const urlSet = findEntry(table, urlHigh, finishLow(urlHigh, joinedB));
              if (urlSet !== 0) answer = add(answer, urlSet);
            }
          }
        }
      }
      a = stepA(a, code);
      b = stepB(b, a);
    }
    if (ranges !== null) answer = addRanges(answer, host);
    if (expressions !== null) answer = addExpressions(answer, host, path);
    return answer.match;
  }

  const ofAddresses = new Set(file.lists.flatMap((name) => (name.ofAddresses === true ? [name.id] : [])));
  const onlyOfAddresses = new WeakMap<CategoryMatch, CategoryMatch>();

  function matchAddress(address: string): CategoryMatch {
    if (ofAddresses.size === 0) return NO_MATCH;
    const whole = match(address, null);
    const known = onlyOfAddresses.get(whole);
    if (known !== undefined) return known;
    const listed = names.filter(({ id }) => ofAddresses.has(id) && whole.lists.includes(id));
    const part = listed.length === 0 ? NO_MATCH : matchOf(listed);
    onlyOfAddresses.set(whole, part);
    return part;
  }

  const explain: ExplainedIndex['explain'] = (host, path) => explainMatch({ file, ranges, expressions }, host, path);
  return { sha256: file.sha256, lists, match, matchAddress, explain };
}

/** Makes answers; equal sets of lists share one CategoryMatch, however they came together. */
function answerMaker(names: readonly ListName[]): (from: Answer, set: number, lists: readonly number[]) => Answer {
  const answers = new Map<string, Answer>();
  const matches = new Map<string, CategoryMatch>([['', NO_MATCH]]);
  return (from, set, lists) => {
    const union = [...new Set([...from.lists, ...lists])].sort((x, y) => x - y);
    const key = union.join();
    let answer = answers.get(key);
    if (answer === undefined) {
      const standing = withoutExcepted(union, names);
      const match = matches.get(standing.join()) ?? matchOf(standing.map((position) => names[position]!));
      matches.set(standing.join(), match);
      answer = { lists: union, match, next: new Map() };
      answers.set(key, answer);
    }
    from.next.set(set, answer);
    return answer;
  };
}

/** An exception takes its list out of the answer, whatever else of that list matched, and is none itself. */
function withoutExcepted(positions: readonly number[], names: readonly ListName[]): number[] {
  const excepted = new Set(positions.map((position) => names[position]!.excepts));
  return positions.filter((position) => names[position]!.excepts === undefined && !excepted.has(position));
}

function matchOf(lists: readonly ListName[]): CategoryMatch {
  return Object.freeze({
    categories: Object.freeze([...new Set(lists.map((list) => list.category))].sort()),
    lists: Object.freeze(lists.map((list) => list.id).sort()),
  });
}
