import { HOUR_MS } from '../kernel/clock.ts';
import { NUMBER, yearsQuery } from './count-queries.ts';
import type { Span } from './ports.ts';
import { CLASHES, type Query, SUMS } from './sum-queries.ts';
import { type Ask, clash, explainedSums, type Value } from './sum-requests.ts';
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

/** The term that an address asks a search engine for; null: none. */
export type TermOf = (target: string, categories: readonly string[]) => string | null;

const TOP_SEARCHES = 25;
const PLACE: Query = { title: 'Where sums are collected', sql: "ATTACH ':memory:' AS sums" };

/** Counts a span of which `sums` holds every part once (`sumRequests`). */
export async function countWeek(ask: Ask, span: Span, settings: CountSettings, termOf: TermOf): Promise<WeekCounts> {
  for (const { sql } of [...NUMBER, yearsQuery(settings)]) await ask(sql);
  if ((await ask(CLASHES)).length > 0) throw clash();
  return await readTables(ask, span, tableQueries(span, settings), termOf);
}

/** Every statement a report of the span is made with, in order, each with what it is for. */
export function explainedQueries(span: Span, settings: CountSettings): readonly Query[] {
  return [
    PLACE,
    ...SUMS,
    ...explainedSums(span),
    ...NUMBER,
    yearsQuery(settings),
    ...Object.values(tableQueries(span, settings)),
  ];
}

async function readTables(ask: Ask, span: Span, queries: TableQueries, termOf: TermOf): Promise<WeekCounts> {
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
    hours: hoursOf(span, await rows('hours')),
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
    years: (await tallies('years')).toSorted(byYear),
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

/** Reception, year 1 to year 13, and whoever is in none. */
function byYear(a: Tally, b: Tally): number {
  if (a.name === null || b.name === null) return Number(a.name === null) - Number(b.name === null);
  return a.name.localeCompare(b.name, 'en', { numeric: true });
}

function hoursOf(span: Span, rows: readonly (readonly Value[])[]): HourCount[] {
  const counted = new Map(rows.map(([hour, ...counts]) => [hour, counts as [number, number, number]]));
  return Array.from({ length: Math.ceil((span.until - span.from) / HOUR_MS) }, (_, hour) => {
    const [requests, navigations, refused] = counted.get(hour) ?? [0, 0, 0];
    return { from: span.from + hour * HOUR_MS, requests, navigations, refused };
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
