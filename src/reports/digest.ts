import { localText } from '../kernel/local-time.ts';
import type { Cell, Report, ReportTable } from './report.ts';
import { count, listTable, text } from './table-parts.ts';
import { dayWords, stretchWords } from './words.ts';

/** One concern as a digest speaks of it: no name, no site. Instants are ms since the epoch; words are the school's. */
export interface DigestEntry {
  readonly concernId: string;
  readonly theme: string;
  readonly severity: string;
  /** Such as `a pupil (Key stage 3)`. */
  readonly who: string;
  readonly state: string;
  readonly isWaiting: boolean;
  readonly openedAt: number;
  /** What happened in the period; each at most once. */
  readonly opened: boolean;
  readonly worse: boolean;
  readonly again: boolean;
  readonly decided: boolean;
}

/** What happened to concerns in a period, and what waits at its end. */
export interface Digest {
  readonly from: number;
  readonly until: number;
  readonly madeAt: number;
  readonly school: string | null;
  readonly zone: string;
  readonly entries: readonly DigestEntry[];
}

/** The digest for whoever may see these of its concerns: no number counts any other. */
export function compileDigest(digest: Digest, visible: (concernId: string) => boolean): Report {
  const { from, until, madeAt, school, zone } = digest;
  const entries = digest.entries.filter(({ concernId }) => visible(concernId));
  const numberOf = (is: (entry: DigestEntry) => boolean): number => entries.filter(is).length;
  const waiting = entries.filter(({ isWaiting }) => isWaiting).sort((a, b) => a.openedAt - b.openedAt);
  return {
    title: `Concerns, ${dayWords(until, zone)}`,
    period: stretchWords(from, until, zone),
    school,
    made: localText(madeAt, zone),
    figures: [
      figure(
        'opened',
        'New',
        numberOf(({ opened }) => opened),
        'concerns that the rules opened',
      ),
      figure('worse', 'Worse or again', numberOf(isAgain), 'more was seen of concerns that were open'),
      figure(
        'decided',
        'Decided',
        numberOf(({ decided }) => decided),
        'closed, or called no concern',
      ),
      figure('waiting', 'Waiting', waiting.length, 'nobody has decided about them yet'),
    ],
    missing: listTable({
      id: 'missing',
      title: 'Waiting longest',
      note: '',
      columns: [text('What'), text('Detail')],
      rows: waiting
        .slice(0, 3)
        .map((one) => [
          `${one.severity}, ${one.theme.toLowerCase()}`,
          `${one.who}, since ${localText(one.openedAt, zone)}`,
        ]),
      whenEmpty: 'Nothing waits for a decision.',
    }),
    tables: [
      byTheme(entries),
      concernTable(
        'new',
        'New or more serious',
        'Nothing new.',
        worstFirst(entries.filter((one) => one.opened || isAgain(one))),
        zone,
      ),
      concernTable('waiting', 'Waiting for a decision', 'Nothing waits for a decision.', waiting, zone),
      concernTable(
        'decided',
        'Decided',
        'Nothing was decided.',
        entries.filter(({ decided }) => decided),
        zone,
      ),
    ],
    about:
      'From the concerns on record. Names, sites and evidence are shown in the console after signing in. A concern is a reason to look, and no proof of anything.',
  };
}

const WORST = ['Danger', 'Caution', 'Advisory'];

function worstFirst(entries: readonly DigestEntry[]): DigestEntry[] {
  return entries.toSorted((a, b) => WORST.indexOf(a.severity) - WORST.indexOf(b.severity) || a.openedAt - b.openedAt);
}

function isAgain({ opened, worse, again }: DigestEntry): boolean {
  return !opened && (worse || again);
}

function byTheme(entries: readonly DigestEntry[]): ReportTable {
  const themes = [...new Set(entries.map(({ theme }) => theme))].sort();
  const cells = (name: string, of: readonly DigestEntry[]): Cell[] => [
    name,
    of.filter(({ opened }) => opened).length,
    of.filter(isAgain).length,
    of.filter(({ decided }) => decided).length,
    of.filter(({ isWaiting }) => isWaiting).length,
  ];
  return {
    id: 'themes',
    title: 'By theme',
    note: '',
    columns: [text('Theme'), count('New'), count('Worse or again'), count('Decided'), count('Waiting')],
    rows: themes.map((theme) =>
      cells(
        theme,
        entries.filter((one) => one.theme === theme),
      ),
    ),
    rest: [],
    total: entries.length === 0 ? null : cells('All themes', entries),
    bar: [{ column: 1, tone: 'refused' }],
    whenEmpty:
      'There was no concern, and none waits. This report comes every day: when it stays away, something is wrong.',
  };
}

function concernTable(
  id: string,
  title: string,
  whenEmpty: string,
  entries: readonly DigestEntry[],
  zone: string,
): ReportTable {
  const table = listTable({
    id,
    title,
    note: '',
    columns: [text('Severity and theme'), text('Who'), text('Opened'), text('State')],
    rows: entries.map((one) => [
      `${one.severity}, ${one.theme.toLowerCase()}`,
      one.who,
      localText(one.openedAt, zone),
      one.state,
    ]),
    whenEmpty,
  });
  return { ...table, links: entries.map(({ concernId }) => `/concerns/${concernId}`) };
}

function figure(id: string, label: string, value: number, note: string) {
  return { id, label, kind: 'count' as const, value, note };
}
