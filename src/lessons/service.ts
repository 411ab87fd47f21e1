import type { Actor, AuditAction } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import { readSite } from '../categories/typed-site.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError, wrongField } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { PolicySnapshot, TeacherLesson } from '../policy/snapshot.ts';
import type { Verdict } from '../policy/verdict.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import { type SiteAnswer, mergeAnswers, siteAnswer } from './answers.ts';
import type { LessonAnswer, LessonAsk, LessonView, ShownLesson } from './ask.ts';
import {
  type Lesson,
  type LessonTerms,
  MAX_SITES,
  addSite,
  end,
  isStanding,
  prolong,
  stateAt,
  toTeacherLesson,
} from './model.ts';
import { type Audience, type Reach, type RoleReach, type School, audiencesOf, reachOf, reaches } from './reach.ts';
import {
  findLesson,
  insertLesson,
  lessonsStandingAt,
  pastLessons,
  standingLessons,
  updateLesson,
} from './repository.ts';
import { type TypedLesson, partsOf, readTerms } from './terms.ts';

/** Lesson lists: a teacher gives a class "only these sites, this hour". Every change is one transaction. */
export interface Lessons {
  /** Does what is asked, as far as the person may. Throws a SchoolgateError: `lesson_move`, `lesson_unknown`, `lesson_many`, `no_policy`. */
  answer(actor: Actor, ask: LessonAsk): Promise<LessonAnswer>;
}

/** Which verdict is wanted: with all that is in force, or as if no lesson list were, for a list still to be given. */
export type CheckSite = (
  site: string,
  audience: Audience,
  at: number,
  lessons: 'as they are' | 'left out',
) => Pick<Verdict, 'verdict' | 'action' | 'reason' | 'category'>;

export interface LessonsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** The published policy; null before there is one. */
  readonly policy: () => Pick<PolicySnapshot, 'timeZone' | 'strictestLevel' | 'categories' | 'contacts'> | null;
  readonly school: () => School;
  readonly reachByRole: (personId: string) => RoleReach;
  readonly nameOf: (personId: string) => string;
  /** The gateways' own decide; null before there is something to decide from. */
  readonly openCheck: () => Promise<CheckSite | null>;
}

/** For whoever reads the record of the past. */
export { eraseLessons, lessonsStandingAt, oldestLesson } from './repository.ts';

/** For `live`: what gateways are sent. */
export function teacherLessons(tx: ReadTx, now: number): TeacherLesson[] {
  return standingLessons(tx, now).map(toTeacherLesson);
}

/** What gateways had at an instant that is past. */
export function teacherLessonsThen(tx: ReadTx, at: number): TeacherLesson[] {
  return lessonsStandingAt(tx, at).map(toTeacherLesson);
}

/** Lists of one person that may stand at once. */
const MAX_STANDING = 40;
const SHOWN_EARLIER = 20;
/** Of everybody, among which one's own are looked for. */
const SEARCHED_EARLIER = 1000;

export function createLessons(options: LessonsOptions): Lessons {
  return {
    async answer(actor, ask) {
      const policy = options.policy();
      if (policy === null) throw refusal('no_policy', 'No policy is published yet, so there is nothing to give.');
      const school = options.school();
      const reach = reachOf(school, actor.personId, options.reachByRole(actor.personId));
      if (reach === null) return { state: 'not-staff' };
      const check = await options.openCheck();
      const desk: Desk = { options, policy, school, reach, check, actor, now: options.clock() };
      try {
        const { id = null, answers = null } = act(desk, ask);
        return { state: 'done', view: viewOf(desk), id, answers };
      } catch (error) {
        if (!(error instanceof InvalidFieldsError)) throw error;
        return { state: 'wrong', view: viewOf(desk), fields: error.fields };
      }
    },
  };
}

/** One person's asking, with all that it is answered from. */
interface Desk {
  readonly options: LessonsOptions;
  readonly policy: NonNullable<ReturnType<LessonsOptions['policy']>>;
  readonly school: School;
  readonly reach: Reach;
  readonly check: CheckSite | null;
  readonly actor: Actor;
  readonly now: number;
}

interface Done {
  readonly id?: string;
  readonly answers?: readonly SiteAnswer[] | null;
}

function act(desk: Desk, ask: LessonAsk): Done {
  const { now, actor } = desk;
  switch (ask.act) {
    case 'see':
      return {};
    case 'give':
      return { id: give(desk, ask.typed) };
    case 'check': {
      const terms = readTerms(ask.typed, desk.reach, desk.policy.timeZone, now);
      return { answers: answersOf(desk, terms.sites, terms, terms.from, 'left out') };
    }
    case 'end':
      return change(desk, ask.id, 'lesson.ended', (lesson) => end(lesson, { by: actor.personId, at: now }));
    case 'prolong':
      return change(desk, ask.id, 'lesson.prolonged', (lesson) => prolong(lesson, ask.minutes * 60_000, now));
    case 'add': {
      const site = readSite(ask.site);
      if (typeof site !== 'string') throw wrongField(`add-${ask.id}`, site.reason);
      return change(desk, ask.id, 'lesson.site-added', (lesson) => addSite(lesson, site, now));
    }
    default:
      return { answers: lookUp(desk, ask) };
  }
}

