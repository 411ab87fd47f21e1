import { join } from 'node:path';
import t from 'tap';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import type { DirectoryPerson } from '../../src/identity/directory-snapshot.ts';
import { formatProblem } from '../../src/kernel/errors.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { findPointless } from '../../src/policy/find-pointless.ts';
import { examineFolder } from '../../src/policy/load.ts';
import { readPolicy } from '../../src/policy/read.ts';
import { CATEGORIES, EVENING, JUNIOR, RULES, SCHOOL, SENIOR, at, files } from './small-school.ts';

const MONDAY = at('2026-11-23T10:00:00Z');
const LISTED = new Set(CATEGORIES.map(({ id }) => id));

function pupil(name: string, changes: Partial<DirectoryPerson> = {}): DirectoryPerson {
  return { name, kind: 'person', roles: ['pupil'], year: '3', groups: [], ...changes };
}

/** A school in which every line has an effect. */
const SOUND: Readonly<Record<string, string>> = {
  'levels/evening.yaml': EVENING,
  'rules.yaml': RULES,
};
const PEOPLE = ['ann', 'bob', 'cy', 'dee'].map((name) => pupil(name, { groups: ['9y', 'idle'] }));
const RANGES = `    - { cidr: 10.1.0.0/16, level: senior, name: Upper school }\n`;
const EVENING_RANGE = `${RANGES}    - { cidr: 10.2.0.0/16, level: evening, name: Boarders }\n`;
const SOUND_SCHOOL = SCHOOL.replace(RANGES, EVENING_RANGE);

interface Case {
  readonly changes?: Readonly<Record<string, string>>;
  readonly listed?: ReadonlySet<string>;
  readonly people?: readonly DirectoryPerson[];
  readonly categories?: typeof CATEGORIES;
  readonly now?: number;
}

function warnings({
  changes = {},
  listed = LISTED,
  people = PEOPLE,
  categories = CATEGORIES,
  now = MONDAY,
}: Case): string[] {
  const read = readPolicy(files({ 'school.yaml': SOUND_SCHOOL, ...SOUND, ...changes }));
  if ('problems' in read) throw new Error(read.problems.map(formatProblem).join('\n'));
  const compiled = compilePolicy(read.documents, categories);
  if ('problems' in compiled) throw new Error(compiled.problems.map(formatProblem).join('\n'));
  return findPointless(read.documents, compiled.snapshot, { listed, people: { people }, now }).map(formatProblem);
}

function edited(file: 'school' | 'junior' | 'senior' | 'evening' | 'rules', from: string, to: string): Case {
  const [path, text] = {
    school: ['school.yaml', SOUND_SCHOOL],
    junior: ['levels/junior.yaml', JUNIOR],
    senior: ['levels/senior.yaml', SENIOR],
    evening: ['levels/evening.yaml', EVENING],
    rules: ['rules.yaml', SOUND['rules.yaml']!],
  }[file] as [string, string];
  if (!text.includes(from)) throw new Error(`${path} has no "${from}"`);
  return { changes: { [path]: text.replace(from, to) } };
}

await t.test('where every line has an effect there is no warning', async (t) => {
  t.strictSame(warnings({}), []);
  const part = edited('junior', 'allow: [helpline', 'allow: [sub.closed.example, helpline');
  t.strictSame(warnings(part), [], 'an entry that speaks for a part of another has an effect');
});

await t.test('the shipped policy has no line without effect', async (t) => {
  const [policies, lists] = ['policies', 'blocklists'].map((name) => join(import.meta.dirname, '..', '..', name));
  const examined = examineFolder(policies!, loadCatalogue(lists!), { people: { people: [] }, now: MONDAY });
  t.strictSame('warnings' in examined && examined.warnings, []);
});

