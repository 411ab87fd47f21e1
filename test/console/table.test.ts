import type { Table } from 'fastify';
import t from 'tap';
import { tableCsv, tableState, tableView } from '../../src/console/table.ts';

interface Sample {
  readonly name: string;
  readonly room: string;
  readonly devices: number;
  readonly at: number | null;
}

const ROWS: readonly Sample[] = [
  { name: 'Zoë Ünal', room: '10x', devices: 2, at: Date.UTC(2026, 6, 1, 9) },
  { name: 'adam <b>', room: '9x', devices: 11, at: null },
  { name: '=HYPERLINK("http://x")', room: '', devices: 1, at: Date.UTC(2026, 10, 23, 9, 30) },
];

const TABLE: Table<Sample> = {
  path: '/samples',
  caption: 'Samples',
  columns: [
    { id: 'name', title: 'Name', value: ({ name }) => name },
    { id: 'room', title: 'Room', value: ({ room }) => room },
    { id: 'devices', title: 'Devices', value: ({ devices }) => devices, isNumber: true },
    { id: 'at', title: 'Seen', value: ({ at }) => at, isTime: true },
  ],
  filters: [
    {
      id: 'floor',
      label: 'Floor',
      options: [
        { value: '', text: 'Any' },
        { value: '9', text: 'Nine' },
        { value: '10', text: 'Ten' },
      ],
      accepts: ({ room }, value) => value === '' || room.startsWith(value),
    },
  ],
  search: { label: 'Name', of: ({ name }) => name },
  keep: { of: 'a&b' },
  empty: { text: 'None yet.' },
};

const view = (query: Record<string, unknown>, rows = ROWS) => tableView(TABLE, rows, tableState(TABLE, query));
const names = (query: Record<string, unknown>): string[] =>
  view(query).rows.map(({ item }) => (item as Sample).name[0]!);

void t.test('rows are found, filtered and put in order by the address alone', async (t) => {
  const cases: readonly [query: Record<string, unknown>, expected: string][] = [
    [{}, '=aZ'],
    [{ sort: '-name' }, 'Za='],
    // 9 before 10, and what is empty last either way.
    [{ sort: 'room' }, 'aZ='],
    [{ sort: '-room' }, 'Za='],
    [{ sort: 'devices' }, '=Za'],
    [{ sort: '-devices' }, 'aZ='],
    [{ sort: 'at' }, 'Z=a'],
    [{ q: 'UNAL zoe' }, 'Z'],
    [{ q: '<B>' }, 'a'],
    [{ q: 'nobody' }, ''],
    [{ floor: '10' }, 'Z'],
    [{ floor: '9', q: 'zoe' }, ''],
    // What there is not is as if it were not asked for.
    [{ floor: '11', sort: 'constructor', page: '-3', q: {} }, '=aZ'],
    [{ floor: ['9', '10'], page: '999' }, 'Z'],
  ];
  for (const [query, expected] of cases) t.equal(names(query).join(''), expected, JSON.stringify(query));
});

void t.test('each link keeps what else was asked for', async (t) => {
  const shown = view({ q: 'a&b', floor: '9', sort: '-room' });
  t.strictSame(
    shown.heads.map(({ order, href }) => [order, href]),
    [
      ['none', '/samples?of=a%26b&q=a%26b&floor=9'],
      ['descending', '/samples?of=a%26b&q=a%26b&floor=9&sort=room'],
      ['none', '/samples?of=a%26b&q=a%26b&floor=9&sort=devices'],
      ['none', '/samples?of=a%26b&q=a%26b&floor=9&sort=at'],
    ],
  );
  t.equal(shown.csv, '/samples?of=a%26b&q=a%26b&floor=9&sort=-room&format=csv');
  t.strictSame(shown.kept, [
    { name: 'of', value: 'a&b' },
    { name: 'sort', value: '-room' },
  ]);
  t.equal(shown.isFiltered, true);
  t.equal(view({}).isFiltered, false);
});

void t.test('pages of fifty; a page that is not there is the last one', async (t) => {
  const rows = Array.from({ length: 301 }, (_, i) => ({ ...ROWS[0]!, name: `n${i}` }));
  const at = (page: string) => view({ page }, rows);
  t.match(at('1'), { from: 1, until: 50, found: 301, previous: null, next: '/samples?of=a%26b&page=2' });
  t.strictSame(
    at('4').pages.map(({ number }) => number),
    [1, 3, 4, 5, 7],
  );
  t.match(at('4'), { previous: '/samples?of=a%26b&page=3', next: '/samples?of=a%26b&page=5' });
  t.match(at('99'), { from: 301, until: 301, next: null });
  t.match(view({}, []), { all: 0, found: 0, rows: [], pages: [{ number: 1 }] });
});

void t.test('CSV: every row that fits, by the school’s clock, with nothing that a spreadsheet runs', async (t) => {
  const csv = (query: Record<string, unknown>) => tableCsv(TABLE, ROWS, tableState(TABLE, query), 'Europe/London');
  t.equal(
    csv({}),
    '\ufeffName,Room,Devices,Seen\r\n"\'=HYPERLINK(""http://x"")",,1,2026-11-23 09:30\r\nadam <b>,9x,11,\r\nZoë Ünal,10x,2,2026-07-01 10:00\r\n',
  );
  t.equal(csv({ floor: '9', page: '7' }).split('\r\n').length, 3, 'one row, whatever the page');
  for (const start of ['=', '+', '-', '@', '\t', '\r', '＝', '＠']) {
    const rows = [{ ...ROWS[0]!, name: `${start}1` }];
    t.match(tableCsv(TABLE, rows, tableState(TABLE, {}), 'UTC').split('\r\n')[1], /^"?'/, JSON.stringify(start));
  }
});
