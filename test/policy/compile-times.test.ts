import t from 'tap';
import { preparePolicy } from '../../src/policy/prepare.ts';
import type { CompiledLevel, PolicySnapshot } from '../../src/policy/snapshot.ts';
import { EVENING, RULES, SCHOOL, problemsOf, snapshotOf } from './small-school.ts';

const CALENDAR = `
calendar:
  terms:
    - { name: Autumn term, from: 2026-09-01, to: 2026-12-18 }
  holidays:
    - { name: Half-term, from: 2026-10-26, to: 2026-10-30 }
    - { name: INSET day, from: 2026-09-01 }
    - { name: INSET day, from: 2026-11-27 }
  slots:
    - { name: lessons, from: "09:00", to: "11:00" }
    - { name: lessons, from: "11:20", to: "12:20" }
    - { name: lunch, days: [mon, tue], from: "12:20", to: "13:10" }
    - { name: night, from: "22:00", to: "06:00" }
places:
  Library: [10.20.8.0/24, "2001:db8:20:8::/64"]
`;
const WITH_CALENDAR = SCHOOL + CALENDAR;

function compiled(changes: Record<string, string>): PolicySnapshot {
  return snapshotOf({ 'school.yaml': WITH_CALENDAR, ...changes });
}

function levelOf(text: string): CompiledLevel {
  return compiled({ 'levels/mine.yaml': `title: Mine\nextends: junior\n${text}` }).levels['mine']!;
}

await t.test('every mistake in a calendar and in places, with its line', async (t) => {
  const cases: [name: string, from: string, to: string, ...expected: RegExp[]][] = [
    ['a date that does not exist', 'to: 2026-12-18', 'to: 2026-12-32', /:14: "2026-12-32" is not a date that exists/],
    ['a leap day', 'to: 2026-12-18', 'to: 2027-02-29', /:14: "2027-02-29" is not a date that exists/],
    ['a date as people speak', 'to: 2026-12-18', 'to: 18/12/2026', /:14: "18\/12\/2026" is not a date/],
    ['a term that ends first', 'to: 2026-12-18', 'to: 2026-08-18', /:14: "Autumn term" ends .* before it begins/],
    [
      'terms that overlap by a day',
      '  holidays:',
      '    - { name: Spring term, from: 2026-12-18, to: 2027-03-01 }\n  holidays:',
      /:15: "Spring term" overlaps "Autumn term" \(2026-09-01 to 2026-12-18\)/,
    ],
    ['a term without end', ', to: 2026-12-18', '', /:14: "calendar\.terms\.0\.to" is missing/],
    [
      'no term',
      '    - { name: Autumn term, from: 2026-09-01, to: 2026-12-18 }',
      '    []',
      /:13: "calendar\.terms" must not/,
    ],
    ['a holiday that ends first', 'to: 2026-10-30', 'to: 2026-10-25', /:16: "Half-term" ends/],
    ['slots that overlap', '"11:20", to: "12:20"', '"10:59", to: "12:20"', /:21: "lessons" overlaps "lessons" above/],
    [
      'slots that overlap on one day only',
      '"11:20", to: "12:20"',
      '"11:20", to: "12:21"',
      /:22: "lunch" overlaps "lessons"/,
    ],
    [
      'a slot that overlaps the night before',
      '- { name: lunch,',
      '- { name: dawn, days: [sat], from: "05:59", to: "06:30" }\n    - { name: lunch,',
      /:24: "night" overlaps "dawn"/,
    ],
    ['a slot that is no time', '"12:20", to: "13:10"', '"12:20", to: "1pm"', /:22: times are written as "08:30"/],
    ['a slot on no day', 'days: [mon, tue]', 'days: []', /:22: "days" names no day/],
    [
      'a slot with the name of a holiday',
      'name: night',
      'name: Half-term',
      /:23: "Half-term" means another time already/,
    ],
    ['a slot with the name of a word', 'name: night', 'name: weekends', /:23: "weekends" means another time/],
    [
      'a strange setting',
      'name: night',
      'slot: night',
      /:23: .*name" is missing/,
      /:23: "calendar\.slots\.3\.slot" is not/,
    ],
    ['a place that is no range', '10.20.8.0/24,', '10.20.8.0/33,', /:25: "10\.20\.8\.0\/33" is not an address range/],
    ['a place without ranges', '[10.20.8.0/24, "2001:db8:20:8::/64"]', '[]', /:25: "Library" has no address range/],
    [
      'a place that is a range already',
      'Library:',
      'Upper school:',
      /:25: "Upper school" is named under identity\.ranges/,
    ],
  ];
  for (const [name, from, to, ...expected] of cases) {
    t.ok(WITH_CALENDAR.includes(from), name);
    t.match(problemsOf({ 'school.yaml': WITH_CALENDAR.replace(from, to) }), expected, name);
    t.equal(problemsOf({ 'school.yaml': WITH_CALENDAR.replace(from, to) }).length, expected.length, name);
  }
  t.strictSame(problemsOf({ 'school.yaml': WITH_CALENDAR }), []);
  const many = WITH_CALENDAR.replace('2026-12-18', '2026-12-32').replace('"12:20", to: "13:10"', '"12:20", to: "1pm"');
  t.equal(problemsOf({ 'school.yaml': many.replace('10.20.8.0/24,', 'x,') }).length, 3, 'all of them at once');
});

