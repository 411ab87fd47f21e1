import { isRepeat } from '../gateway/refusal-log.ts';
import type { ToldRecord } from '../gateway/told-refusal.ts';
import { CATEGORY, type Voice } from '../gateway/words/words.ts';
import { opensText } from '../gateway/words/opens.ts';
import { type Theme, themeOf, wordsFor } from '../gateway/words/theme.ts';
import { WENT_ON_IS_SEEN } from '../gateway/words/warnings.ts';
import { HELPLINES, type Helpline } from '../gateway/words/helplines.ts';
import type { LessonNotice } from '../policy/lesson-lists.ts';
import type { DeskFacts } from './facts.ts';

/** Where the front desk learns what was refused. */
export interface RecentRefusals {
  /** Refusals of one client address, canonical. Rejects when the gateway cannot be asked. */
  of(client: string): Promise<readonly ToldRecord[]>;
}

/** One refusal as it is told. */
export interface ToldRefusal {
  /** Host that was asked for; null where it is not shown or has no form. */
  readonly host: string | null;
  readonly locked: boolean;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly reference: string;
  readonly voice: Voice;
  readonly why: readonly string[];
  readonly todo: readonly string[];
  readonly help: readonly Helpline[];
  readonly urgent: boolean;
  /** The lesson lists in force that this one was not on. */
  readonly lesson: LessonNotice | null;
  /** The way on from a warning: what its button carries, and who sees that it was pressed. Null: there is none. */
  readonly wayOn: { readonly ticket: string; readonly seen: string } | null;
}

/** Refusals to look at, newest first, and apart from them the adverts and trackers, which nobody asked for knowingly. */
export interface ToldRefusals {
  readonly pages: readonly ToldRefusal[];
  readonly adverts: readonly ToldRefusal[];
}

const LINES = 20;
const REACH_MS = 3_600_000;

/** What this client was refused within the last hour, at most 20 lines of each kind; repeats of one are one line. */
export function tellRefusals(
  records: readonly ToldRecord[],
  client: string,
  now: number,
  facts: DeskFacts,
): ToldRefusals {
  const own = records
    // Asked for by address already; asked again here, because nothing else keeps one pupil's refusals from another.
    .filter((one) => one.client === client && one.verdict === 'block' && now - Date.parse(one.at) < REACH_MS)
    .sort((a, b) => (a.id < b.id ? 1 : -1));
  const lines = withoutRepeats(own).map((record) => ({ record, theme: themeOf(record) }));
  const of = (isAdvert: boolean): readonly ToldRefusal[] =>
    lines
      .filter((line) => (line.theme === 'adverts') === isAdvert)
      .slice(0, LINES)
      .map(({ record, theme }) => tell(record, theme, facts));
  return { pages: of(false), adverts: of(true) };
}

/** Newest first. The newest of a row of repeats stays. */
function withoutRepeats(records: readonly ToldRecord[]): readonly ToldRecord[] {
  const rows: { readonly first: ToldRecord; last: ToldRecord }[] = [];
  for (const record of records) {
    const row = rows.find(({ last }) => isRepeat(last, record));
    if (row === undefined) rows.push({ first: record, last: record });
    else row.last = record;
  }
  return rows.map((row) => row.first);
}

function tell(record: ToldRecord, theme: Theme, facts: DeskFacts): ToldRefusal {
  const isHidden = record.locked || record.reason === 'illegal';
  const voice = facts.voiceOf(record.level);
  const words = wordsFor(theme, voice, facts.illegal);
  const opens = record.opens === undefined ? [] : [opensText(record.opens, Date.parse(record.at), facts.timeZone)];
  const title = record.category === null ? '' : facts.titleOf(record.category);
  return {
    host: isHidden ? null : record.host,
    locked: isHidden,
    at: record.at,
    reference: record.id,
    voice,
    why: [...words.why.map((sentence) => sentence.replaceAll(CATEGORY, () => title)), ...opens],
    todo: words.todo,
    help: words.help.map((id) => HELPLINES[id]),
    urgent: words.urgent,
    lesson: record.lesson ?? null,
    wayOn: record.ticket === undefined ? null : { ticket: record.ticket, seen: WENT_ON_IS_SEEN[voice] },
  };
}

/** How soon after one another a page's own parts are asked for, ms. */
const ALONGSIDE_MS = 10_000;
const MAX_ALONGSIDE = 10;

/**
 * Other hosts that were refused to this client within ten seconds of one of the sites that are typed (one a line), without adverts and what
 * is not shown. That the page needs them is a guess, since nothing tells which page asks.
 */
export function refusedAlongside(records: readonly ToldRecord[], client: string, typed: string): string[] {
  const sites = new Set(typed.split(/[\n,]/).map((part) => part.trim()));
  const own = records.filter((one) => one.client === client && one.verdict === 'block' && one.host !== null);
  const times = own.filter(({ host }) => sites.has(host!)).map(({ at }) => Date.parse(at));
  const near = own.filter(
    (one) =>
      !one.locked &&
      one.reason !== 'illegal' &&
      !sites.has(one.host!) &&
      themeOf(one) !== 'adverts' &&
      times.some((at) => Math.abs(at - Date.parse(one.at)) <= ALONGSIDE_MS),
  );
  return [...new Set(near.map(({ host }) => host!))].slice(0, MAX_ALONGSIDE);
}
