import { isSignedIn, isUnidentified } from './count-tables.ts';
import type { Visits } from './navigations.ts';
import type { Figure } from './report.ts';
import { mergeTallies, type Tally, tallyBy } from './tally.ts';
import type { WeekCounts } from './weekly.ts';
import { percent, share } from './words.ts';

/** The numbers that stand at the top of a report. */
export function figuresOf(counts: WeekCounts): Figure[] {
  const all = sumOf(counts.visits);
  const unidentified = sumOf(counts.visits.filter(isUnidentified));
  const flagged = sumOf(counts.visits.filter((visit) => visit.flagged));
  const people = sumOf(counts.visits.filter(isSignedIn)).who.size;
  const navigations = all.allowed + all.refused;
  return [
    figure(
      'requests',
      'Requests',
      all.requests,
      `${percent(counts.tunnels, all.requests)} encrypted: the site’s name only`,
    ),
    figure('navigations', 'Navigations', navigations, 'same person, site and answer within ten seconds: one'),
    figure('refused', 'Refused', all.refused, `${percent(all.refused, navigations)} of navigations`),
    figure('flagged', 'Flagged', flagged.allowed + flagged.refused, 'navigations an adult should know of'),
    {
      id: 'unidentified',
      label: 'Unidentified',
      kind: 'share',
      value: share(unidentified.requests, all.requests),
      note: `${unidentified.requests.toLocaleString('en-GB')} requests, ${unidentified.who.size.toLocaleString('en-GB')} devices`,
    },
    figure('people', 'People', people, 'signed in at least once'),
    { id: 'data', label: 'Data', kind: 'bytes', value: all.bytes, note: 'carried, both ways' },
    figure(
      'faults',
      'Faults',
      counts.faults.reduce((sum, fault) => sum + fault.requests, 0),
      'requests refused by a fault',
    ),
  ];
}

function figure(id: string, label: string, value: number, note: string): Figure {
  return { id, label, kind: 'count', value, note };
}

function sumOf(visits: readonly Visits[]): Tally {
  return mergeTallies(
    '',
    tallyBy(visits, () => ''),
  );
}
