import t from 'tap';
import { type ChainLink, consult } from '../../src/policy/chain.ts';
import { decide } from '../../src/policy/decide.ts';
import { prepareLive, preparePolicy } from '../../src/policy/prepare.ts';
import { EVENING, SCHOOL, at, grant, match, request, snapshotOf, who } from './small-school.ts';

const MONDAY = at('2026-11-23T10:00:00Z');
const policy = preparePolicy(snapshotOf());
const ANN = who({ user: 'ann', identified: 'session', groups: ['9x'] });

/** Links that had anything to say, such as `> group allow rules.yaml#groups.9x.allow.class.example`. */
function words(links: readonly ChainLink[]): string[] {
  return links
    .filter(({ said }) => said !== 'nothing' && said !== 'never-asked')
    .map(({ step, said, action, rule, decided }) =>
      [decided ? '>' : '-', step, said === 'spoke' ? action : 'idle', rule].join(' '),
    );
}

await t.test('every rule is asked in the order of the precedence, and the first that speaks has decided', async (t) => {
  const links = consult(policy, prepareLive({ grants: [] }), request('www.class.example', { who: ANN }), MONDAY);
  t.strictSame(
    links.map(({ asked }) => asked),
    [
      'address, port and destination',
      'lists of illegal material',
      'the school’s never-list',
      'sign-in and agreement',
      'suspension',
      'times closed to the person',
      'the person’s own blocked sites',
      'lesson lists',
      'unblocks',
      'the person’s own allowed sites',
      'times closed to classes and groups',
      'classes and groups',
      'times closed to the level',
      'the level’s written sites, times and downloads',
      'the level’s categories',
    ],
  );
  t.equal(links[1]!.said, 'never-asked', 'nobody finds out here what is on a list of illegal material');
  t.equal(links.filter(({ decided }) => decided).length, 1);
});

await t.test('what each rule said, and what the later ones would have', async (t) => {
  const lunch = at('2026-11-23T11:30:00Z');
  const suspended = prepareLive({ grants: [], suspensions: [{ user: 'ann', until: MONDAY, rule: 'directory#ann' }] });
  const unblocked = prepareLive({
    grants: [grant({ hosts: ['bets.test'], levels: ['senior'], from: 0, until: MONDAY * 2 })],
  });
  const byCategory = prepareLive({ grants: [grant({ categories: ['games'], levels: ['junior'], until: MONDAY })] });
  const none = prepareLive({ grants: [] });
  const table: [string, Parameters<typeof consult>[1], Parameters<typeof consult>[2], number, string[]][] = [
    [
      'a person’s own block before a class that allows',
      none,
      request('class.example', { who: ANN }),
      MONDAY,
      [
        '> person-block block rules.yaml#people.Ann.block.class.example',
        '- lesson idle rules.yaml#lessons.9x@2026-11-23T11:00:00Z',
        '- group allow rules.yaml#groups.9x.allow.class.example',
        '- level allow levels/junior.yaml#uncategorised',
      ],
    ],
    [
      'a lesson list in force',
      none,
      request('own.example', { who: ANN }),
      lunch,
      [
        '> lesson block rules.yaml#lessons.9x@2026-11-23T11:00:00Z',
        '- person-allow allow rules.yaml#people.Ann.allow.own.example',
        '- level allow levels/junior.yaml#uncategorised',
      ],
    ],
    [
      'a lesson list in force that names the site',
      none,
      request('lesson.example', { who: ANN }),
      lunch,
      ['> level allow levels/junior.yaml#uncategorised'],
    ],
    [
      'a suspension that has ended',
      suspended,
      request('a.test', { who: who({ user: 'ann' }) }),
      MONDAY,
      ['- person-block idle directory#ann', '> level allow levels/junior.yaml#uncategorised'],
    ],
    [
      'an unblock for others',
      unblocked,
      request('bets.test', { match: match('gambling') }),
      MONDAY,
      ['- unblock idle unblock:g1', '> level block levels/junior.yaml#categories.gambling'],
    ],
    [
      'an unblock of the category that is over',
      byCategory,
      request('play.test', { match: match('games') }),
      MONDAY,
      ['- unblock idle unblock:g1', '> level block levels/junior.yaml#categories.games'],
    ],
    [
      'hours that let the level in',
      none,
      request('always.example', { who: who({ level: 'evening' }) }),
      MONDAY,
      [
        '- level idle levels/evening.yaml#hours',
        '> level allow levels/evening.yaml#allow.always.example',
        '- level allow levels/junior.yaml#uncategorised',
      ],
    ],
    ['a port that may not be used', none, request('a.test', { violation: 'port' }), MONDAY, ['> target block ']],
    [
      'a category that no level names',
      none,
      request('a.test', { match: match('unheard-of') }),
      MONDAY,
      ['> default block '],
    ],
  ];
  t.match(EVENING, 'hours', 'the evening level has hours');
  for (const [what, live, asked, now, expected] of table) {
    const links = consult(policy, live, asked, now);
    t.strictSame(words(links), expected, what);
    const { action, reason, rule } = decide(policy, live, asked, now);
    t.match(
      links.find(({ decided }) => decided),
      { action, reason, rule },
      `${what}: as it is decided`,
    );
  }
});