function give({ options, policy, reach, actor, now }: Desk, typed: TypedLesson): string {
  const { record, audit, publishing, newId } = options;
  const terms = readTerms(typed, reach, policy.timeZone, now);
  const lesson: Lesson = { ...terms, id: newId(), given: { by: actor.personId, at: now }, ended: null };
  record.write((tx) => {
    const standing = standingLessons(tx, now).filter(({ given }) => given.by === actor.personId);
    if (standing.length >= MAX_STANDING) {
      throw refusal('lesson_many', `You have ${MAX_STANDING} lesson lists in force or to come; end one first.`);
    }
    insertLesson(tx, lesson);
    audit.append(tx, { ...actOf(actor, lesson), action: 'lesson.given', after: terms });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
  return lesson.id;
}

function change(
  { options, reach, actor }: Desk,
  id: string,
  action: AuditAction,
  move: (lesson: Lesson) => Lesson,
): Done {
  const { record, audit, publishing } = options;
  record.write((tx) => {
    const before = findLesson(tx, id);
    if (before === null || !mayChange(before, reach, actor)) {
      throw refusal('lesson_unknown', 'There is no such lesson list, or it is not yours to change.');
    }
    const after = move(before);
    if (after === before) return;
    updateLesson(tx, after);
    const told = ({ sites, until, ended }: Lesson) => ({ sites, until, ended: ended !== null });
    audit.append(tx, { ...actOf(actor, after), action, before: told(before), after: told(after) });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
  return { id };
}

function actOf({ userName, address }: Actor, { id }: Lesson) {
  return { actor: userName, subject: `lesson:${id}`, address };
}

/** Whoever gave it, and whoever could have given it. */
function mayChange(lesson: Lesson, reach: Reach, { personId }: Actor): boolean {
  return lesson.given.by === personId || reaches(reach, lesson);
}

function lookUp(desk: Desk, { className, sites }: Extract<LessonAsk, { act: 'look-up' }>): SiteAnswer[] | null {
  const parts = partsOf(sites);
  if (!desk.reach.classes.includes(className)) throw wrongField('className', 'Choose one of the classes.');
  if (parts.length === 0) throw wrongField('sites', 'Give at least one site.');
  if (parts.length > MAX_SITES) throw wrongField('sites', `Give at most ${MAX_SITES} sites at a time.`);
  return answersOf(desk, parts, { classes: [className], pupils: [] }, desk.now, 'as they are');
}

function answersOf(
  { check, school, policy }: Desk,
  sites: readonly string[],
  whom: Pick<LessonTerms, 'classes' | 'pupils'>,
  at: number,
  lessons: Parameters<CheckSite>[3],
): SiteAnswer[] | null {
  if (check === null) return null;
  const audiences = audiencesOf(school, whom, policy.strictestLevel);
  const answer = (site: string, audience: Audience): SiteAnswer => {
    const verdict = check(site, audience, at, lessons);
    const category = verdict.category === null ? '' : (policy.categories[verdict.category]?.title ?? verdict.category);
    return siteAnswer(site, audience.name, verdict, { category, contact: policy.contacts.staff });
  };
  return mergeAnswers(sites.flatMap((site) => audiences.map((audience) => answer(site, audience))));
}

function viewOf(desk: Desk): LessonView {
  const { options, policy, reach, actor, now } = desk;
  const isTheirs = (lesson: Lesson): boolean =>
    reach.isAnybody ||
    lesson.given.by === actor.personId ||
    lesson.classes.some((name) => reach.classes.includes(name));
  const [standing, earlier] = options.record.read((tx) => [
    standingLessons(tx, now).filter(isTheirs),
    pastLessons(tx, now, SEARCHED_EARLIER).filter(isTheirs).slice(0, SHOWN_EARLIER),
  ]);
  const show = (lesson: Lesson): ShownLesson => shown(desk, lesson);
  const { classes } = reach;
  return { classes, timeZone: policy.timeZone, now, standing: standing.map(show), earlier: earlier.map(show) };
}

function shown(desk: Desk, lesson: Lesson): ShownLesson {
  const { options, school, reach, actor, now } = desk;
  const { id, title, sites, classes, from, until, given } = lesson;
  const names = new Map(school.pupils.map(({ user, fullName }) => [user, fullName]));
  const closed = isStanding(lesson, now) ? answersOf(desk, sites, lesson, Math.max(from, now), 'left out') : [];
  return {
    id,
    title,
    sites,
    classes,
    pupils: lesson.pupils.map((user) => ({ user, name: names.get(user) ?? user })),
    from,
    until,
    state: stateAt(lesson, now),
    givenBy: options.nameOf(given.by),
    mayChange: mayChange(lesson, reach, actor),
    closed: closed?.filter(({ opens }) => !opens) ?? null,
  };
}

function refusal(code: string, text: string): SchoolgateError {
  return new SchoolgateError(code, 'client', text);
}
