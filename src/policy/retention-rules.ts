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
    what: 'every request: who, when, which site, what became of it',
    days: YEAR,
    least: 35,
    most: 3 * YEAR,
    why: 'concerns look back over four weeks, and missed weekly reports over five',
  },
  auditDetails: {
    title: 'Details in the record of acts',
    what: 'before, after, reason and address of each act; who did what when stays',
    days: 6 * YEAR,
    least: YEAR,
    most: 25 * YEAR,
    why: 'a governor asks about the year that is over',
  },
} as const satisfies Readonly<Record<string, Keeping>>;
export type KeptClass = keyof typeof KEPT;

export const ALL_KEPT = Object.keys(KEPT) as readonly KeptClass[];

/** What `school.yaml` says, in days. */
export type RetentionRules = Readonly<Partial<Record<KeptClass, number>>>;

export function daysKept(rules: RetentionRules | undefined, kept: KeptClass): number {
  return rules?.[kept] ?? KEPT[kept].days;
}
