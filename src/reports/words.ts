import { knownByText } from '../kernel/identified.ts';
import { localText } from '../kernel/local-time.ts';
import type { SiteTally } from './week-counts.ts';

const REASONS: Readonly<Record<string, string>> = {
  malformed: 'The request could not be read',
  protocol: 'Neither http nor https',
  port: 'A port that is not opened',
  destination: 'A private or local address',
  illegal: 'Listed as illegal',
  never: 'The school’s never-list',
  person: 'A rule for one person, or a suspension',
  group: 'A rule for a class or group',
  'block-list': 'The level’s own block list',
  category: 'A category refused at the level',
  uncategorised: 'In no list, and the level wants known sites only',
  schedule: 'Outside the level’s hours',
  lesson: 'Not among the sites of the lesson',
  agreement: 'The agreement was not accepted',
  identity: 'Nobody had signed in',
  limit: 'Too many connections at once',
  default: 'The default',
  fault: 'A fault of the filter',
};

/** A verdict's reason for a refusal, as a reader of reports would say it. */
export function reasonWords(reason: string): string {
  return REASONS[reason] ?? reason;
}

/** How it was known who asked, and how sure that is. */
export function identityWords(identified: string | null): string {
  const words = knownByText(identified ?? '');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A category's title; the id where nobody gave it one. */
export function categoryWords(category: string | null, titles: Readonly<Record<string, string>>): string {
  return category === null ? 'In no list' : (titles[category] ?? category);
}

/** What may be shown of a site: never a listed illegal address. */
export function siteWords({ name, locked }: Pick<SiteTally, 'name' | 'locked'>): string {
  if (locked) return 'A listed illegal address (never shown)';
  return name ?? 'An address that could not be read';
}

/** `4.2 %`; of nothing, 0 %. */
export function percent(part: number, whole: number): string {
  return `${(share(part, whole) * 100).toLocaleString('en-GB', { maximumFractionDigits: 1 })} %`;
}

export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** `2.4 GB`, in steps of 1,000. */
export function bytesWords(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const step = bytes < 1000 ? 0 : Math.min(5, Math.floor(Math.log10(bytes) / 3));
  const digits = step === 0 ? 0 : 1;
  return `${(bytes / 1000 ** step).toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${units[step]}`;
}

/** `Tue 24 Nov 2026`. */
export function dayWords(instant: number, zone: string): string {
  return localText(instant, zone).replace(/,.*/, '');
}

/** `Tue 24 Nov 2026, 09:00 to 11:00`, with the second day where it is another, and one time where both read the same. */
export function stretchWords(from: number, until: number, zone: string): string {
  const [begin, end] = [localText(from, zone), localText(until, zone)];
  if (begin === end) return begin;
  return `${begin} to ${dayWords(from, zone) === dayWords(until, zone) ? end.replace(/.*, /, '') : end}`;
}