await t.test('every mistake in rules for certain times', async (t) => {
  const cases: [name: string, entry: string, ...expected: RegExp[]][] = [
    [
      'an unknown word',
      '{ name: A, when: [luch], closed: true }',
      /"luch" is not a time this school knows; there are always, weekends, school-days, holidays, Autumn term, Half-term, INSET day, lessons, lunch, night$/,
    ],
    [
      'an unknown place',
      '{ name: A, when: [always], where: [Librry], closed: true }',
      /"Librry" is not a place; .*there are Upper school, Library/,
    ],
    ['no place', '{ name: A, when: [always], where: [], closed: true }', /"where" names no place/],
    ['nothing to lift', '{ name: A, when: [] }', /"when" names no time/],
    ['nothing said', '{ name: A, when: [lunch] }', /"A" changes nothing/],
    [
      'closed, and more',
      '{ name: A, when: [lunch], closed: true, categories: { games: allow } }',
      /"closed" closes everything/,
    ],
    ['a locked category', '{ name: A, when: [lunch], categories: { csam: allow } }', /"csam" is locked/],
    [
      'an entry both ways',
      '{ name: A, when: [lunch], allow: [a.test], block: [a.test] }',
      /"a\.test" is both allowed and blocked/,
    ],
    ['no name', '{ when: [lunch], closed: true }', /"times\.0\.name" is missing/],
    [
      'a name twice',
      '{ name: A, when: [lunch], closed: true }\n  - { name: A, when: [night], closed: true }',
      /"A" is the name of an entry above/,
    ],
    [
      'half a time',
      '{ name: A, when: [{ days: [mon], from: "09:00" }], closed: true }',
      /"from" and "to" belong together/,
    ],
    [
      'an empty time',
      '{ name: A, when: [{}], closed: true }',
      /"from" and "to" belong together; write both, or days alone/,
    ],
    [
      'the same time',
      '{ name: A, when: [{ from: "09:00", to: "09:00" }], closed: true }',
      /"to" is the same time as "from"/,
    ],
    [
      'from the end of the day',
      '{ name: A, when: [{ from: "24:00", to: "09:00" }], closed: true }',
      /times are written/,
    ],
    [
      'a slot for a day',
      '{ name: A, when: [{ on: [lunch], from: "12:00", to: "13:00" }], closed: true }',
      /"lunch" has times of its own and is no day/,
    ],
    ['no day', '{ name: A, when: [{ on: [], days: [mon] }], closed: true }', /"on" names no days/],
    ['a time that is none', '{ name: A, when: [7], closed: true }', /"times\.0\.when\.0" must be string or object/],
    [
      'a strange setting in a time',
      '{ name: A, when: [{ day: [mon] }], closed: true }',
      /"times\.0\.when\.0\.day" is not a known setting/,
    ],
  ];
  for (const [name, entry, ...expected] of cases) {
    const text = `title: Mine\nextends: junior\ntimes:\n  - ${entry}\n`;
    const problems = problemsOf({ 'school.yaml': WITH_CALENDAR, 'levels/mine.yaml': text });
    t.match(problems, expected, name);
    t.equal(problems.length, expected.length, `${name}: ${problems.join(' | ')}`);
    for (const problem of problems) t.match(problem, /^levels\/mine\.yaml:[45]: /, name);
  }
  const everywhere = problemsOf({
    'rules.yaml': RULES.replace(
      '- name: idle',
      '- name: idle\n    times: [{ name: A, when: [lunch], closed: true }]',
    ).replace('name: Bob,', 'name: Bob, times: [{ name: A, when: [holidays], where: [Nowhere], block: [a.test] }],'),
  });
  t.match(everywhere, [
    /^rules\.yaml:10: "lunch" is not a time this school knows; there are always, weekends; .*"calendar" in school\.yaml$/,
    /^rules\.yaml:\d+: "holidays" is not a time/,
    /^rules\.yaml:\d+: "Nowhere" is not a place; .*there are Upper school/,
  ]);
});

