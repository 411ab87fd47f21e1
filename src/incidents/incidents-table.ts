import type { Table, TableFilter } from 'fastify';
import { INCIDENT_THEMES, type IncidentState, STATES } from './model.ts';
import type { ListedIncident } from './service.ts';

export const STATE_COLOURS: Readonly<Record<IncidentState, string>> = {
  reported: 'red',
  open: 'yellow',
  closed: 'grey',
  dismissed: 'grey',
};

/** Those that wait for somebody, unless it is asked for others. */
const state: TableFilter<ListedIncident> = {
  id: 'state',
  label: 'State',
  options: [
    { value: '', text: 'Reported and open' },
    { value: 'reported', text: STATES.reported },
    { value: 'closed', text: STATES.closed },
    { value: 'dismissed', text: STATES.dismissed },
    { value: 'all', text: 'All' },
  ],
  accepts: (incident, value) =>
    value === 'all' ||
    (value === '' ? incident.state === 'reported' || incident.state === 'open' : incident.state === value),
};

/** The list of incidents, those that nobody has looked at first, and of the others the newest. */
export const INCIDENTS_TABLE: Table<ListedIncident> = {
  path: '/incidents',
  caption: 'Incidents',
  columns: [
    {
      id: 'state',
      title: 'State',
      value: ({ state }) => STATES[state],
      sortBy: ({ state, openedAt }) => `${Object.keys(STATES).indexOf(state)} ${Number.MAX_SAFE_INTEGER - openedAt}`,
      tag: ({ state }) => STATE_COLOURS[state],
    },
    { id: 'theme', title: 'Theme', value: ({ theme }) => INCIDENT_THEMES[theme], href: ({ id }) => `/incidents/${id}` },
    { id: 'who', title: 'Who', value: ({ people }) => people.map(({ name }) => name).join(', ') },
    {
      id: 'illegal',
      title: 'Illegal',
      value: ({ illegal }) => ({ yes: 'Yes', no: 'No', unknown: 'Not said' })[illegal],
    },
    { id: 'recorded', title: 'Recorded', value: ({ openedAt }) => openedAt, isTime: true },
    { id: 'overdue', title: 'Overdue', value: ({ overdue }) => overdue, isNumber: true },
  ],
  filters: [
    state,
    {
      id: 'theme',
      label: 'Theme',
      options: [
        { value: '', text: 'All' },
        ...Object.entries(INCIDENT_THEMES).map(([value, text]) => ({ value, text })),
      ],
      accepts: ({ theme }, value) => value === '' || theme === value,
    },
  ],
  search: { label: 'Name', of: ({ people }) => people.map(({ name }) => name).join(' ') },
  empty: { text: 'No incident is recorded.', href: '/incidents/new', linkText: 'Record one' },
};