await t.test('every kind of line without effect, with file and line', async (t) => {
  const table: [string, Case, string[]][] = [
    [
      'a site under one of the same list',
      edited('junior', 'helpline.example,', 'www.helpline.example, helpline.example,'),
      [
        'levels/junior.yaml:16: "www.helpline.example" changes nothing: levels/junior.yaml#allow.helpline.example says the same already; remove this line',
      ],
    ],
    [
      'a page of a site of the same list',
      edited('junior', 'block: [closed', 'block: [closed.example/page, closed'),
      [
        'levels/junior.yaml:17: "closed.example/page" changes nothing: levels/junior.yaml#block.closed.example says the same already; remove this line',
      ],
    ],
    [
      'what an extended level says already',
      edited('senior', 'allow: [closed.example]', 'allow: [closed.example, helpline.example, www.helpline.example]'),
      [
        'levels/senior.yaml:6: "helpline.example" changes nothing: levels/junior.yaml#allow.helpline.example says the same already; remove this line',
        'levels/senior.yaml:6: "www.helpline.example" changes nothing: levels/junior.yaml#allow.helpline.example says the same already; remove this line',
      ],
    ],
    [
      'an allowed site that is on the never-list',
      edited('senior', 'allow: [closed.example]', 'allow: [closed.example, www.never.example]'),
      [
        'levels/senior.yaml:6: "www.never.example" is never opened: school.yaml#never.never.example closes it and is asked first; remove one of the two',
      ],
    ],
    [
      'a blocked page that is on the never-list',
      edited('rules', 'block: [noclass.example]', 'block: [noclass.example, notnow.example/page/2]'),
      [
        'rules.yaml:6: "notnow.example/page/2" changes nothing: school.yaml#never.notnow.example/page closes it and is asked first',
      ],
    ],
    [
      'a lesson’s site on the never-list',
      edited('rules', 'sites: [lesson.example]', 'sites: [lesson.example, never.example]'),
      [
        'rules.yaml:16: "never.example" is never opened: school.yaml#never.never.example closes it and is asked first; remove one of the two',
      ],
    ],
    [
      'a person’s allowed site under their own block',
      edited('rules', 'allow: [own.example]', 'allow: [own.example], block: [example]'),
      [
        'rules.yaml:13: "own.example" is never opened: rules.yaml#people.Bob.block.example closes it and is asked first; remove one of the two',
      ],
    ],
    [
      'ranges and addresses in ranges',
      {
        changes: {
          'school.yaml': SOUND_SCHOOL.replace('never: [', 'never: [203.0.113.0/24, '),
          'levels/junior.yaml': JUNIOR.replace('allow: [', 'allow: [203.0.113.7, ').replace(
            'block: [',
            'block: [198.51.100.0/24, 198.51.100.128/25, 198.51.100.9, ',
          ),
        },
      },
      [
        'levels/junior.yaml:16: "203.0.113.7" is never opened: school.yaml#never.203.0.113.0/24 closes it and is asked first; remove one of the two',
        'levels/junior.yaml:17: "198.51.100.128/25" changes nothing: levels/junior.yaml#block.198.51.100.0/24 says the same already; remove this line',
        'levels/junior.yaml:17: "198.51.100.9" changes nothing: levels/junior.yaml#block.198.51.100.0/24 says the same already; remove this line',
      ],
    ],
    [
      'the never-list twice',
      edited('school', 'never: [never.example,', 'never: [never.example, a.never.example,'),
      [
        'school.yaml:5: "a.never.example" changes nothing: school.yaml#never.never.example says the same already; remove this line',
      ],
    ],
    [
      'a level that nobody can get',
      { changes: { 'levels/spare.yaml': 'title: Spare\nextends: junior\n' } },
      ['levels/spare.yaml:1: nobody can get level "spare": give it to a year, a role, a range or a person'],
    ],
    [
      'categories that no list is about',
      { listed: new Set([...LISTED].filter((id) => id !== 'gambling')) },
      [
        'levels/junior.yaml:11: "gambling" decides nothing: no list of the catalogue is about it',
        'rules.yaml:4: "gambling" decides nothing: no list of the catalogue is about it',
        'rules.yaml:8: "gambling" decides nothing: no list of the catalogue is about it',
      ],
    ],
    [
      'what the extended level says already',
      edited(
        'senior',
        'categories: { games: allow }',
        'categories: { games: allow, chat: warn }\nuncategorised: allow\nsafeSearch: on',
      ),
      [
        'levels/senior.yaml:5: "chat: warn" changes nothing: level junior says the same already; remove this line',
        'levels/senior.yaml:6: "uncategorised: allow" changes nothing: level junior says the same already; remove this line',
        'levels/senior.yaml:7: "safeSearch: on" changes nothing: level junior says the same already; remove this line',
      ],
    ],
    [
      'a file ending with a shorter one',
      edited('junior', '.tar.gz', '.tar.gz, .gz'),
      ['levels/junior.yaml:18: ".tar.gz" changes nothing: ".gz" refuses it already; remove this line'],
    ],
    [
      'ranges',
      edited(
        'school',
        EVENING_RANGE,
        `${EVENING_RANGE}    - { cidr: 10.1.7.0/24, level: senior, name: Library }\n    - { cidr: 10.1.7.8, level: evening, name: Kiosk }\n    - { cidr: 10.1.7.9, level: senior, name: Desk }\n    - { cidr: 81.2.3.0/24, level: evening, name: Outside }\n`,
      ),
      [
        'school.yaml:12: "10.1.7.0/24" changes nothing: 10.1.0.0/16, which holds it, has level senior already',
        'school.yaml:14: "10.1.7.9" changes nothing: 10.1.7.0/24, which holds it, has level senior already',
        'school.yaml:15: "81.2.3.0/24" gives nobody a level: it lies outside "network.clients"',
      ],
    ],
    [
      'groups and people whom nobody knows',
      { people: [pupil('ann'), pupil('bob', { groups: ['9y'] })] },
      [
        'rules.yaml:9: nobody is in group "idle": neither "people" nor a roster names it',
        'rules.yaml:14: no roster names "Cy": see that the user name is right',
      ],
    ],
    [
      'sites and categories at certain times',
      {
        changes: {
          'levels/senior.yaml': `${SENIOR}times:
  - { name: Lunch, when: [always], allow: [www.never.example, a.test, sub.a.test], categories: { unlisted: warn } }
`,
          'rules.yaml': RULES.replace(
            'block: [noclass.example]',
            'block: [noclass.example]\n    times: [{ name: Lunch, when: [always], block: [a.test, never.example] }]',
          ).replace(
            'level: junior, groups',
            'level: junior, times: [{ name: Lunch, when: [always], allow: [never.example] }], groups',
          ),
        },
        listed: new Set([...LISTED].filter((id) => id !== 'news')),
        categories: [...CATEGORIES, { id: 'unlisted', title: 'Unlisted', locked: false, flag: false }],
      },
      [
        'levels/junior.yaml:13: "news" decides nothing: no list of the catalogue is about it',
        'levels/senior.yaml:8: "www.never.example" is never opened: school.yaml#never.never.example closes it and is asked first; remove one of the two',
        'levels/senior.yaml:8: "sub.a.test" changes nothing: levels/senior.yaml#times.Lunch.allow.a.test says the same already; remove this line',
        'levels/senior.yaml:8: "unlisted" decides nothing: no list of the catalogue is about it',
        'rules.yaml:7: "never.example" changes nothing: school.yaml#never.never.example closes it and is asked first',
        'rules.yaml:13: "never.example" is never opened: school.yaml#never.never.example closes it and is asked first; remove one of the two',
      ],
    ],
    [
      'a place at which no rule holds',
      {
        changes: {
          'school.yaml': `${SOUND_SCHOOL}places: { Hall: [10.20.9.0/24], Library: [10.20.8.0/24] }\n`,
          'levels/senior.yaml': `${SENIOR}times: [{ name: Library, when: [always], where: [Library], allow: [a.test] }]\n`,
        },
      },
      ['school.yaml:12: no rule holds at "Hall": name it under "where" of a time, or remove it'],
    ],
    [
      'without a roster people are not looked for',
      { people: [] },
      [
        'rules.yaml:7: nobody is in group "9y": neither "people" nor a roster names it',
        'rules.yaml:9: nobody is in group "idle": neither "people" nor a roster names it',
      ],
    ],
    [
      'what is over',
      { now: at('2026-11-24T00:00:00Z') },
      [
        'rules.yaml:14: the suspension of "Cy" ended at 2026-11-24T00:00:00.000Z; remove it',
        'rules.yaml:16: the lesson list of "9x" ended at 2026-11-23T12:00:00.000Z; remove it',
      ],
    ],
  ];
  for (const [what, changes, expected] of table) t.strictSame(warnings(changes), expected, what);
});

await t.test('the end of the last term is told thirty days before, and once it is over', (t) => {
  const TERMS = `calendar:
  terms:
    - { name: Summer term, from: 2027-04-12, to: 2027-07-20 }
    - { name: Autumn term, from: 2026-09-01, to: 2026-12-18 }
`;
  const told = (now: string): string[] =>
    warnings({ changes: { 'school.yaml': SOUND_SCHOOL + TERMS }, now: at(now) }).filter((text) =>
      text.includes('term'),
    );
  const soon =
    'school.yaml:14: "Summer term" is the last term: it ends on 2027-07-20, and every day after it counts as holidays; add the next terms';
  t.strictSame(told('2027-06-19T22:59:59Z'), []);
  t.strictSame(told('2027-06-19T23:00:00Z'), [soon]);
  t.strictSame(told('2027-07-20T22:59:59Z'), [soon], 'the last day');
  t.strictSame(told('2027-07-20T23:00:00Z'), [
    'school.yaml:14: "Summer term" is the last term: it ended on 2027-07-20, and every day since counts as holidays; add the next terms',
  ]);
  t.end();
});
