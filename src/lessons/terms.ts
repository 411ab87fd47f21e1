import { readSite } from '../categories/typed-site.ts';
import { peopleCalled } from '../identity/people-called.ts';
import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import { instantOf } from '../kernel/local-time.ts';
import { type LessonTerms, MAX_LENGTH_MS, MAX_SITES } from './model.ts';
import type { Reach } from './reach.ts';

/** How long before it begins a list may be given: two weeks, so that one holiday lies between at most. */
export const MAX_AHEAD_MS = 14 * 86_400_000;

const MAX_TITLE = 100;
const MAX_CLASSES = 20;
const MAX_PUPILS = 60;

/** A list as a form brings it. */
export interface TypedLesson {
  readonly title: string;
  /** One a line: hosts or pasted web addresses. */
  readonly sites: string;
  readonly classes: readonly string[];
  /** One a line: user names or full names. */
  readonly pupils: string;
  /** `YYYY-MM-DDTHH:MM` on the school's clock. */
  readonly from: string;
  readonly until: string;
}

/**
 * The terms that a form asks for, in one spelling; a start that is past is now. Throws an InvalidFieldsError with every field that is
 * wrong. `reach`: whom its sender may give a list to.
 */
export function readTerms(typed: TypedLesson, reach: Reach, zone: string, now: number): LessonTerms {
  const problems: FieldProblem[] = [];
  const terms: LessonTerms = {
    title: readTitle(typed.title, problems),
    sites: readSites(typed.sites, problems),
    classes: readClasses(typed.classes, reach, problems),
    pupils: readPupils(typed.pupils, reach, problems),
    ...readTimes(instantOf(typed.from.trim(), zone), instantOf(typed.until.trim(), zone), now, problems),
  };
  if (typed.classes.length === 0 && typed.pupils.trim() === '') {
    problems.push({ field: 'classes', reason: 'Say for whom: at least one class or pupil.' });
  }
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return terms;
}

/** Lines and commas both part what is typed. */
export function partsOf(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function readTitle(typed: string, problems: FieldProblem[]): string {
  const title = typed.replace(/\p{Cc}+/gu, ' ').trim();
  if (title === '') problems.push({ field: 'title', reason: 'Give the list a name, such as its topic.' });
  if (title.length > MAX_TITLE) {
    problems.push({ field: 'title', reason: `Give the list a name of at most ${MAX_TITLE} characters.` });
  }
  return title;
}

function readSites(typed: string, problems: FieldProblem[]): string[] {
  const parts = partsOf(typed);
  if (parts.length === 0) problems.push({ field: 'sites', reason: 'Give at least one site.' });
  if (parts.length > MAX_SITES) problems.push({ field: 'sites', reason: `Give at most ${MAX_SITES} sites.` });
  const read = parts.slice(0, MAX_SITES).map(readSite);
  for (const one of read) if (typeof one !== 'string') problems.push({ field: 'sites', reason: one.reason });
  return [...new Set(read.filter((one) => typeof one === 'string'))];
}

function readClasses(typed: readonly string[], reach: Reach, problems: FieldProblem[]): string[] {
  const known = new Set(reach.classes);
  const wrong = typed.find((name) => !known.has(name));
  if (wrong !== undefined) problems.push({ field: 'classes', reason: `“${wrong}” is not a class that you teach.` });
  if (typed.length > MAX_CLASSES) problems.push({ field: 'classes', reason: `Choose at most ${MAX_CLASSES} classes.` });
  return [...new Set(typed)];
}

function readPupils(typed: string, reach: Reach, problems: FieldProblem[]): string[] {
  const parts = partsOf(typed);
  if (parts.length > MAX_PUPILS) problems.push({ field: 'pupils', reason: `Name at most ${MAX_PUPILS} pupils.` });
  const found = parts.slice(0, MAX_PUPILS).map((part) => {
    const meant = peopleCalled(part, reach.pupils);
    if (meant.length === 1) return meant[0]!.user;
    const reason =
      meant.length === 0
        ? `“${part}” is nobody in a class that you teach.`
        : `There is more than one “${part}”; give the user name.`;
    problems.push({ field: 'pupils', reason });
    return null;
  });
  return [...new Set(found.filter((user) => user !== null))];
}

function readTimes(
  begin: number | null,
  until: number | null,
  now: number,
  problems: FieldProblem[],
): Pick<LessonTerms, 'from' | 'until'> {
  const from = Math.max(begin ?? now, now);
  const say = (field: 'from' | 'until', reason: string): void => void problems.push({ field, reason });
  if (begin === null) say('from', 'Give the day and time it should start.');
  else if (from - now > MAX_AHEAD_MS) say('from', 'A lesson list can begin within the next two weeks.');
  if (until === null) say('until', 'Give the day and time it should end.');
  else if (until <= from) say('until', 'The end must come after the start, and in the future.');
  else if (until - from > MAX_LENGTH_MS) say('until', 'A lesson list can last five hours at most.');
  return { from, until: until ?? now };
}
