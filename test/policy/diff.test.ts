import t from 'tap';
import { diffPolicies } from '../../src/policy/diff.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { EVENING, JUNIOR, RULES, SCHOOL, SENIOR, snapshotOf } from './small-school.ts';

/** Each change as its text; those that loosen for pupils with a `+` before it. */
function lines(before: PolicySnapshot, after: PolicySnapshot): string[] {
  return diffPolicies(before, after).map(({ text, loosens }) => `${loosens ? '+ ' : ''}${text}`);
}

const STAFF = `
title: Staff
voice: adult
uncategorised: allow
categories: { gambling: block }
`;

const before = snapshotOf({ 'levels/staff.yaml': STAFF });

function changed(file: string, from: string, to: string): string[] {
  const texts: Record<string, string> = {
    'school.yaml': SCHOOL,
    'levels/junior.yaml': JUNIOR,
    'levels/senior.yaml': SENIOR,
    'levels/evening.yaml': EVENING,
    'levels/staff.yaml': STAFF,
    'rules.yaml': RULES,
  };
  const text = texts[file]!;
  t.ok(text.includes(from), `${file} has "${from}"`);
  return lines(before, snapshotOf({ 'levels/staff.yaml': STAFF, [file]: text.replace(from, to) }));
}

await t.test('a policy does not differ from itself', async (t) => t.strictSame(lines(before, before), []));

