import t from 'tap';
import { decide } from '../../src/policy/decide.ts';
import { diffPolicies } from '../../src/policy/diff.ts';
import { explain } from '../../src/policy/explain.ts';
import { NO_LIVE, preparePolicy } from '../../src/policy/prepare.ts';
import { timesRows } from '../../src/policy/times-text.ts';
import { RULES, SCHOOL, at, match, request, snapshotOf, who } from './small-school.ts';

const CALENDAR = `
calendar:
  terms: [{ name: Autumn term, from: 2026-09-01, to: 2026-12-18 }]
  holidays: [{ name: Half-term, from: 2026-10-26, to: 2026-10-30 }]
  slots:
    - { name: lessons, from: "09:00", to: "11:00" }
    - { name: lessons, from: "11:20", to: "12:20" }
    - { name: lunch, from: "12:20", to: "13:10" }
places: { Library: [10.20.8.0/24] }
`;
const LEVEL = 'title: Mine\nextends: junior\n';

const LESSONS = '{ name: Lessons, when: [lessons], categories: { games: warn }, block: [twitch.tv] }';
const LUNCH = '{ name: Lunch, when: [lunch], categories: { games: allow } }';

function policy(level: string, more: Record<string, string> = {}): ReturnType<typeof snapshotOf> {
  return snapshotOf({ 'school.yaml': SCHOOL + CALENDAR, 'levels/mine.yaml': LEVEL + level, ...more });
}

/** Each change as its text; those that loosen for pupils with a `+` before it. */
function changes(before: ReturnType<typeof snapshotOf>, after: ReturnType<typeof snapshotOf>): string[] {
  return diffPolicies(before, after).map(({ text, loosens }) => `${loosens ? '+ ' : ''}${text}`);
}

await t.test('what changes at certain times, in plain English', async (t) => {
  const times = (...entries: string[]): string => `times: [${entries.join(', ')}]`;
  const table: [what: string, before: string, after: string, expected: string[]][] = [
    [
      'a new time',
      '',
      times(LESSONS),
      [
        '+ Mine, “Lessons” (lessons): Games is now open after a warning (was blocked)',
        'Mine, “Lessons” (lessons): twitch.tv is now always blocked',
      ],
    ],
    ['one that is gone', times(LUNCH), '', ['Mine, “Lunch” (lunch): Games is now blocked (was allowed)']],
    [
      'what it says',
      times(LESSONS),
      times(LESSONS.replace('games: warn', 'games: allow, news: block').replace(', block: [twitch.tv]', '')),
      [
        '+ Mine, “Lessons” (lessons): Games is now allowed (was open after a warning)',
        'Mine, “Lessons” (lessons): News is now blocked (was allowed and watched)',
        '+ Mine, “Lessons” (lessons): twitch.tv is no longer always blocked',
      ],
    ],
    [
      'when it holds',
      times(LUNCH),
      times(
        LUNCH.replace('[lunch]', '[lunch, weekends, { on: [holidays], days: [mon, tue], from: "22:00", to: "06:00" }]'),
      ),
      [
        '+ Mine, “Lunch” (lunch, weekends, Mon Tue 22:00–06:00 in holidays) holds at other times or places than before (was: lunch)',
      ],
    ],
    [
      'where it holds',
      times(LUNCH),
      times(LUNCH.replace('[lunch]', '[lunch], where: [Library]')),
      ['+ Mine, “Lunch” (lunch in Library (10.20.8.0/24)) holds at other times or places than before (was: lunch)'],
    ],
    [
      'a time that closes',
      times(LUNCH),
      times('{ name: Lunch, when: [lunch], closed: true }'),
      [
        'Mine, “Lunch” (lunch): the web is now closed then',
        'Mine, “Lunch” (lunch): Games is now blocked (was allowed)',
      ],
    ],
    [
      'and no longer does',
      times('{ name: Lunch, when: [lunch], closed: true }'),
      '',
      ['+ Mine, “Lunch” (lunch): the web is no longer closed then'],
    ],
    [
      'sites on no list',
      '',
      times('{ name: Half-term, when: [Half-term], uncategorised: block }'),
      ['Mine, “Half-term” (Half-term): sites on no list are now blocked (were allowed)'],
    ],
    [
      'the order',
      times(LUNCH, LESSONS),
      times(LESSONS, LUNCH),
      ['+ Mine: its times stand in another order, and of several at once the lower counts'],
    ],
    [
      'hours',
      'hours: [lessons]',
      'hours: [lessons, lunch]',
      ['+ Mine: the web is now open lessons, lunch (was: lessons)'],
    ],
  ];
  for (const [what, before, after, expected] of table)
    t.strictSame(changes(policy(before), policy(after)), expected, what);
  const before = policy(times(LESSONS));
  t.strictSame(changes(before, policy(times(LESSONS))), []);
});

