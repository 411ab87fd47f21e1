import { SchoolgateError } from '../kernel/errors.ts';
import { batchQueries, CLASHES, COMPACT, HOUR_MS, hoursQuery, PREPARE, type Query } from './count-queries.ts';
import type { Span } from './ports.ts';
import { type TableQueries, tableQueries } from './table-queries.ts';
import type {
  CountSettings,
  FaultCount,
  HourCount,
  PairTally,
  Ranking,
  SearchCount,
  SiteTally,
  Tally,
  VolumeTally,
  WeekCounts,
} from './week-counts.ts';

type Value = string | number | boolean | null;
/** Answers statements about `requests`, the access history of the span (see `count-queries`). */
export type Ask = (sql: string) => Promise<readonly (readonly Value[])[]>;
/** The term that an address asks a search engine for; null: none. */
export type TermOf = (target: string, categories: readonly string[]) => string | null;

/** So many requests are sorted in memory at a time. */
const MOST_REQUESTS = 1_000_000;
/** Each time leaves a row for each visit; they are added up before they fill the memory. */
const MOST_VISITS = 2_000_000;
const TOP_SEARCHES = 25;

/** Counts every request of the span once, exactly and in bounded memory, whatever order they were recorded in. */
export async function countWeek(ask: Ask, span: Span, settings: CountSettings, termOf: TermOf): Promise<WeekCounts> {
  for (const { sql } of PREPARE) await ask(sql);
  if ((await ask(CLASHES)).length > 0) throw clash();
  const requests = new Map((await ask(hoursQuery(span).sql)) as readonly (readonly [number, number])[]);
  for (const batch of batchesOf(span, requests)) {
    for (const { sql } of batchQueries(batch, span.from)) await ask(sql);
    const [[rows]] = (await ask('SELECT count(*)::DOUBLE FROM visits')) as [[number]];
    if (rows > MOST_VISITS) await ask(COMPACT.sql);
  }
  await ask(COMPACT.sql);
  return await readTables(ask, span, requests, tableQueries(settings), termOf);
}

/** Hours with requests, as many together as are not too many requests (`most`); one that has more in equal parts. */
export function batchesOf(span: Span, requests: ReadonlyMap<number, number>, most = MOST_REQUESTS): Span[] {
  const batches: (Span & { readonly requests: number })[] = [];
  for (const [hour, count] of requests) {
    const from = span.from + hour * HOUR_MS;
    const until = Math.min(from + HOUR_MS, span.until);
    const last = batches.at(-1);
    if (last !== undefined && last.requests + count <= most) {
      batches[batches.length - 1] = { from: last.from, until, requests: last.requests + count };
      continue;
    }
    const parts = Math.max(1, Math.ceil(count / most));
    const border = (part: number): number => from + Math.floor(((until - from) * part) / parts);
    for (let part = 0; part < parts; part++) {
      batches.push({ from: border(part), until: border(part + 1), requests: Math.ceil(count / parts) });
    }
  }
  return batches.map(({ from, until }) => ({ from, until }));
}

/** Every statement a report of the span is made with, in order, each with what it is for. */
export function explainedQueries(span: Span, settings: CountSettings): readonly Query[] {
  const [first, ...rest] = batchQueries(span, span.from);
  return [
    ...PREPARE,
    hoursQuery(span),
    { title: `${first!.title} (here all; a large school’s a few at a time, one after the other)`, sql: first!.sql },
    ...rest,
    COMPACT,
    ...Object.values(tableQueries(settings)),
  ];
}

async function readTables(
  ask: Ask,
  span: Span,
  requests: ReadonlyMap<number, number>,
  queries: TableQueries,
  termOf: TermOf,
): Promise<WeekCounts> {
  const rows = (name: keyof TableQueries): Promise<readonly (readonly Value[])[]> => ask(queries[name].sql);
  const tallies = async (name: keyof TableQueries): Promise<Tally[]> => (await rows(name)).map((row) => tallyOf(row));
  const rank = async (name: keyof TableQueries): Promise<Ranking> =>
    rankingOf(await rows(name), (row) => tallyOf(row.toSpliced(0, 1).toSpliced(1, 1)));
  const siteRank = async (name: keyof TableQueries): Promise<Ranking<SiteTally>> => rankingOf(await rows(name), siteOf);
  const [[tunnels, withoutEnd]] = (await rows('seen')) as [[number, number]];
  const [[signedIn]] = (await rows('signedIn')) as [[number]];
  const flagged = tallyOf((await rows('flagged'))[0]!);
  return {
    span,
    hours: hoursOf(span, requests, await rows('hours')),
    faults: (await rows('faults')).map(([gateway, worker, requests, first, last]) => ({
      gateway,
      worker,
      requests,
      first,
      last,
    })) as readonly FaultCount[],
    all: tallyOf((await rows('all'))[0]!),
    flagged: flagged.allowed + flagged.refused,
    signedIn,
    unidentified: tallyOf((await rows('unidentified'))[0]!),
    tunnels,
    withoutEnd,
    levels: await tallies('levels'),
    categories: await tallies('categories'),
    identities: await tallies('identities'),
    reasons: await tallies('reasons'),
    sites: await siteRank('sites'),
    refusedSites: await siteRank('refusedSites'),
    circumvention: await siteRank('circumvention'),
    unidentifiedDevices: await rank('unidentifiedDevices'),
    volumes: withSources(await rank('volumes'), await rows('mostFrom')),
    pairs: rankingOf(await rows('pairs'), pairOf),
    searches: searchesOf(await rows('searches'), termOf),
  };
}

