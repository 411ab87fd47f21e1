import t from 'tap';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { convertHistory } from '../../src/history/convert-history.ts';
import { findAlongside } from '../../src/history/find-alongside.ts';
import { START } from '../helpers/control-plane.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { storeSegments } from '../helpers/history-segments.ts';

const [SAMPLE] = generateWeek(3, START, 1);
let made = 0;

function asked(second: number, host: string, more: Partial<AccessRecord> = {}): AccessRecord {
  return {
    ...SAMPLE!,
    id: String(++made),
    at: new Date(START + second * 1000).toISOString(),
    client: '10.1.1.1',
    user: 'amy',
    host,
    target: `${host}:443`,
    verdict: 'block',
    category: 'games',
    categories: ['games'],
    flagged: false,
    locked: false,
    ...more,
  };
}

const RECORDS = [
  asked(0, 'www.museum.example', { verdict: 'allow', category: null, categories: [] }),
  asked(1, 'cdn.example'),
  asked(2, 'fonts.example'),
  asked(3, 'allowed.example', { verdict: 'allow' }),
  asked(4, 'bets.example', { flagged: true, category: 'gambling' }),
  asked(5, 'pixel.example', { category: 'trackers' }),
  asked(6, 'shown-to-nobody.example', { locked: true }),
  asked(7, 'images.museum.example'),
  asked(8, 'others.example', { user: 'bob' }),
  asked(18, 'later.example'),
  asked(100, 'museum.example', { user: null, client: '10.1.1.2' }),
  asked(101, 'cdn.example', { user: null, client: '10.1.1.2' }),
  asked(102, 'cdn.example', { user: null, client: '10.1.1.2' }),
  asked(103, 'mymuseum.example', { user: null, client: '10.1.1.2' }),
];

void t.test('what was refused within ten seconds of a site, and to how many', async (t) => {
  const folder = t.testdir();
  await storeSegments(folder, RECORDS, 5);
  const options = { folder, from: START, until: START + 3_600_000, background: ['trackers'] };
  const found = [
    { host: 'cdn.example', people: 2 },
    { host: 'fonts.example', people: 1 },
    { host: 'mymuseum.example', people: 1 },
  ];
  t.same(await findAlongside(['museum.example'], options), found, 'before its conversion');
  await convertHistory(folder, START + 30 * 86_400_000);
  t.same(await findAlongside(['museum.example'], options), found, 'and after it');
  t.same(await findAlongside(["nobody's.example"], options), []);
  t.same(await findAlongside([], options), []);
  t.same(await findAlongside(['museum.example'], { ...options, until: START + 50_000 }), [
    { host: 'cdn.example', people: 1 },
    { host: 'fonts.example', people: 1 },
  ]);
});
