import t from 'tap';
import type { ListStatus } from '../../src/categories/list-status.ts';
import { healthLines } from '../../src/console/health.ts';
import type { HealthLine, OverviewOptions } from '../../src/console/overview.ts';
import { START } from '../helpers/control-plane.ts';

const MINUTE = 60_000;
const GATEWAY = { gateway: 'gw-1', workers: 2, up: 2, serial: 7, heardAt: START - MINUTE, at: iso(START - MINUTE) };
const LIST = { id: 'ut1', health: 'in-force', fetch: { fetchedAt: iso(START), error: null }, held: null };
const BACKUPS = { recipient: 'age1', folder: '/mnt', kept: [{ name: 'schoolgate-2026-11-23.age', bytes: 1 }] };

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** What is not as it should be; left out: all is well. */
interface Case {
  readonly gateways?: readonly object[];
  readonly isWaiting?: boolean;
  readonly policy?: object;
  readonly lists?: readonly object[];
  readonly listsProblem?: string;
  readonly illegal?: boolean;
  readonly isWell?: boolean;
  readonly sendsMail?: boolean;
  readonly backups?: object;
  readonly parked?: number;
}

function look(found: Case): readonly HealthLine[] {
  const { gateways = [GATEWAY], policy = {}, lists = [LIST], backups = {} } = found;
  return healthLines({
    safeguarding: { gateways: () => gateways, parked: () => found.parked ?? 0 },
    publishing: { serial: () => 7, isWaiting: () => found.isWaiting ?? false },
    policy: {
      status: () => ({ published: { serial: 7, publishedAt: START - 30 * 3_600_000 }, disk: 'same', ...policy }),
    },
    lists: () => ({
      names: 1234,
      lists: [],
      illegalListLoaded: found.illegal ?? true,
      problem: found.listsProblem ?? null,
    }),
    listUpdates: { status: () => lists as ListStatus[] },
    alertWatch: { isWell: () => found.isWell ?? true },
    machine: () => ({ sendsMail: found.sendsMail ?? true }),
    backups: { state: () => ({ ...BACKUPS, ...backups }) },
    clock: () => START,
    timeZone: () => 'Europe/London',
  } as unknown as OverviewOptions);
}

const CASES: readonly [what: string, found: Case, line: string, status: HealthLine['status'], text: RegExp][] = [
  ['no gateway yet', { gateways: [] }, 'Gateway', 'warning', /within a minute/],
  [
    'a silent gateway',
    { gateways: [{ ...GATEWAY, heardAt: START - 4 * MINUTE }] },
    'Gateway gw-1',
    'failed',
    /^Silent since Mon 23 Nov 2026, 08:56/,
  ],
  ['a worker that is down', { gateways: [{ ...GATEWAY, up: 1 }] }, 'Gateway gw-1', 'failed', /^1 of 2 workers/],
  [
    'an old policy',
    { gateways: [{ ...GATEWAY, serial: 6 }] },
    'Gateway gw-1',
    'warning',
    /policy 6, and 7 is the newest/,
  ],
  [
    'a clock that is behind',
    { gateways: [{ ...GATEWAY, at: iso(START - 11 * MINUTE) }] },
    'Gateway gw-1',
    'warning',
    /10 minutes behind ours/,
  ],
  ['a bus that takes nothing', { isWaiting: true }, 'Policy', 'warning', /bus has not taken/],
  ['files that differ', { policy: { disk: 'different' } }, 'Policy', 'warning', /differ from it/],
  ['no policy', { policy: { published: null } }, 'Policy', 'failed', /refuse everything/],
  ['a list that is not there', { lists: [{ ...LIST, health: 'not-loaded' }] }, 'Lists', 'failed', /^ut1 did not load/],
  [
    'a list that is not given',
    { lists: [{ ...LIST, fetch: { ...LIST.fetch, error: '404' } }] },
    'Lists',
    'warning',
    /^ut1 could not be fetched/,
  ],
  [
    'an old list',
    { lists: [{ ...LIST, fetch: { fetchedAt: iso(START - 8 * 1440 * MINUTE), error: null } }] },
    'Lists',
    'warning',
    /for a week/,
  ],
  ['a broken catalogue', { listsProblem: 'catalogue.yaml:3: wrong' }, 'Lists', 'failed', /catalogue/],
  ['no illegal list', { illegal: false }, 'Lists', 'warning', /illegal content/],
  ['alerts that do not leave', { isWell: false }, 'Alerts', 'failed', /quarter of an hour/],
  ['no mail server', { sendsMail: false }, 'Mail', 'warning', /SCHOOLGATE_SMTP_URL/],
  ['no recovery key', { backups: { recipient: null } }, 'Backups', 'failed', /recovery key/],
  ['no backup folder', { backups: { folder: null } }, 'Backups', 'warning', /SCHOOLGATE_BACKUP_DIR/],
  ['no backup yet', { backups: { kept: [] } }, 'Backups', 'warning', /03:30/],
  ['an old backup', { backups: { kept: [{ name: 'schoolgate-2026-11-18.age' }] } }, 'Backups', 'failed', /2026-11-18/],
  ['reports put aside', { parked: 1200 }, 'Reports of gateways', 'warning', /^1,200 could not/],
];

void t.test('the page of health says what is wrong, and what to do', async (t) => {
  t.strictSame(
    look({}).filter(({ status }) => status !== 'ok'),
    [],
    'nothing where all is well',
  );
  t.match(look({})[0]!.text, 'All 2 workers are up and enforce policy 7');
  for (const [what, found, name, status, text] of CASES) {
    const wrong = look(found).filter((line) => line.status !== 'ok');
    t.match(wrong, [{ name, status, text }], what);
    t.equal(wrong.length, 1, `${what}, and nothing else`);
  }
});
