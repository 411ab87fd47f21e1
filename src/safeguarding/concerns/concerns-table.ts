import type { Table, TableFilter } from 'fastify';
import { ALL_THEMES, SEVERITIES, type Severity, THEMES } from '../../policy/safeguarding-rules.ts';
import { type RuleTuning, STATES } from './model.ts';
import type { NamedConcern } from './service.ts';

export const SEVERITY_COLOURS: Readonly<Record<Severity, string>> = {
  danger: 'red',
  caution: 'orange',
  advisory: 'blue',
};
const STATE_COLOURS = { open: 'yellow', acknowledged: 'turquoise', 'not-a-concern': 'grey', closed: 'grey' } as const;

/** `Danger`. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Those that wait for somebody, unless it is asked for others. */
const state: TableFilter<NamedConcern> = {
  id: 'state',
  label: 'State',
  options: [
    { value: '', text: 'Open and acknowledged' },
    { value: 'open', text: 'Open' },
    { value: 'not-a-concern', text: STATES['not-a-concern'] },
    { value: 'closed', text: STATES.closed },
    { value: 'all', text: 'All' },
  ],
  accepts: (concern, value) =>
    value === 'all' || (value === '' ? ['open', 'acknowledged'].includes(concern.state) : concern.state === value),
};

function choice(
  id: string,
  label: string,
  options: TableFilter<NamedConcern>['options'],
  accepts: (concern: NamedConcern, value: string) => boolean,
): TableFilter<NamedConcern> {
  const all = { value: '', text: 'All' };
  return {
    id,
    label,
    options: [all, ...options],
    accepts: (concern, value) => value === '' || accepts(concern, value),
  };
}

/** The list of concerns, the worst first. */
export function concernsTable(levelTitle: (level: string) => string): Table<NamedConcern> {
  return {
    path: '/concerns',
    caption: 'Concerns',
    columns: [
      {
        id: 'severity',
        title: 'Severity',
        value: ({ severity }) => capital(severity),
        // Of one severity the newest first.
        sortBy: ({ severity, lastAt }) => `${SEVERITIES.indexOf(severity)} ${Number.MAX_SAFE_INTEGER - lastAt}`,
        tag: ({ severity }) => SEVERITY_COLOURS[severity],
      },
      { id: 'who', title: 'Who', value: ({ name }) => name, href: ({ id }) => `/concerns/${id}` },
      { id: 'theme', title: 'Theme', value: ({ theme }) => THEMES[theme] },
      { id: 'level', title: 'Level', value: ({ level }) => levelTitle(level) },
      { id: 'last', title: 'Last seen', value: ({ lastAt }) => lastAt, isTime: true },
      {
        id: 'state',
        title: 'State',
        value: (concern) => STATES[concern.state],
        tag: (concern) => STATE_COLOURS[concern.state],
      },
      { id: 'user', title: 'User name or address', value: ({ subject }) => subject, isOnlyInCsv: true },
      { id: 'opened', title: 'Opened', value: ({ openedAt }) => openedAt, isTime: true, isOnlyInCsv: true },
    ],
    filters: [
      state,
      choice(
        'severity',
        'Severity',
        SEVERITIES.map((value) => ({ value, text: capital(value) })),
        ({ severity }, value) => severity === value,
      ),
      choice(
        'theme',
        'Theme',
        ALL_THEMES.map((value) => ({ value, text: THEMES[value] })),
        ({ theme }, value) => theme === value,
      ),
    ],
    search: { label: 'Name, user name or address', of: ({ name, subject }) => `${name} ${subject}` },
    empty: { text: 'There is no concern.' },
  };
}

/** Which rules are dismissed most. */
export const TUNING_TABLE: Table<RuleTuning> = {
  path: '/concerns/tuning',
  caption: 'Rules and how often they are dismissed',
  columns: [
    {
      id: 'dismissed',
      title: 'No concern',
      value: ({ dismissed }) => dismissed,
      sortBy: ({ dismissed, concerns }) => Number.MAX_SAFE_INTEGER - dismissed * 1e6 - concerns,
      isNumber: true,
    },
    { id: 'concerns', title: 'Concerns', value: ({ concerns }) => concerns, isNumber: true },
    { id: 'theme', title: 'Theme', value: ({ theme }) => THEMES[theme] },
    { id: 'rule', title: 'Rule', value: ({ rule }) => rule.split('.rules.').at(-1)! },
    { id: 'reasons', title: 'Why it was none', value: ({ reasons }) => reasons.join('; ') },
    { id: 'place', title: 'Where it is written', value: ({ rule }) => rule, isOnlyInCsv: true },
  ],
  empty: { text: 'No rule has made a concern yet.', href: '/concerns', linkText: 'Concerns' },
};
