import type { FieldProblem } from '../kernel/errors.ts';
import { localInput } from '../kernel/local-time.ts';
import type { SiteAnswer } from './answers.ts';
import type { LessonState } from './model.ts';
import type { TypedLesson } from './terms.ts';
import { parseObject } from '../kernel/json.ts';

/** What somebody asks of lesson lists, at the front desk or in the console: the same for both. Plain data, as it may travel. */
export type LessonAsk =
  | { readonly act: 'see' }
  /** `check`: only says which of the sites would stay closed. */
  | { readonly act: 'give' | 'check'; readonly typed: TypedLesson }
  | { readonly act: 'end'; readonly id: string }
  | { readonly act: 'prolong'; readonly id: string; readonly minutes: number }
  | { readonly act: 'add'; readonly id: string; readonly site: string }
  /** Would they see this now? `sites`: one a line. */
  | { readonly act: 'look-up'; readonly className: string; readonly sites: string };

/** A list as it is shown. */
export interface ShownLesson {
  readonly id: string;
  readonly title: string;
  readonly sites: readonly string[];
  readonly classes: readonly string[];
  /** User names, and as they are called. */
  readonly pupils: readonly { readonly user: string; readonly name: string }[];
  /** Ms since the epoch. */
  readonly from: number;
  readonly until: number;
  readonly state: LessonState;
  readonly givenBy: string;
  readonly mayChange: boolean;
  /** Sites on it that stay closed at its start, or now where it has begun; null: it cannot be told. Empty for lists that are over. */
  readonly closed: readonly SiteAnswer[] | null;
}

/** What somebody sees who may give lesson lists. */
export interface LessonView {
  /** Classes and groups that they may choose. */
  readonly classes: readonly string[];
  /** IANA zone of the school, and the instant this was true, ms since the epoch. */
  readonly timeZone: string;
  readonly now: number;
  readonly standing: readonly ShownLesson[];
  /** Lists that are over, newest first, to be given again. */
  readonly earlier: readonly ShownLesson[];
}

export type LessonAnswer =
  /** `id`: the list that was given or changed; `answers`: of `check` and `look-up`, null where it cannot be told. */
  | {
      readonly state: 'done';
      readonly view: LessonView;
      readonly id: string | null;
      readonly answers: readonly SiteAnswer[] | null;
    }
  | { readonly state: 'wrong'; readonly view: LessonView; readonly fields: readonly FieldProblem[] }
  /** Lesson lists are not theirs to give. */
  | { readonly state: 'not-staff' };

/** What a gateway's front desk is answered; the others are for whoever is signed in at the device that asks. */
export type DeskLessonAnswer =
  | LessonAnswer
  /** Nobody is signed in there; the console could not be asked. */
  | { readonly state: 'nobody' | 'no-answer' }
  /** In words: why it was not done. */
  | { readonly state: 'refused'; readonly reason: string };

/** The ask in a text that claims to be one: it came over a wire. Null if it is none. */
export function readAsk(json: string): LessonAsk | null {
  const ask = parseObject(json);
  if (ask === null) return null;
  const { act, ...parts } = ask;
  const isText = (...names: readonly string[]): boolean => names.every((name) => typeof parts[name] === 'string');
  const isWhole =
    act === 'see' ||
    ((act === 'give' || act === 'check') && isTyped(parts['typed'])) ||
    (act === 'end' && isText('id')) ||
    (act === 'prolong' && isText('id') && MINUTES.includes(parts['minutes'] as number)) ||
    (act === 'add' && isText('id', 'site')) ||
    (act === 'look-up' && isText('className', 'sites'));
  return isWhole ? (ask as LessonAsk) : null;
}

/** By how much a list can be made longer at once. */
export const MINUTES: readonly number[] = [5, 10, 15, 30, 60];

function isTyped(typed: unknown): boolean {
  if (typeof typed !== 'object' || typed === null) return false;
  const { classes, ...texts } = typed as Record<string, unknown>;
  const isText = (one: unknown): boolean => typeof one === 'string';
  const names = ['title', 'sites', 'pupils', 'from', 'until'];
  return Array.isArray(classes) && classes.every(isText) && names.every((name) => isText(texts[name]));
}

/** The form to begin with: from now for an hour; with `like`, the id of a list that can be seen, that list's name, sites and class. */
export function formOf({ timeZone, now, standing, earlier, classes }: LessonView, like?: string): TypedLesson {
  const model = [...standing, ...earlier].find(({ id }) => id === like);
  return {
    title: model?.title ?? '',
    sites: model?.sites.join('\n') ?? '',
    classes: model?.classes.filter((name) => classes.includes(name)) ?? [],
    pupils: model?.pupils.map(({ user }) => user).join('\n') ?? '',
    from: localInput(now, timeZone),
    until: localInput(now + 3_600_000, timeZone),
  };
}
