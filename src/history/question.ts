import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import { canonicalHost } from '../kernel/host.ts';
import { canonicalAddress } from '../kernel/ip.ts';
import { instantOf } from '../kernel/local-time.ts';
import { DAY_MS } from '../kernel/clock.ts';

/** What somebody wants to know of the access history. Whatever is null was not asked. */
export interface Question {
  /** Canonical user name. */
  readonly user: string | null;
  /** Canonical address of a device. */
  readonly address: string | null;
  /** Canonical host; everything under it counts. */
  readonly site: string | null;
  readonly category: string | null;
  readonly verdict: 'allow' | 'block' | null;
  /** ms since the epoch; `until` exclusive. */
  readonly from: number;
  readonly until: number;
  /** Also what the same people or devices asked for shortly before and after. */
  readonly context: boolean;
  /** Also what pages bring along by themselves. */
  readonly background: boolean;
}

/** As typed into a form or an address; times are local: `2026-11-22T09:30`. */
export type TypedQuestion = Partial<
  Readonly<
    Record<'person' | 'address' | 'site' | 'category' | 'verdict' | 'from' | 'until' | 'context' | 'background', string>
  >
>;

/** Of everybody: what is not about one person or device is about hundreds of people. */
const MOST_DAYS_OF_ALL = 7;
const MOST_DAYS = 400;

/** Reads a question. `userOf`: the canonical user name that a name stands for; null: none. Throws an InvalidFieldsError with all that is wrong. */
export function readQuestion(typed: TypedQuestion, zone: string, userOf: (name: string) => string | null): Question {
  const problems: FieldProblem[] = [];
  const wrong = (field: string, reason: string): null => {
    problems.push({ field, reason });
    return null;
  };
  const text = (field: keyof TypedQuestion): string => (typed[field] ?? '').trim();
  const read = (
    field: keyof TypedQuestion,
    canonical: (value: string) => string | null,
    reason: string,
  ): string | null => (text(field) === '' ? null : (canonical(text(field)) ?? wrong(field, reason)));
  const instant = (field: 'from' | 'until'): number =>
    instantOf(text(field), zone) ?? (wrong(field, 'Give a day and a time, such as 2026-11-23T09:00.'), Number.NaN);

  const user = read('person', userOf, 'Give a user name, such as j.smith.');
  const address = read('address', canonicalAddress, 'Give the address of a device, such as 10.1.20.7.');
  const site = read('site', siteOf, 'Give a site, such as www.example.org.');
  const [from, until] = [instant('from'), instant('until')];
  if (until <= from) wrong('until', 'The end must come after the beginning.');
  const most = user === null && address === null ? MOST_DAYS_OF_ALL : MOST_DAYS;
  if (until - from > most * DAY_MS)
    wrong(
      'until',
      `Ask for at most ${most} days at a time${most === MOST_DAYS ? '' : ', or name a person or a device'}.`,
    );
  if (user === null && address === null && site === null && text('category') === '' && problems.length === 0) {
    wrong('person', 'Name a person, a device, a site or a category: what everybody did is not shown.');
  }
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  const verdict = typed.verdict === 'allow' || typed.verdict === 'block' ? typed.verdict : null;
  const category = text('category') === '' ? null : text('category');
  return {
    user,
    address,
    site,
    category,
    verdict,
    from,
    until,
    context: typed.context === 'yes',
    background: typed.background === 'yes',
  };
}

function siteOf(typed: string): string | null {
  return canonicalHost(typed.replace(/^[a-z]+:\/\//i, '').replace(/[/?#].*$/, ''))?.name ?? null;
}
