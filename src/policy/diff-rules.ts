import { entryText } from './entry.ts';
import type { CategoryActions } from './compile-entries.ts';
import type { CategoryTraits, Entries, Entry } from './snapshot.ts';
import type { Action } from './verdict.ts';

/** One difference between two policies. */
export interface PolicyChange {
  /** Plain English, such as `Key stage 2: Gambling is now allowed (was blocked)`. */
  readonly text: string;
  /** Whether a pupil may now do something that was refused. Where that cannot be told for sure, it is taken to be so. */
  readonly loosens: boolean;
  /** Left out where it is not sure that pupils may do less, and nobody more. */
  readonly tightens?: true;
}

/** Marks a change that surely closes something. */
export function tightening(isTighter: boolean): { readonly tightens?: true } {
  return isTighter ? { tightens: true } : {};
}

/** Whose rules are compared: how they are called, and whether pupils may be among them. */
export interface Subject {
  readonly name: string;
  readonly pupils: boolean;
}

const DONE: Readonly<Record<Action, string>> = {
  allow: 'allowed',
  monitor: 'allowed and watched',
  warn: 'open after a warning',
  block: 'blocked',
};
const STRENGTH: Readonly<Record<Action, number>> = { allow: 0, monitor: 1, warn: 2, block: 3 };

/** What holds for a category that is not named: a level refuses it, a group leaves it to the level. */
type Unnamed = { readonly text: string; readonly action: Action | null };
export const BY_DEFAULT: Unnamed = { text: 'blocked, because nothing is said of it', action: 'block' };
export const BY_LEVEL: Unnamed = { text: 'left to the level', action: null };

export function diffActions(
  { name, pupils }: Subject,
  before: CategoryActions,
  after: CategoryActions,
  unnamed: Unnamed,
  categories: Readonly<Record<string, CategoryTraits>>,
): PolicyChange[] {
  const ids = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return ids.flatMap((id) => {
    const [old, next] = [before[id]?.action ?? null, after[id]?.action ?? null];
    if (old === next) return [];
    const title = categories[id]?.title ?? id;
    const text = `${name}: ${title} is now ${doneText(next, unnamed)} (was ${doneText(old, unnamed)})`;
    const [now, was] = [next ?? unnamed.action, old ?? unnamed.action];
    return [{ text, loosens: pupils && isWeaker(now, was), ...tightening(pupils && isStricter(now, was)) }];
  });
}

export function diffAction({ name, pupils }: Subject, what: string, before: Action, after: Action): PolicyChange[] {
  if (before === after) return [];
  const text = `${name}: ${what} are now ${DONE[after]} (were ${DONE[before]})`;
  return [{ text, loosens: pupils && isWeaker(after, before), ...tightening(pupils && isStricter(after, before)) }];
}

function doneText(action: Action | null, unnamed: Unnamed): string {
  return action === null ? unnamed.text : DONE[action];
}

/** Null: a level decides, and which cannot be told here; only a plain block is then sure to be no weaker. */
function isWeaker(next: Action | null, old: Action | null): boolean {
  if (next === null) return true;
  if (old === null) return next !== 'block';
  return STRENGTH[next] < STRENGTH[old];
}

/** Null: a level decides, so that it is not sure. */
function isStricter(next: Action | null, old: Action | null): boolean {
  return next !== null && old !== null && STRENGTH[next] > STRENGTH[old];
}

export function diffEntries({ name, pupils }: Subject, before: Entries, after: Entries): PolicyChange[] {
  const allowed = compare(before.allow.map(entryText), after.allow.map(entryText));
  const blocked = compare(before.block.map(entryText), after.block.map(entryText));
  const line = (site: string, text: string, loosens: boolean): PolicyChange => ({
    text: `${name}: ${site} ${text}`,
    loosens: pupils && loosens,
    ...tightening(pupils && !loosens),
  });
  return [
    ...allowed.added.map((site) => line(site, 'is now always allowed', true)),
    ...allowed.removed.map((site) => line(site, 'is no longer always allowed', false)),
    ...blocked.added.map((site) => line(site, 'is now always blocked', false)),
    ...blocked.removed.map((site) => line(site, 'is no longer always blocked', true)),
  ];
}

/** What one list has that the other has not, in the lists' own order. */
export function compare<T>(before: readonly T[], after: readonly T[]): { readonly added: T[]; readonly removed: T[] } {
  const [old, next] = [new Set(before), new Set(after)];
  return { added: after.filter((one) => !old.has(one)), removed: before.filter((one) => !next.has(one)) };
}

export function sitesText(entries: readonly Entry[]): string {
  return entries.map(entryText).join(', ');
}
