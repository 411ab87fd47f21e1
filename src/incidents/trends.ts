import { localTime } from '../kernel/local-time.ts';
import type { Incident, IncidentTheme } from './model.ts';

/** How many incidents of a theme a quarter of the calendar year had. Nobody can be told from it but by a small number. */
export interface IncidentTrend {
  /** `2026-Q4`. */
  readonly quarter: string;
  readonly theme: IncidentTheme;
  readonly incidents: number;
}

/** Counts by quarter of the school's clock in which they were recorded, and theme; oldest quarter first. */
export function countTrends(
  incidents: readonly Pick<Incident, 'openedAt' | 'theme'>[],
  zone: string,
): readonly IncidentTrend[] {
  const quarterOf = (ms: number): string => {
    const [year, month] = localTime(ms, zone).date.split('-');
    return `${year}-Q${Math.ceil(Number(month) / 3)}`;
  };
  return [...Map.groupBy(incidents, ({ openedAt, theme }) => `${quarterOf(openedAt)} ${theme}`)]
    .map(([key, same]) => ({ quarter: key.slice(0, 7), theme: same[0]!.theme, incidents: same.length }))
    .sort((a, b) => (a.quarter + a.theme < b.quarter + b.theme ? -1 : 1));
}
