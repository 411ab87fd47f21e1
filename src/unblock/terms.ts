import { readSite } from '../categories/typed-site.ts';
import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import { isWithin } from '../kernel/host.ts';
import { isCidr } from '../kernel/ip.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { UnblockTerms } from './model.ts';

/** Four weeks: a topic's length. What should be open for longer belongs into the policy, where two people see it. */
export const MAX_LENGTH_MS = 28 * 86_400_000;

const MAX_ENTRIES = 50;
const MAX_TEXT = 500;

/** What is asked for, as it was typed; instants in ms since the epoch, null where none could be read. */
export interface UnblockInput {
  readonly topic: string;
  readonly reason: string;
  /** Hosts or pasted web addresses. */
  readonly hosts: readonly string[];
  readonly categories: readonly string[];
  readonly levels: readonly string[];
  readonly ranges: readonly string[];
  readonly from: number | null;
  readonly until: number | null;
}

/** What of the published policy a request is checked against. */
export type KnownPolicy = Pick<PolicySnapshot, 'categories' | 'levels' | 'never'>;

/** The terms that an input asks for, in one spelling. Throws an InvalidFieldsError with every field that is wrong. */
export function readTerms(input: UnblockInput, policy: KnownPolicy, now: number): UnblockTerms {
  const problems: FieldProblem[] = [];
  const terms: UnblockTerms = {
    topic: readText('topic', 'the topic', input.topic, problems),
    reason: readText('reason', 'why it is needed', input.reason, problems),
    hosts: readHosts(input.hosts, policy, problems),
    categories: readCategories(input.categories, policy, problems),
    levels: readLevels(input.levels, policy, problems),
    ranges: readRanges(input.ranges, problems),
    ...readTimes(input, now, problems),
  };
  if (input.hosts.length + input.categories.length === 0) {
    problems.push({ field: 'hosts', reason: 'Give at least one site or category to open.' });
  }
  if (input.levels.length + input.ranges.length === 0) {
    problems.push({ field: 'levels', reason: 'Say for whom: at least one level or address range.' });
  }
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return terms;
}

function readText(field: string, what: string, typed: string, problems: FieldProblem[]): string {
  // What is stored is shown on terminals too, where control characters give orders.
  const text = typed.replace(/\p{Cc}+/gu, ' ').trim();
  if (text === '') problems.push({ field, reason: `Say ${what}.` });
  if (text.length > MAX_TEXT) problems.push({ field, reason: `Say ${what} in at most ${MAX_TEXT} characters.` });
  return text;
}

function readHosts(typed: readonly string[], policy: KnownPolicy, problems: FieldProblem[]): string[] {
  return readEach('hosts', typed, problems, (text) => {
    const host = readSite(text);
    if (typeof host !== 'string') return host;
    if (policy.never.some((entry) => entry.path === null && isWithin(host, entry.host))) {
      return { reason: `“${host}” is on the school’s never-list, which no unblock can pass.` };
    }
    return host;
  });
}

function readCategories(typed: readonly string[], policy: KnownPolicy, problems: FieldProblem[]): string[] {
  return readEach('categories', typed, problems, (id) => {
    const traits = Object.hasOwn(policy.categories, id) ? policy.categories[id] : undefined;
    if (traits === undefined) return { reason: `“${id}” is not a category.` };
    return traits.locked ? { reason: `“${traits.title}” is locked: nobody can open it.` } : id;
  });
}

function readLevels(typed: readonly string[], policy: KnownPolicy, problems: FieldProblem[]): string[] {
  return readEach('levels', typed, problems, (name) =>
    Object.hasOwn(policy.levels, name) ? name : { reason: `“${name}” is not a level.` },
  );
}

function readRanges(typed: readonly string[], problems: FieldProblem[]): string[] {
  return readEach('ranges', typed, problems, (text) =>
    isCidr(text) ? text : { reason: `“${text}” is not an address range; write it like 10.1.20.0/24.` },
  );
}

function readEach(
  field: string,
  typed: readonly string[],
  problems: FieldProblem[],
  read: (text: string) => string | { reason: string },
): string[] {
  if (typed.length > MAX_ENTRIES) problems.push({ field, reason: `Give at most ${MAX_ENTRIES} at a time.` });
  const values = typed.slice(0, MAX_ENTRIES).map((text) => read(text.trim()));
  for (const value of values) if (typeof value !== 'string') problems.push({ field, reason: value.reason });
  return [...new Set(values.filter((value) => typeof value === 'string'))];
}

function readTimes(
  input: UnblockInput,
  now: number,
  problems: FieldProblem[],
): { readonly from: number; readonly until: number } {
  const { from, until } = input;
  if (from === null) problems.push({ field: 'from', reason: 'Give the day and time it should start.' });
  if (until === null) {
    problems.push({ field: 'until', reason: 'Give the day and time it should end.' });
  } else if (until <= (from ?? now)) {
    problems.push({ field: 'until', reason: 'The end must come after the start.' });
  } else if (until <= now) {
    problems.push({ field: 'until', reason: 'The end must lie in the future.' });
  } else if (until - Math.max(from ?? now, now) > MAX_LENGTH_MS) {
    problems.push({ field: 'until', reason: 'An unblock can last four weeks at most; ask again when it ends.' });
  }
  return { from: from ?? now, until: until ?? now };
}