await t.test('every change in plain English, and whether it loosens for pupils', async (t) => {
  const table: [string, string, string, string[]][] = [
    ['levels/senior.yaml', 'games: allow', 'games: block', ['Senior: Games is now blocked (was allowed)']],
    [
      'school.yaml',
      'identity:',
      'illegal: { csam: { heading: Stop, text: [One., Two.] } }\nidentity:',
      ['What the page about Child abuse says is now Stop / One. / Two. (was our own words)'],
    ],
    [
      'levels/senior.yaml',
      'games: allow',
      'games: allow, gambling: monitor',
      ['+ Senior: Gambling is now allowed and watched (was blocked)'],
    ],
    [
      'levels/junior.yaml',
      'chat: warn',
      'chat: allow',
      ['+ Evening, Junior and Senior: Chat is now allowed (was open after a warning)'],
    ],
    [
      'levels/senior.yaml',
      'games: allow',
      'games: allow, unheard-of: allow',
      ['+ Senior: Unheard of is now allowed (was blocked, because nothing is said of it)'],
    ],
    ['levels/staff.yaml', 'gambling: block', 'gambling: allow', ['Staff: Gambling is now allowed (was blocked)']],
    [
      'levels/senior.yaml',
      'games: allow }',
      'games: allow }\nuncategorised: block',
      ['Senior: sites on no list are now blocked (were allowed)'],
    ],
    [
      'levels/senior.yaml',
      'allow: [closed.example]',
      'allow: [closed.example, a.test/b]',
      ['+ Senior: a.test/b is now always allowed'],
    ],
    [
      'levels/senior.yaml',
      'allow: [closed.example]',
      '',
      ['Senior: closed.example is no longer always allowed', 'Senior: closed.example is now always blocked'],
    ],
    ['levels/senior.yaml', 'title: Senior', 'title: Upper school', ['The level Senior is now called Upper school']],
    ['levels/senior.yaml', 'voice: teen', 'voice: adult', ['+ Senior: pages now speak to an adult (was a teenager)']],
    [
      'levels/senior.yaml',
      'extends: junior',
      'extends: junior\ndownloads: { block: [.exe, .msi] }',
      ['Senior: .msi files are now refused on plain http', '+ Senior: .tar.gz files are no longer refused'],
    ],
    [
      'levels/evening.yaml',
      '16:00',
      '18:00',
      ['+ Evening: the web is now open Mon Tue Wed Thu Fri 08:00–18:00 (was: Mon Tue Wed Thu Fri 08:00–16:00)'],
    ],
    [
      'levels/senior.yaml',
      'extends: junior',
      'extends: junior\nhours: [{ days: [sat], from: "09:00", to: "24:00" }]',
      ['Senior: the web is now open Sat 09:00–24:00 (was: at all times)'],
    ],
    [
      'levels/evening.yaml',
      EVENING.slice(EVENING.indexOf('hours')),
      '',
      ['+ Evening: the web is now open at all times (was: Mon Tue Wed Thu Fri 08:00–16:00)'],
    ],
    ['school.yaml', 'Test School', 'Best School', ['The school’s name is now Best School (was Test School)']],
    ['school.yaml', 'Ms Okoro', 'Mr Lee', ['Whom pupils are sent to is now Mr Lee (was Ms Okoro)']],
    [
      'school.yaml',
      'staff: the IT office }',
      'staff: the IT office, incidents: { lado: "01632 960000" } }\nchecks: { everyDays: 7, refused: { games: g.example } }',
      [
        'The contact of LADO for incidents is now 01632 960000 (was not said)',
        'How many days may pass between two checks of the filter is now 7 (was not said)',
        'The school’s own samples for the self-test is now games: g.example (was none)',
      ],
    ],
    [
      'school.yaml',
      'identity:',
      'reports: { digest: { at: "16:00", days: [fri, mon] }, weekly: { day: fri }, governors: { day: 8 } }\nidentity:',
      [
        'When the digest of concerns is mailed is now at 16:00, mon fri (was at 07:15, every day)',
        'When the weekly report is mailed is now at 07:00, fri (was at 07:00, mon)',
        'When the governors’ report is mailed is now at 07:30, day 8 of the month (was at 07:30, day 1 of the month)',
      ],
    ],
    [
      'school.yaml',
      'mode: open',
      'mode: open\n  schoolDayEnds: "18:00"\n  shared: [10.9.0.0/16]',
      ['Nobody can sign in by address from 10.9.0.0/16 any more'],
    ],
    [
      'school.yaml',
      'mode: open',
      'mode: open\n  schoolDayEnds: "21:05"',
      ['+ The end of the school day is now 21:05 (was 18:00)'],
    ],
    ['school.yaml', 'mode: open', 'mode: challenge', ['The identity mode is now challenge (was open)']],
    [
      'school.yaml',
      'strictestLevel: junior',
      'strictestLevel: senior',
      ['+ The level of whoever is not identified is now senior (was junior)'],
    ],
    ['school.yaml', 'never.example, ', '', ['+ never.example is no longer closed for everybody']],
    ['school.yaml', 'never.example, ', 'never.example, new.example, ', ['Nobody may open new.example any more']],
    [
      'school.yaml',
      'level: senior',
      'level: junior',
      [
        '+ Devices are now known by their address: Upper school (10.1.0.0/16) as junior',
        '+ Devices are no longer known by their address: Upper school (10.1.0.0/16) as senior',
      ],
    ],
    [
      'school.yaml',
      'identity:',
      'network: { clients: [10.0.0.0/8, 127.0.0.0/8, "::1", 172.16.0.0/12, 192.168.0.0/16, fc00::/7], allowDestinations: [10.0.0.5], httpPorts: [80, 81], connectPorts: [{ port: 443 }], connections: 5 }\nidentity:',
      [
        '+ Private addresses that may be reached: 10.0.0.5 is new',
        'Ports for https: 80 (not TLS) is gone',
        '+ Ports for plain http: 81 is new',
        'Ports for plain http: 8080 is gone',
        'Ports for plain http: 8000 is gone',
        'Ports for plain http: 8008 is gone',
        'Ports for plain http: 8888 is gone',
        'The limit of connections altogether is now 5 (was 20000)',
      ],
    ],
    [
      'rules.yaml',
      'gambling: monitor',
      'gambling: block',
      ['Group 9y: Gambling is now blocked (was allowed and watched)'],
    ],
    [
      'rules.yaml',
      'games: block }',
      'chat: allow }',
      [
        '+ Group 9x: Chat is now allowed (was left to the level)',
        '+ Group 9x: Games is now left to the level (was blocked)',
      ],
    ],
    [
      'rules.yaml',
      'block: [noclass.example]',
      'block: []',
      ['+ Group 9x: noclass.example is no longer always blocked'],
    ],
    ['rules.yaml', 'name: Ann, level: junior', 'name: Ann, level: senior', ['+ ann now has level senior (was junior)']],
    [
      'rules.yaml',
      'level: junior, groups: [9x]',
      'level: junior, groups: [9y]',
      ['+ ann joins group 9y', '+ ann leaves group 9x'],
    ],
    ['rules.yaml', 'block: [private.example, ', 'block: [', ['+ ann: private.example is no longer always blocked']],
    [
      'rules.yaml',
      '  - { name: Ann',
      '  - { name: Dee, level: staff }\n  - { name: Ann',
      ['dee is new, with level staff'],
    ],
    ['rules.yaml', 'suspended: always, ', '', ['+ bob is no longer suspended']],
    [
      'rules.yaml',
      'suspended: always',
      'suspended: "2027-01-01T00:00:00Z"',
      ['+ bob is suspended until 2027-01-01T00:00:00.000Z'],
    ],
    ['rules.yaml', 'suspended: "2026-11-24T00:00:00Z"', 'suspended: always', ['cy is suspended until further notice']],
    [
      'rules.yaml',
      RULES.slice(RULES.indexOf('lessons:')),
      '',
      [
        '+ Lesson list taken away: group 9x may only open lesson.example from 2026-11-23T11:00:00.000Z to 2026-11-23T12:00:00.000Z',
      ],
    ],
  ];
  for (const [file, from, to, expected] of table) t.strictSame(changed(file, from, to), expected, `${from} → ${to}`);
});