await t.test('timed rules that are about the request, and hold at another time or place', async (t) => {
  const closed = `  - { name: lunch, when: [{ from: "12:00", to: "13:00" }], closed: true }`;
  const sites = `  - { name: library, when: [always], where: [Library], allow: [timed.example], categories: { games: allow } }`;
  const times = (indent: string): string =>
    `times:\n${closed}\n${sites}\n`
      .split('\n')
      .map((line) => indent + line)
      .join('\n');
  const rules = `
groups:
  - name: 9x
${times('    ')}
people:
  - name: Ann
    level: timed
${times('    ').replace('categories: { games: allow }', 'block: [private.example]')}
`;
  const timed = preparePolicy(
    snapshotOf({
      'school.yaml': `${SCHOOL}places: { Library: [10.20.8.0/24] }\n`,
      'levels/timed.yaml': `title: Timed\nextends: junior\n${times('')}`,
      'rules.yaml': rules,
    }),
  );
  const none = prepareLive({ grants: [] });
  const ann = (client: string) => who({ user: 'ann', level: 'timed', groups: ['9x'], client });
  const idle = (host: string, now: number, client = '10.9.0.1', categories: string[] = []): string[] =>
    consult(timed, none, request(host, { who: ann(client), match: match(...categories) }), now)
      .filter(({ said }) => said === 'not-in-force')
      .map(({ asked, rule }) => `${asked}: ${rule}`);
  const CLOSED = [
    'times closed to the person: rules.yaml#people.Ann.times.lunch',
    'times closed to classes and groups: rules.yaml#groups.9x.times.lunch',
    'times closed to the level: levels/timed.yaml#times.lunch',
  ];
  const [CLOSED_1, CLOSED_2, CLOSED_3] = CLOSED;
  const OWN = 'the person’s own allowed sites: rules.yaml#people.Ann.times.library';
  const GROUP = 'classes and groups: rules.yaml#groups.9x.times.library';
  const LEVEL = 'the level’s written sites, times and downloads: levels/timed.yaml#times.library';
  t.strictSame(idle('a.test', MONDAY), CLOSED, 'ten o’clock is not lunch');
  t.strictSame(idle('a.test', at('2026-11-23T12:30:00Z')), [], 'at lunch they speak');
  t.strictSame(idle('timed.example', MONDAY), [CLOSED_1, OWN, CLOSED_2, GROUP, CLOSED_3, LEVEL], 'elsewhere');
  t.strictSame(idle('timed.example', MONDAY, '10.20.8.4'), CLOSED, 'in the library they speak');
  t.strictSame(
    idle('private.example', MONDAY),
    [CLOSED_1, 'the person’s own blocked sites: rules.yaml#people.Ann.times.library', CLOSED_2, CLOSED_3],
    'a site that is blocked in the library only',
  );
  t.strictSame(
    idle('play.test', MONDAY, '10.9.0.1', ['games']),
    [CLOSED_1, CLOSED_2, GROUP, CLOSED_3, LEVEL],
    'a category',
  );
});