await t.test('groups, people and the calendar', async (t) => {
  const plain = policy('');
  const rules = RULES.replace('- name: idle', `- name: idle\n    times: [${LUNCH}]`).replace(
    'name: Cy,',
    'name: Cy, times: [{ name: Not at lunch, when: [lunch], closed: true }],',
  );
  const timed = policy('', { 'rules.yaml': rules });
  t.strictSame(changes(plain, timed), [
    '+ Group idle, “Lunch” (lunch): Games is now allowed (was left to the level)',
    'cy, “Not at lunch” (lunch): the web is now closed then',
  ]);
  t.strictSame(changes(timed, plain), [
    '+ Group idle, “Lunch” (lunch): Games is now left to the level (was allowed)',
    '+ cy, “Not at lunch” (lunch): the web is no longer closed then',
  ]);
  const later = CALENDAR.replace('"12:20", to: "13:10"', '"12:30", to: "13:10"').replace('2026-10-30', '2026-10-29');
  t.strictSame(changes(timed, policy('', { 'rules.yaml': rules, 'school.yaml': SCHOOL + later })), [
    '+ The calendar has the holiday Half-term from 2026-10-26 to 2026-10-29',
    '+ The calendar has the slot lunch, Mon Tue Wed Thu Fri 12:30–13:10 in term time',
    '+ The calendar no longer has the holiday Half-term from 2026-10-26 to 2026-10-30',
    '+ The calendar no longer has the slot lunch, Mon Tue Wed Thu Fri 12:20–13:10 in term time',
  ]);
  const noTimes = { 'rules.yaml': RULES, 'levels/evening.yaml': 'title: Evening\nextends: junior\n' };
  t.strictSame(
    changes(
      snapshotOf({ ...noTimes }),
      snapshotOf({ ...noTimes, 'school.yaml': SCHOOL + CALENDAR.replace(/ {2}holidays.*\n {2}slots[^]*/, '') }),
    ),
    ['The calendar has the term Autumn term from 2026-09-01 to 2026-12-18'],
    'a calendar that no rule uses opens nothing',
  );
});

await t.test('staff are told which time made a rule hold', async (t) => {
  const snapshot = policy(
    `hours: [lessons, lunch]\ntimes: [${LESSONS}, { name: Library, when: [{ days: [mon], from: "12:00", to: "13:00" }], where: [Library], block: [twitch.tv] }]`,
    {
      'rules.yaml': `groups: [{ name: c, times: [{ name: Out, when: [lunch], closed: true }] }]
people: [{ name: ann, level: mine, groups: [c], times: [{ name: A, when: [lunch], block: [a.test] }, { name: A.block, when: [lessons], block: [a.test] }] }]
`,
    },
  );
  const prepared = preparePolicy(snapshot);
  const told = (clock: string, host: string, asking: Parameters<typeof who>[0], ...of: string[]): string => {
    const now = at(`2026-11-23T${clock}:00Z`);
    const asked = request(host, { who: who({ level: 'mine', ...asking }), match: match(...of) });
    const about = { request: asked, canonical: `https://${host}/`, now, policy: snapshot, serial: 1 };
    return explain(decide(prepared, NO_LIVE, asked, now), about).explain.staff;
  };
  const ann = { user: 'ann', groups: ['c'] };
  t.match(
    told('09:00', 'a.test', {}, 'games'),
    /rule levels\/mine\.yaml#times\.Lessons\.categories\.games; in force at lessons \(Mon Tue Wed Thu Fri 09:00–11:00 in term time\); /,
  );
  t.match(
    told('12:30', 'twitch.tv', { client: '10.20.8.9' }),
    /#times\.Library\.block\.twitch\.tv; in force at Mon 12:00–13:00 in Library; /,
  );
  t.match(told('13:10', 'a.test', {}), /#hours; outside the hours \(lessons, lunch\); /);
  t.match(told('12:30', 'b.test', ann), /rules\.yaml#groups\.c\.times\.Out; in force at lunch \(/);
  t.match(told('12:30', 'a.test', ann), /times\.A\.block\.a\.test; in force at lunch \(/);
  t.match(told('09:30', 'a.test', ann), /times\.A\.block\.block\.a\.test; in force at lessons \(/);
  t.notMatch(told('09:30', 'b.test', {}, 'adult'), /in force/, 'a rule for all times has no time');
});

await t.test('a level’s timed rules, a line each', async (t) => {
  const { times } = policy(
    'times: [{ name: A, when: [lunch], where: [Library], categories: { games: allow }, uncategorised: block, allow: [a.test], block: [b.test] }, { name: B, when: [always], closed: true }]',
  ).levels['mine']!;
  const A = 'levels/mine.yaml#times.A';
  t.strictSame(timesRows(times!), [
    ['lunch in Library (10.20.8.0/24): games', 'allow', `${A}.categories.games`],
    ['lunch in Library (10.20.8.0/24): (sites on no list)', 'block', `${A}.uncategorised`],
    ['lunch in Library (10.20.8.0/24): a.test', 'allow', `${A}.allow.a.test`],
    ['lunch in Library (10.20.8.0/24): b.test', 'block', `${A}.block.b.test`],
    ['always: (everything)', 'closed', 'levels/mine.yaml#times.B'],
  ]);
});
