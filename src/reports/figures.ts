import type { Figure } from './report.ts';
import type { WeekCounts } from './week-counts.ts';
import { percent, share } from './words.ts';

/** The numbers that stand at the top of a report. */
export function figuresOf({ all, flagged, signedIn, unidentified, tunnels, faults }: WeekCounts): Figure[] {
  const navigations = all.allowed + all.refused;
  return [
    figure('requests', 'Requests', all.requests, `${percent(tunnels, all.requests)} encrypted: the site’s name only`),
    figure('navigations', 'Navigations', navigations, 'same person, site and answer within ten seconds: one'),
    figure('refused', 'Refused', all.refused, `${percent(all.refused, navigations)} of navigations`),
    figure('flagged', 'Flagged', flagged, 'navigations an adult should know of'),
    {
      id: 'unidentified',
      label: 'Unidentified',
      kind: 'share',
      value: share(unidentified.requests, all.requests),
      note: `${unidentified.requests.toLocaleString('en-GB')} requests, ${unidentified.people.toLocaleString('en-GB')} devices`,
    },
    figure('people', 'People', signedIn, 'signed in at least once'),
    { id: 'data', label: 'Data', kind: 'bytes', value: all.bytes, note: 'carried, both ways' },
    figure(
      'faults',
      'Faults',
      faults.reduce((sum, fault) => sum + fault.requests, 0),
      'requests refused by a fault',
    ),
  ];
}

function figure(id: string, label: string, value: number, note: string): Figure {
  return { id, label, kind: 'count', value, note };
}
