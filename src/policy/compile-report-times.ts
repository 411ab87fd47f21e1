import type { YamlDocument } from '../config/yaml-document.ts';
import { type Reporting, report } from './compile-entries.ts';
import { minuteOfDay } from './compile-windows.ts';
import { DAYS, type SchoolDocument } from './document.ts';
import { SHIPPED_REPORT_TIMES } from './report-times.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** Compiles `reports`; a school that says nothing is left as shipped, so that the same files keep their hash. */
export function compileReportTimes(
  to: Reporting,
  document: YamlDocument<SchoolDocument>,
): Pick<PolicySnapshot, 'reports'> {
  const { reports } = document.value;
  if (reports === undefined) return {};
  const { digest = {}, weekly = {}, governors = {} } = reports;
  const shipped = SHIPPED_REPORT_TIMES;
  const days = [...new Set(digest.days)].map((day) => DAYS.indexOf(day)).sort((a, b) => a - b);
  if (digest.days?.length === 0) {
    report(to, document, ['reports', 'digest', 'days'], '"days" names none; leave it out for every day');
  }
  return {
    reports: {
      digest: { at: timeOf(to, document, 'digest'), ...(days.length > 0 && days.length < 7 && { days }) },
      weekly: {
        at: timeOf(to, document, 'weekly'),
        day: weekly.day === undefined ? shipped.weekly.day : DAYS.indexOf(weekly.day),
      },
      governors: { at: timeOf(to, document, 'governors'), day: governors.day ?? shipped.governors.day },
    },
  };
}

function timeOf(
  to: Reporting,
  document: YamlDocument<SchoolDocument>,
  kind: 'digest' | 'weekly' | 'governors',
): number {
  const at = document.value.reports?.[kind]?.at;
  if (at === undefined) return SHIPPED_REPORT_TIMES[kind].at;
  const minutes = minuteOfDay(at);
  const path = ['reports', kind, 'at'] as const;
  if (minutes === null || minutes === 1440) {
    report(to, document, path, `"${at}" is not a time of day; write it as "07:30"`);
    return 0;
  }
  if (Math.floor(minutes / 60) === 1) {
    report(
      to,
      document,
      path,
      'must not lie between 01:00 and 02:00, an hour that is missing or comes twice when clocks change',
    );
  }
  return minutes;
}
