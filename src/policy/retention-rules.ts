/** A class of data that goes by itself, in days. */
interface Keeping {
  readonly title: string;
  /** What belongs to it, as a phrase. */
  readonly what: string;
  /** Where `school.yaml` says nothing. */
  readonly days: number;
  /** What a school may say, both included, and why. */
  readonly least: number;
  readonly most: number;
  readonly why: string;
}

const YEAR = 365;

/** The names of the settings under `retention` in `school.yaml`, in the order of the page. */
export const KEPT = {
  history: {
    title: 'Access history',
    what: 'every request: who, when, which site, what became of it; by whole days (UTC)',
    days: YEAR,
    least: 35,
    most: 3 * YEAR,
    why: 'concerns look back over four weeks, and missed weekly reports over five',
  },
  flagged: {
    title: 'Flagged requests and searches',
    what: 'requests that an adult should know of, also as rules count them, but for those of a concern',
    days: YEAR,
    least: 35,
    most: 3 * YEAR,
    why: 'concerns look back over four weeks',
  },
  dismissedConcerns: {
    title: 'Concerns that were none',
    what: 'concerns that somebody called no concern, with what led to them and the alerts about them',
    days: YEAR,
    least: 90,
    most: 6 * YEAR,
    why: 'which rules are dismissed most is judged over a term',
  },
  closedConcerns: {
    title: 'Closed concerns',
    what: 'concerns that were dealt with, with their evidence, what was done, and the alerts about them',
    days: 6 * YEAR,
    least: YEAR,
    most: 25 * YEAR,
    why: 'a child’s next teacher may need to know, and so may a court',
  },
  incidents: {
    title: 'Incidents that are closed',
    what: 'incidents with what was done, and reports that were none, from their end',
    days: 6 * YEAR,
    least: YEAR,
    most: 25 * YEAR,
    why: 'a child’s next teacher may need to know, and so may a court',
  },
  checks: {
    title: 'Checks of the filter',
    what: 'the log of self-tests and of checks by people',
    days: 3 * YEAR,
    least: YEAR,
    most: 10 * YEAR,
    why: 'governors ask about the year that is over',
  },
  deliveries: {
    title: 'Mails and calls that left',
    what: 'what was sent to whom when, or could not be',
    days: 90,
    least: 14,
    most: 3 * YEAR,
    why: 'whoever was ill for two weeks asks what they were sent',
  },
  outbox: {
    title: 'Mails written to files',
    what: 'the mails of a school without a mail server, in the folder outbox',
    days: 90,
    least: 14,
    most: 3 * YEAR,
    why: 'somebody has to have read them',
  },
  requests: {
    title: 'Requests and lessons that are over',
    what: 'unblocks, what was asked for at the front desk, and lesson lists, from their end',
    days: 3 * YEAR,
    least: YEAR,
    most: 10 * YEAR,
    why: 'governors ask about the year that is over',
  },
  reports: {
    title: 'Reports',
    what: 'weekly and governors’ reports and digests, on record and in the folder reports',
    days: 3 * YEAR,
    least: YEAR,
    most: 10 * YEAR,
    why: 'governors ask about the year that is over',
  },
  leavers: {
    title: 'People who have left',
    what: 'names, classes, passwords, from the day a roster named them no more; rows that speak of them keep a number',
    days: YEAR,
    least: 30,
    most: 10 * YEAR,
    why: 'a roster may have left somebody out',
  },
  guests: {
    title: 'Guests',
    what: 'names of guests and what they came for, from the end of their voucher',
    days: YEAR,
    least: 30,
    most: 3 * YEAR,
    why: 'what a guest did is asked about for a while',
  },
  pastDirectory: {
    title: 'Who belonged to the school before',
    what: 'the directory as gateways had it at earlier times, for checks of the past',
    days: YEAR,
    least: 35,
    most: 3 * YEAR,
    why: 'the access history is read with it',
  },
  alarms: {
    title: 'Alarms and news',
    what: 'alarms and announcements, gaps in the history, and what gateways sent that was not understood',
    days: YEAR,
    least: 90,
    most: 3 * YEAR,
    why: 'reports say which data is missing',
  },
  auditDetails: {
    title: 'Details in the record of acts',
    what: 'before, after, reason and address of each act; who did what when stays',
    days: 6 * YEAR,
    least: YEAR,
    most: 25 * YEAR,
    why: 'governors ask about the year that is over',
  },
} as const satisfies Readonly<Record<string, Keeping>>;
export type KeptClass = keyof typeof KEPT;

export const ALL_KEPT = Object.keys(KEPT) as readonly KeptClass[];

/** What `school.yaml` says, in days. */
export type RetentionRules = Readonly<Partial<Record<KeptClass, number>>>;

export function daysKept(rules: RetentionRules | undefined, kept: KeptClass): number {
  return rules?.[kept] ?? KEPT[kept].days;
}

/** The table as it stands in the README of the policies. */
export function retentionMarkdown(): string {
  const lines = ALL_KEPT.map((name) => {
    const { title, what, days, least, most } = KEPT[name];
    return `| \`${name}\` | ${days} | ${least} to ${most} | ${title}: ${what} |`;
  });
  return ['| class | default | days | what it is |', '|---|---|---|---|', ...lines].join('\n');
}