function hoursOf(span: Span, requests: ReadonlyMap<number, number>, rows: readonly (readonly Value[])[]): HourCount[] {
  const begun = new Map(rows.map(([hour, ...counts]) => [hour, counts as [number, number]]));
  return Array.from({ length: Math.ceil((span.until - span.from) / HOUR_MS) }, (_, hour) => {
    const [navigations, refused] = begun.get(hour) ?? [0, 0];
    return { from: span.from + hour * HOUR_MS, requests: requests.get(hour) ?? 0, navigations, refused };
  });
}

function tallyOf([name, allowed, refused, requests, bytes, people]: readonly Value[]): Tally {
  return { name, allowed, refused, requests, bytes, people } as Tally;
}

function siteOf([, name, locked, ...rest]: readonly Value[]): SiteTally {
  return {
    ...tallyOf([name!, ...rest]),
    locked: locked === 'true',
    why: JSON.parse(rest[5] as string) as SiteTally['why'],
  };
}

function pairOf([, name, site, ...rest]: readonly Value[]): PairTally {
  return { ...tallyOf([name!, ...rest]), site: site as string | null };
}

function rankingOf<Row extends Tally>(
  rows: readonly (readonly Value[])[],
  rowOf: (row: readonly Value[]) => Row,
): Ranking<Row> {
  const part = (name: string): readonly (readonly Value[])[] => rows.filter(([part]) => part === name);
  const sum = (name: string): Tally => tallyOf([null, ...part(name)[0]!.slice(3)]);
  const more = Number(part('others')[0]![1]);
  const apart = sum('apart');
  return {
    top: part('top').map(rowOf),
    more,
    others: more === 0 ? null : sum('others'),
    apart: apart.requests === 0 ? null : apart,
    total: sum('total'),
  };
}

function withSources(volumes: Ranking, sources: readonly (readonly Value[])[]): Ranking<VolumeTally> {
  const byName = new Map(sources.map(([name, ...rest]) => [name, rest]));
  const top = volumes.top.map((tally): VolumeTally => {
    const [sites, mostFrom, mostBytes] = byName.get(tally.name)! as [number, string | null, number];
    return { ...tally, sites, mostFrom, mostBytes };
  });
  return { ...volumes, top };
}

/** What was asked of search engines, most often first. The same words in other letters are one search. */
function searchesOf(rows: readonly (readonly Value[])[], termOf: TermOf): WeekCounts['searches'] {
  const found = new Map<string, { times: number; readonly people: Set<string> }>();
  for (const [target, categories, person, times] of rows as readonly (readonly [string, string, string, number])[]) {
    const term = termOf(target, categories === '' ? [] : categories.split('\n'))
      ?.toLowerCase()
      .replaceAll(/\s+/g, ' ');
    if (term === undefined) continue;
    const known = found.get(term) ?? { times: 0, people: new Set() };
    known.times += times;
    known.people.add(person);
    found.set(term, known);
  }
  const all = Array.from(found, ([term, { times, people }]): SearchCount => ({
    term,
    times,
    people: people.size,
  })).sort((a, b) => b.times - a.times || (a.term < b.term ? -1 : 1));
  const below = all.slice(TOP_SEARCHES);
  const sum = (some: readonly SearchCount[]): number => some.reduce((total, { times }) => total + times, 0);
  return { top: all.slice(0, TOP_SEARCHES), more: below.length, moreTimes: sum(below), times: sum(all) };
}

function clash(): SchoolgateError {
  const text = 'Two names of this period cannot be told apart in a count: make the report of a shorter period.';
  return new SchoolgateError('report_clash', 'us', text);
}