await t.test('words become windows', async (t) => {
  const { hours } = levelOf(
    'hours: [lunch, INSET day, { on: [school-days, weekends], days: [fri, sat], from: "20:00", to: "02:00" }]',
  );
  t.strictSame(hours?.windows, [
    { days: [0, 1], from: 740, to: 790, on: 'term-time', word: 'lunch' },
    {
      days: [0, 1, 2, 3, 4, 5, 6],
      from: 0,
      to: 1440,
      on: [{ from: '2026-09-01', to: '2026-09-01' }],
      word: 'INSET day',
    },
    {
      days: [0, 1, 2, 3, 4, 5, 6],
      from: 0,
      to: 1440,
      on: [{ from: '2026-11-27', to: '2026-11-27' }],
      word: 'INSET day',
    },
    { days: [4], from: 1200, to: 1560, on: 'term-time' },
    { days: [5], from: 1200, to: 1560 },
  ]);
  t.strictSame(
    snapshotOf({ 'levels/evening.yaml': EVENING }).levels['evening']!.hours?.windows,
    [{ days: [0, 1, 2, 3, 4], from: 480, to: 960 }],
    'hours as they were always written',
  );
});

await t.test('times are inherited, replaced by name, lifted, and give way to what a level says itself', async (t) => {
  const base = `
times:
  - { name: Lunch, when: [lunch], categories: { games: allow, news: block }, uncategorised: block, allow: [fun.test], block: [dull.test] }
  - { name: Nights, when: [night], closed: true }
`;
  const child = (text: string): CompiledLevel =>
    compiled({
      'levels/mine.yaml': `title: Mine\nextends: junior\n${base}`,
      'levels/child.yaml': `title: Child\nextends: mine\n${text}`,
    }).levels['child']!;
  const namesOf = (level: CompiledLevel): string[] => (level.times ?? []).map(({ rule }) => rule);
  const LUNCH = 'levels/mine.yaml#times.Lunch';
  const NIGHTS = 'levels/mine.yaml#times.Nights';
  t.strictSame(namesOf(child('')), [LUNCH, NIGHTS]);
  t.strictSame(namesOf(child('times: [{ name: Own, when: [always], closed: true }]')), [
    LUNCH,
    NIGHTS,
    'levels/child.yaml#times.Own',
  ]);
  t.strictSame(namesOf(child('times: [{ name: Lunch, when: [always], closed: true }]')), [
    NIGHTS,
    'levels/child.yaml#times.Lunch',
  ]);
  t.strictSame(namesOf(child('times: [{ name: Nights, when: [] }]')), [LUNCH]);
  t.strictSame(
    namesOf(child('categories: { games: block, news: allow }\nuncategorised: warn\nallow: [dull.test, fun.test]')),
    [NIGHTS],
  );
  const [lunch] = child('categories: { games: block }\nblock: [fun.test]').times!;
  t.strictSame(Object.keys(lunch!.categories), ['news']);
  t.strictSame(lunch!.entries.allow, []);
  t.strictSame(
    lunch!.entries.block.map(({ rule }) => rule),
    [`${LUNCH}.block.dull.test`],
  );
  t.equal(lunch!.uncategorised?.rule, `${LUNCH}.uncategorised`);
  const problems = problemsOf({
    'school.yaml': WITH_CALENDAR,
    'levels/mine.yaml': `title: Mine\nextends: junior\n${base}`,
    'levels/child.yaml': 'title: Child\nextends: mine\ntimes: [{ name: Lunch, when: [], closed: true }]\n',
  });
  t.match(problems, [/^levels\/child\.yaml:3: an empty "when" lifts the inherited "Lunch"; remove what else/]);
});

