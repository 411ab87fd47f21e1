import type { IdentifiedBy } from '../kernel/identified.ts';
import { NAVIGATION_MS } from '../kernel/navigation.ts';
import type { Cell } from './columns.ts';
import type { Duck } from './duck.ts';
import { type OnUnreadable, openSpan, quoted } from './open-span.ts';
import type { Question } from './question.ts';

/** One line of a timeline: what one person or device asked of one site, answered alike, with less than ten seconds between. */
export interface TimelineLine {
  /** When the first of them began and the last, ms since the epoch. */
  readonly at: number;
  readonly last: number;
  readonly user: string | null;
  /** `class`: the user is an account that a class shares. */
  readonly account: 'class' | null;
  readonly identified: IdentifiedBy;
  readonly client: string;
  readonly level: string;
  /** Null for what is listed as illegal, whatever else is known of it. */
  readonly host: string | null;
  /** The first page address that was visible; of encrypted sites none is. */
  readonly page: string | null;
  readonly verdict: 'allow' | 'block';
  readonly reason: string;
  readonly category: string | null;
  readonly requests: number;
  readonly bytes: number;
  readonly flagged: boolean;
  readonly locked: boolean;
  /** False: it is shown as context only. */
  readonly asked: boolean;
}

/** One page of a timeline, oldest first. */
export interface Timeline {
  readonly lines: readonly TimelineLine[];
  /** Of all pages. */
  readonly found: number;
  /** Requests that pages brought along by themselves, and that were left out. */
  readonly background: number;
}

export interface Looking {
  readonly folder: string;
  /** Canonical user name of whoever looks: their own requests are never among the lines. */
  readonly self: string;
  /** Categories of what pages bring along by themselves. */
  readonly background: readonly string[];
  readonly skip: number;
  readonly take: number;
  readonly onUnreadable: OnUnreadable;
}

/** What is shown before and after, ms. */
const CONTEXT_MS = 2 * 60_000;

/** Answers a question from the access history. */
export async function findLines(question: Question, looking: Looking): Promise<Timeline> {
  const around = question.context ? CONTEXT_MS : 0;
  const span = await openSpan(looking.folder, question.from - around, question.until + around, looking.onUnreadable);
  try {
    await makeLines(span.duck, question, looking);
    const [[found]] = (await span.duck.rows('SELECT count(*)::DOUBLE FROM timeline')) as [[number]];
    const [[background]] = (await span.duck.rows('SELECT count(*)::DOUBLE FROM asked WHERE is_background')) as [
      [number],
    ];
    const rows = await span.duck.rows(
      `SELECT * FROM timeline ORDER BY "at", who, host, verdict LIMIT ${looking.take} OFFSET ${looking.skip}`,
    );
    return { lines: rows.map((row) => lineOf(row as Cell[])), found, background: question.background ? 0 : background };
  } finally {
    span.close();
  }
}

/** Tables: `asked` (what was asked for and its context), `timeline` (folded). */
async function makeLines(duck: Duck, question: Question, { self, background }: Looking): Promise<void> {
  const around = question.context ? CONTEXT_MS : 0;
  await duck.rows(`CREATE TEMP TABLE asked AS
    WITH seen AS (SELECT *, coalesce("user", client) AS who, coalesce(${isOneOf('category', background)}, false) AS is_background,
      coalesce(${isAsked(question)}, false) AS is_asked FROM requests WHERE ${isInScope(question, self)}),
    near AS (SELECT *, max(is_asked::TINYINT) OVER (PARTITION BY who ORDER BY "at"
      RANGE BETWEEN ${around} PRECEDING AND ${around} FOLLOWING) AS close FROM seen)
    SELECT * FROM near WHERE ${question.context ? 'close = 1' : 'is_asked'}`);
  await duck.rows(`CREATE TEMP TABLE timeline AS
    WITH stepped AS (SELECT *, coalesce("at" - lag("at") OVER alike >= ${NAVIGATION_MS}, true) AS begins FROM asked
      WHERE ${question.background ? 'true' : 'NOT is_background'}
      WINDOW alike AS (PARTITION BY who, identified, client, host, verdict, reason, category, level, locked ORDER BY "at")),
    numbered AS (SELECT *, sum(begins::INTEGER) OVER (PARTITION BY who, identified, client, host, verdict, reason, category, level, locked
      ORDER BY "at" ROWS UNBOUNDED PRECEDING) AS number FROM stepped)
    SELECT min("at")::DOUBLE AS "at", max("at")::DOUBLE AS last, any_value("user") AS "user", any_value(account) AS account,
      identified, client, level,
      CASE WHEN locked THEN NULL ELSE host END AS host,
      CASE WHEN locked THEN NULL ELSE arg_min(target, "at") FILTER (WHERE target LIKE 'http://%') END AS page,
      verdict, reason, category, count(*)::DOUBLE AS requests, sum(up + down)::DOUBLE AS bytes,
      bool_or(flagged) AS flagged, locked, bool_or(is_asked) AS is_asked, who
    FROM numbered GROUP BY who, identified, client, level, host, verdict, reason, category, locked, number`);
}

/** Whose requests may be shown at all, and of which time. */
function isInScope({ user, address }: Question, self: string): string {
  const who = [
    `"user" IS DISTINCT FROM ${quoted(self)}`,
    ...(user === null ? [] : [`"user" = ${quoted(user)}`]),
    ...(address === null ? [] : [`client = ${quoted(address)}`]),
  ];
  return who.join(' AND ');
}

function isAsked({ site, category, verdict, from, until }: Question): string {
  const parts = [
    `"at" >= ${from} AND "at" < ${until}`,
    ...(site === null ? [] : [`NOT locked AND (host = ${quoted(site)} OR ends_with(host, ${quoted(`.${site}`)}))`]),
    ...(category === null
      ? []
      : [`(category = ${quoted(category)} OR list_contains(string_split(categories, chr(10)), ${quoted(category)}))`]),
    ...(verdict === null ? [] : [`verdict = ${quoted(verdict)}`]),
  ];
  return parts.join(' AND ');
}

function isOneOf(column: string, values: readonly string[]): string {
  return values.length === 0 ? 'false' : `${column} IN (${values.map(quoted).join(', ')})`;
}

/** Columns of `timeline`, in their order. */
const COLUMNS = [
  'at',
  'last',
  'user',
  'account',
  'identified',
  'client',
  'level',
  'host',
  'page',
  'verdict',
  'reason',
  'category',
  'requests',
  'bytes',
  'flagged',
  'locked',
  'asked',
] as const satisfies readonly (keyof TimelineLine)[];

function lineOf(row: readonly Cell[]): TimelineLine {
  return Object.fromEntries(COLUMNS.map((name, i) => [name, row[i]])) as unknown as TimelineLine;
}
