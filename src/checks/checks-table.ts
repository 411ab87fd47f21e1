import type { Table } from 'fastify';
import { type CheckResult, KINDS, RESULTS } from './model.ts';
import type { ShownCheck } from './service.ts';

export const RESULT_COLOURS: Readonly<Record<CheckResult, string>> = {
  passed: 'green',
  failed: 'red',
  'not-tried': 'grey',
};

/** The log, newest first. */
export function checksTable(levelTitle: (level: string) => string, levels: readonly string[]): Table<ShownCheck> {
  return {
    path: '/checks',
    caption: 'Checks of the filter',
    columns: [
      {
        id: 'when',
        title: 'When',
        value: ({ at }) => at,
        sortBy: ({ at, level }) => `${Number.MAX_SAFE_INTEGER - at} ${level ?? ''}`,
        isTime: true,
        href: ({ id }) => `/checks/${id}`,
      },
      {
        id: 'result',
        title: 'Result',
        value: ({ result }) => RESULTS[result],
        tag: ({ result }) => RESULT_COLOURS[result],
      },
      { id: 'level', title: 'Level', value: ({ level }) => (level === null ? 'All levels' : levelTitle(level)) },
      { id: 'who', title: 'Who', value: ({ byName, kind }) => byName ?? KINDS[kind] },
      { id: 'kind', title: 'How', value: ({ kind }) => KINDS[kind], isOnlyInCsv: true },
      { id: 'device', title: 'Device', value: ({ device }) => device },
      { id: 'place', title: 'Where', value: ({ place }) => place },
      { id: 'tested', title: 'What was tested', value: ({ tested }) => tested, isOnlyInCsv: true },
      {
        id: 'action',
        title: 'What was done',
        value: ({ action, samples }) =>
          action ||
          samples
            .filter(({ result }) => result === 'failed')
            .map(({ host, why }) => `${host}: ${why}`)
            .join(' '),
      },
    ],
    filters: [
      {
        id: 'kind',
        label: 'How',
        options: [{ value: '', text: 'All' }, ...Object.entries(KINDS).map(([value, text]) => ({ value, text }))],
        accepts: ({ kind }, value) => value === '' || kind === value,
      },
      {
        id: 'result',
        label: 'Result',
        options: [{ value: '', text: 'All' }, ...Object.entries(RESULTS).map(([value, text]) => ({ value, text }))],
        accepts: ({ result }, value) => value === '' || result === value,
      },
      {
        id: 'level',
        label: 'Level',
        options: [{ value: '', text: 'All' }, ...levels.map((value) => ({ value, text: levelTitle(value) }))],
        accepts: ({ level }, value) => value === '' || level === value,
      },
    ],
    search: {
      label: 'Who, device, place or what',
      of: ({ byName, device, place, tested }) => `${byName ?? ''} ${device} ${place} ${tested}`,
    },
    empty: { text: 'Nothing was checked yet.' },
  };
}