await t.test('agreements and cards', async (t) => {
  const agreement = (change = ''): string => `title: Our rules\nlevels: [junior]\ntext: [Filtered${change}.]\n`;
  const withAgreements = (text: string | null, school = SCHOOL): PolicySnapshot =>
    snapshotOf({ 'levels/staff.yaml': STAFF, 'school.yaml': school, 'agreements/junior.yaml': text });
  const asked = withAgreements(agreement());
  const [first, second] = [asked, withAgreements(agreement(' and kept'))].map(
    ({ agreements }) => agreements!.levels['junior']!.version,
  );
  t.not(first, second, 'another word is another version');
  t.strictSame(lines(before, asked), [
    `People are asked for an agreement: junior, “Our rules” (version ${first})`,
    '+ The day from which everybody is asked again is now 09-01 (was not set)',
  ]);
  t.strictSame(lines(asked, withAgreements(agreement(' and kept'))), [
    `People are asked for an agreement: junior, “Our rules” (version ${second})`,
    `+ Nobody is asked any more for the agreement: junior, “Our rules” (version ${first})`,
  ]);
  const school = `${SCHOOL}agreements: { yearBegins: "08-20", parentConsent: [junior] }\n`;
  t.match(lines(asked, withAgreements(agreement(), school)), [
    /^People are asked for an agreement: junior, “Our rules”, accepted by a parent \(version/,
    /^\+ Nobody is asked any more for the agreement: junior, “Our rules” \(version/,
    '+ The day from which everybody is asked again is now 08-20 (was 09-01)',
  ]);
  const kept = 'Levels that keep the password on their log-in card';
  t.strictSame(changed('school.yaml', 'mode: open', 'mode: open\n  keepCards: [junior]'), [
    `+ ${kept}: junior is new`,
    `${kept}: ks1 is gone`,
  ]);
});

await t.test('levels and people that come and go', async (t) => {
  const without = snapshotOf();
  t.strictSame(lines(before, without), [
    'Levels of people from a roster: no longer teacher has staff',
    'Levels of people from a roster: no longer staff has staff',
    'The level Staff is gone',
  ]);
  t.strictSame(lines(without, before), [
    '+ Levels of people from a roster: teacher has staff',
    '+ Levels of people from a roster: staff has staff',
    'The level Staff is new',
  ]);
  t.strictSame(lines(snapshotOf({ 'levels/evening.yaml': null }), without), ['+ The level Evening is new']);
  t.strictSame(lines(snapshotOf({ 'rules.yaml': RULES.replace(/ {2}- \{ name: Bob.*\n/, '') }), without), [
    '+ bob is new, with level junior',
    'bob is suspended until further notice',
    '+ bob: own.example is now always allowed',
  ]);
});

await t.test('categories whose traits change', async (t) => {
  const { games, gambling, ...rest } = before.categories;
  const after: PolicySnapshot = {
    ...before,
    categories: {
      ...rest,
      games: { ...games!, flag: true, title: 'Play' },
      csam: { title: 'Child abuse', locked: false, flag: false },
      fresh: { title: 'Fresh', locked: false, flag: true },
    },
  };
  t.ok(gambling);
  t.strictSame(lines(before, after).sort(), [
    '+ Child abuse is no longer flagged for an adult',
    '+ Child abuse is no longer locked',
    '+ The category Gambling is gone',
    'Play is now flagged for an adult',
    'The category Fresh is new',
    'The category Games is now called Play',
  ]);
});
