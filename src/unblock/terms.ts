import { readSite } from '../categories/typed-site.ts';
import { peopleCalled } from '../identity/people-called.ts';
import type { Role } from '../identity/roles.ts';
import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import { isWithin } from '../kernel/host.ts';
import { isCidr } from '../kernel/ip.ts';
import type { School } from '../lessons/reach.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { UnblockTerms } from './model.ts';
import { DAY_MS } from '../kernel/clock.ts';

/**
 * How long an unblock may last that somebody with a role asks for, days; of several roles the longest counts. Four weeks is a topic's
 * length: what should be open for longer belongs into the policy. Roles that are not here may not ask.
 */
export const LONGEST_DAYS: Readonly<Partial<Record<Role, number>>> = {
  headteacher: 28,
  'senior-leadership': 28,
  'safeguarding-lead': 28,
  'online-safety-lead': 28,
  'network-manager': 28,
  technician: 7,
  teacher: 14,
};

const MAX_ENTRIES = 50;
const MAX_PUPILS = 60;
const MAX_TEXT = 500;
const MAX_SUBJECT = 60;

/** What is asked for, as it was typed; instants in ms since the epoch, null where none could be read. */
export interface UnblockInput {
  readonly topic: string;
  readonly subject: string;
  readonly reason: string;
  /** Hosts or pasted web addresses. */
  readonly hosts: readonly string[];
  readonly categories: readonly string[];
  readonly classes: readonly string[];
  /** User names or full names. */
  readonly pupils: readonly string[];
  readonly levels: readonly string[];
  readonly ranges: readonly string[];
  readonly during: readonly string[];
  readonly passesPersonBlock: boolean;
  readonly from: number | null;
  readonly until: number | null;
}

/** Nothing asked for yet, of what may be left out. */
export const NO_TERMS = {
  subject: '',
  hosts: [],
  categories: [],
  classes: [],
  pupils: [],
  levels: [],
  ranges: [],
  during: [],
  passesPersonBlock: false,
} as const satisfies Partial<UnblockInput>;

/** What of the published policy a request is checked against. */
export type KnownPolicy = Pick<PolicySnapshot, 'categories' | 'levels' | 'never' | 'calendar'>;

/** What a request is checked against. */
export interface TermsFacts {
  readonly policy: KnownPolicy;
  readonly school: Pick<School, 'classes' | 'pupils'>;
  /** Of whoever asks. */
  readonly roles: readonly Role[];
  /** What a site is listed as, by category id. */
  readonly categoriesOf: (host: string) => readonly string[];
  readonly now: number;
}

/** The terms that an input asks for, in one spelling. Throws an InvalidFieldsError with every field that is wrong. */
export function readTerms(input: UnblockInput, facts: TermsFacts): UnblockTerms {
  const { policy, school } = facts;
  const problems: FieldProblem[] = [];
  const hosts = readHosts(input.hosts, policy, problems);
  const categories = readCategories(input.categories, policy, problems);
  const pupils = readPupils(input.pupils, school, problems);
  const terms: UnblockTerms = {
    topic: readText('topic', 'the topic', input.topic, problems),
    subject: readSubject(input.subject, problems),
    reason: readText('reason', 'why it is needed', input.reason, problems),
    hosts,
    categories,
    classes: readClasses(input.classes, school, problems),
    pupils,
    levels: readLevels(input.levels, policy, problems),
    ranges: readRanges(input.ranges, problems),
    during: readSlots(input.during, policy, problems),
    passesPersonBlock: input.passesPersonBlock,
    risks: risksOf([...categories, ...hosts.flatMap(facts.categoriesOf)], policy),
    ...readTimes(input, facts, problems),
  };
  const { classes, pupils: named, levels, ranges } = input;
  if (input.hosts.length + input.categories.length === 0) {
    problems.push({ field: 'hosts', reason: 'Give at least one site or category to open.' });
  }
  if (classes.length + named.length + levels.length + ranges.length === 0) {
    problems.push({ field: 'classes', reason: 'Say for whom: at least one class, pupil, level or address range.' });
  }
  if (input.passesPersonBlock && named.length === 0) {
    problems.push({ field: 'pupils', reason: 'Name the pupils whose own block it is to pass.' });
  }
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return terms;
}

/** Of some categories those that need the safeguarding lead. */
function risksOf(categories: readonly string[], policy: KnownPolicy): string[] {
  const isRisk = (id: string): boolean =>
    Object.hasOwn(policy.categories, id) && policy.categories[id]!.highRisk === true;
  return [...new Set(categories.filter(isRisk))].sort();
}

function readSubject(typed: string, problems: FieldProblem[]): string {
  const subject = plainText(typed);
  if (subject.length > MAX_SUBJECT) {
    problems.push({ field: 'subject', reason: `Name the subject in at most ${MAX_SUBJECT} characters.` });
  }
  return subject;
}

/** What is stored is shown on terminals too, where control characters give orders. */
export function plainText(typed: string): string {
  return typed.replace(/\p{Cc}+/gu, ' ').trim();
}

function readText(field: string, what: string, typed: string, problems: FieldProblem[]): string {
  const text = plainText(typed);
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

function readClasses(typed: readonly string[], { classes }: TermsFacts['school'], problems: FieldProblem[]): string[] {
  return readEach('classes', typed, problems, (name) =>
    classes.includes(name) ? name : { reason: `“${name}” is not a class or group of the school.` },
  );
}

function readPupils(typed: readonly string[], { pupils }: TermsFacts['school'], problems: FieldProblem[]): string[] {
  if (typed.length > MAX_PUPILS) {
    problems.push({ field: 'pupils', reason: `Name at most ${MAX_PUPILS} pupils; choose their class instead.` });
    return [];
  }
  return typed.flatMap((part) => {
    const meant = peopleCalled(part.trim(), pupils);
    if (meant.length === 1) return meant[0]!.user;
    const reason =
      meant.length === 0 ? `“${part}” is no pupil.` : `There is more than one “${part}”; give the user name.`;
    problems.push({ field: 'pupils', reason });
    return [];
  });
}

function readSlots(typed: readonly string[], { calendar }: KnownPolicy, problems: FieldProblem[]): string[] {
  const slots = new Set(calendar?.slots.map(({ word }) => word));
  return readEach('during', typed, problems, (name) =>
    slots.has(name) ? name : { reason: `“${name}” is no part of the school day.` },
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
  { from, until }: UnblockInput,
  { roles, now }: TermsFacts,
  problems: FieldProblem[],
): { readonly from: number; readonly until: number } {
  const days = Math.max(0, ...roles.map((role) => LONGEST_DAYS[role] ?? 0));
  if (from === null) problems.push({ field: 'from', reason: 'Give the day and time it should start.' });
  const length = (until ?? now) - Math.max(from ?? now, now);
  const late =
    until === null
      ? 'Give the day and time it should end.'
      : until <= (from ?? now)
        ? 'The end must come after the start.'
        : until <= now
          ? 'The end must lie in the future.'
          : length > days * DAY_MS
            ? `What you ask for can last ${days} days at most; ask again when it ends.`
            : null;
  if (late !== null) problems.push({ field: 'until', reason: late });
  return { from: from ?? now, until: until ?? now };
}
