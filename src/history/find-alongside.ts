import { openSpan, quoted } from './open-span.ts';

/** A host that was refused when sites were opened, and to how many people (or devices, where nobody is known). */
export interface Alongside {
  readonly host: string;
  readonly people: number;
}

export interface AlongsideOptions {
  /** The history folder. */
  readonly folder: string;
  /** ms since the epoch; `until` exclusive. */
  readonly from: number;
  readonly until: number;
  /** Categories of what pages bring along by themselves. */
  readonly background: readonly string[];
}

/** How soon after one another a page's own parts are asked for, ms. */
const ALONGSIDE_MS = 10_000;
/** Of a site that everybody opens the last times are enough. */
const MOST_OPENED = 5000;
const MOST_FOUND = 10;

/**
 * Other hosts that were refused to whoever opened one of these sites (canonical hosts, with everything under them), or tried to, within ten
 * seconds; the ones that most people were refused first. That a page needs them is a guess: nothing tells which page asks. What is flagged
 * or background is left out, so that nobody is offered what somebody else should not have asked for.
 */
export async function findAlongside(
  sites: readonly string[],
  { folder, from, until, background }: AlongsideOptions,
): Promise<Alongside[]> {
  if (sites.length === 0) return [];
  const isSite = sites.map((site) => `host = ${quoted(site)} OR ends_with(host, ${quoted(`.${site}`)})`).join(' OR ');
  const isBackground = background.length === 0 ? 'false' : `category IN (${background.map(quoted).join(', ')})`;
  const span = await openSpan(folder, from, until, () => undefined);
  try {
    await span.duck.rows(`CREATE TEMP TABLE opened AS
      SELECT coalesce("user", client) AS who, "at" FROM requests
      WHERE "at" >= ${from} AND "at" < ${until} AND NOT locked AND (${isSite}) ORDER BY "at" DESC LIMIT ${MOST_OPENED}`);
    const rows = await span.duck.rows(`
      WITH refused AS (SELECT coalesce("user", client) AS who, "at", host FROM requests
        WHERE verdict = 'block' AND NOT locked AND NOT flagged AND host IS NOT NULL AND NOT (${isSite})
          AND NOT coalesce(${isBackground}, false))
      SELECT host, count(DISTINCT who)::DOUBLE AS people FROM refused
      WHERE EXISTS (SELECT 1 FROM opened WHERE opened.who = refused.who AND abs(opened."at" - refused."at") <= ${ALONGSIDE_MS})
      GROUP BY host ORDER BY people DESC, host LIMIT ${MOST_FOUND}`);
    return rows.map(([host, people]) => ({ host: String(host), people: Number(people) }));
  } finally {
    span.close();
  }
}
