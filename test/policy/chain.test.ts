import t from 'tap';
import { type ChainLink, consult } from '../../src/policy/chain.ts';
import { decide } from '../../src/policy/decide.ts';
import { prepareLive, preparePolicy } from '../../src/policy/prepare.ts';
import { EVENING, at, grant, match, request, snapshotOf, who } from './small-school.ts';

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
