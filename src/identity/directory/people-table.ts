import type { Table, TableFilter } from 'fastify';
import { YEARS, yearText } from '../school-years.ts';
import type { ClassSummary, ListedPerson } from './service.ts';

/** The level's title, by its name. */
export type LevelTitle = (level: string) => string;

const ROLES: Readonly<Record<string, string>> = {
  pupil: 'Pupil',
  teacher: 'Teacher',
  staff: 'Staff',
  parent: 'Parent',
};
const STATUS = { active: 'At the school', suspended: 'Suspended', left: 'Left' } as const;
const COLOUR = { active: null, suspended: 'red', left: 'grey' } as const;
const PASSWORD = { own: 'Own', temporary: 'Temporary', none: 'None' } as const;

/** `Reception`, `Year 9`. */

/** `Teacher, staff`. */
export function rolesText({ kind, roles }: Pick<ListedPerson, 'kind' | 'roles'>): string {
  if (kind === 'class') return 'Class account';
  const words = roles.map((role) => ROLES[role] ?? role);
  return words.map((word, i) => (i === 0 ? word : word.toLowerCase())).join(', ');
}

/** 9x before 10x. */
const ORDER = new Intl.Collator('en-GB', { numeric: true });

function inOrder(names: Iterable<string>): string[] {
  return [...new Set(names)].sort(ORDER.compare);
}

/** Those at the school, unless it is asked for others. */
const status: TableFilter<ListedPerson> = {
  id: 'status',
  label: 'Status',
  options: [
    { value: '', text: 'At the school' },
    { value: 'suspended', text: 'Suspended' },
    { value: 'left', text: 'Left' },
    { value: 'all', text: 'Everybody' },
  ],
  accepts: (person, value) => (value === '' ? person.status !== 'left' : value === 'all' || person.status === value),
};

/** The list of people; `people` and `classes`: all of them, for what there is to choose from. */
export function peopleTable(
  people: readonly ListedPerson[],
  classes: readonly ClassSummary[],
  levelTitle: LevelTitle,
): Table<ListedPerson> {
  const years = new Set(people.map(({ year }) => year));
  const levels = inOrder(people.flatMap(({ level }) => level ?? []));
  const filter = (
    id: string,
    label: string,
    options: TableFilter<ListedPerson>['options'],
    accepts: TableFilter<ListedPerson>['accepts'],
  ): TableFilter<ListedPerson> => ({
    id,
    label,
    options: [{ value: '', text: 'All' }, ...options],
    accepts: (person, value) => value === '' || accepts(person, value),
  });
  return {
    ...shared('/people', 'People', levelTitle),
    filters: [
      filter(
        'role',
        'Role',
        [...Object.entries(ROLES).map(([value, text]) => ({ value, text })), { value: 'class', text: 'Class account' }],
        ({ kind, roles }, value) => kind === value || roles.includes(value),
      ),
      filter(
        'year',
        'Year',
        YEARS.filter((year) => years.has(year)).map((value) => ({ value, text: yearText(value) })),
        ({ year }, value) => year === value,
      ),
      filter(
        'class',
        'Class',
        inOrder(classes.map(({ name }) => name)).map((value) => ({ value, text: value })),
        (person, value) => person.classes.includes(value) || person.teaches.includes(value),
      ),
      filter(
        'level',
        'Level',
        levels.map((value) => ({ value, text: levelTitle(value) })),
        ({ level }, value) => level === value,
      ),
      status,
    ],
    search: { label: 'Name or user name', of: ({ fullName, userName }) => `${fullName} ${userName}` },
    empty: {
      text: 'Nobody is here yet: a roster from the school’s system brings everybody in.',
      href: '/people/import',
      linkText: 'Import a roster',
      needs: 'people.import',
    },
  };
}

/** Those of one class. */
export function classTable(name: string, levelTitle: LevelTitle): Table<ListedPerson> {
  return {
    ...shared('/class', `Class ${name}`, levelTitle),
    keep: { name },
    empty: { text: 'Nobody learns or teaches in this class any more.', href: '/classes', linkText: 'All classes' },
  };
}

function shared(
  path: string,
  caption: string,
  levelTitle: LevelTitle,
): Pick<Table<ListedPerson>, 'path' | 'caption' | 'columns'> {
  return {
    path,
    caption,
    columns: [
      {
        id: 'name',
        title: 'Name',
        value: ({ fullName }) => fullName,
        sortBy: ({ familyName, fullName }) => `${familyName} ${fullName}`,
        href: ({ id }) => `/people/${id}`,
      },
      { id: 'user', title: 'User name', value: ({ userName }) => userName },
      { id: 'role', title: 'Role', value: rolesText },
      {
        id: 'year',
        title: 'Year',
        value: ({ year }) => (year === null ? null : yearText(year)),
        sortBy: ({ year }) => (year === null ? null : YEARS.findIndex((one) => one === year)),
      },
      { id: 'level', title: 'Level', value: ({ level }) => (level === null ? null : levelTitle(level)) },
      {
        id: 'status',
        title: 'Status',
        value: (person) => STATUS[person.status],
        tag: (person) => COLOUR[person.status],
      },
      { id: 'password', title: 'Password', value: ({ password }) => PASSWORD[password] },
      {
        id: 'classes',
        title: 'Classes',
        value: ({ classes, teaches }) => [...classes, ...teaches].join(', '),
        isOnlyInCsv: true,
      },
    ],
  };
}