await t.test('what is not written leaves no trace, and what is moves the hash', async (t) => {
  const without = snapshotOf();
  t.notOk('calendar' in without);
  t.notOk(Object.values(without.levels).some((level) => 'times' in level));
  t.notOk(Object.values(without.groups).some((group) => 'times' in group));
  const moved = WITH_CALENDAR.replace('"12:20", to: "13:10"', '"12:20", to: "13:00"');
  t.not(snapshotOf({ 'school.yaml': moved }).hash, snapshotOf({ 'school.yaml': WITH_CALENDAR }).hash);
  t.equal(snapshotOf({ 'school.yaml': WITH_CALENDAR }).hash, snapshotOf({ 'school.yaml': WITH_CALENDAR }).hash);
});

await t.test('somebody’s rules are the same object as long as the same times and places hold', async (t) => {
  const snapshot = compiled({
    'levels/mine.yaml': `title: Mine\nextends: junior\ntimes:
  - { name: Library, when: [lunch, lessons], where: [Library], block: [a.test] }
  - { name: Lunch, when: [lunch], categories: { games: allow } }
`,
  });
  const mine = preparePolicy(snapshot).levels.get('mine')!;
  const [LESSON, LUNCH, EVENING_AT] = ['09:30', '12:30', '18:00'].map((clock) =>
    Date.parse(`2026-11-23T${clock}:00Z`),
  ) as [number, number, number];
  const [here, sameNetwork, there] = ['10.20.8.1', '10.20.8.2', '10.20.9.1'] as const;
  const evening = mine.at(EVENING_AT, here);
  t.equal(mine.at(EVENING_AT, there), evening, 'no place is asked when no rule is in force');
  t.equal(mine.at(LESSON, there), evening, 'outside the library a lesson is as the evening');
  t.not(mine.at(LESSON, here), evening);
  t.equal(mine.at(LESSON, here), mine.at(LESSON + 60_000, sameNetwork));
  t.equal(mine.at(LESSON, here), mine.at(LESSON, '2001:db8:20:8::9'), 'by IPv6 it is the same place');
  t.equal(mine.at(LUNCH, here), mine.at(LUNCH, here));
  t.not(mine.at(LUNCH, here), mine.at(LUNCH, there));
  t.equal(mine.at(LUNCH, there), mine.at(LUNCH + 7 * 86_400_000, there), 'next week again');
  t.equal(mine.at(EVENING_AT, there), evening, 'and a clock that goes back is no matter');
});
