import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { decide } from '../../src/policy/decide.ts';
import { preparePolicy, prepareLive } from '../../src/policy/prepare.ts';
import type { Decision } from '../../src/policy/verdict.ts';
import { at, grant, match, request, snapshotOf, who } from './small-school.ts';

const NOW = at('2026-11-23T09:00:00Z');

/** Everybody who may have a say of www.x.test for one pupil of one class, in the contract's order, with what they give. */
const SPEAKERS = [
  ['target', 'block port target'],
  ['illegal', 'block illegal illegal'],
  ['never', 'block never never'],
  ['sign-in', 'block identity person-block'],
  ['suspension', 'block person person-block'],
  ['person-closed', 'block schedule person-block'],
  ['person-block', 'block person person-block'],
  ['lesson', 'block lesson lesson'],
  ['unblock', 'allow unblock unblock'],
  ['person-allow', 'allow person person-allow'],
  ['group-closed', 'block schedule group'],
  ['group-block', 'block group group'],
  ['level-closed', 'block schedule level'],
  ['level-allow', 'allow allow-list level'],
  ['category', 'block category level'],
  ['default', 'block default default'],
] as const;
type Speaker = (typeof SPEAKERS)[number][0];

/** Rules of one owner: those that hold at all times, or the same as ones that hold now. */
function owner(rules: readonly string[], closed: boolean, isTimed: boolean): string {
  const timed = [
    ...(isTimed && rules.length > 0 ? [`{ name: Now, when: [{ days: [mon] }], ${rules.join(', ')} }`] : []),
    ...(closed ? ['{ name: Closed, when: [{ from: "09:00", to: "09:01" }], closed: true }'] : []),
  ];
  return [...(isTimed ? [] : rules), ...(timed.length > 0 ? [`times: [${timed.join(', ')}]`] : [])]
    .map((rule) => `, ${rule}`)
    .join('');
}

/** What is decided when these have a say, each with a rule of its own kind, and nobody else. */
function ask(speaking: ReadonlySet<Speaker>, isTimed: boolean): Decision {
  const if_ = (speaker: Speaker, rule: string): string[] => (speaking.has(speaker) ? [rule] : []);
  const person = [...if_('person-block', 'block: [x.test]'), ...if_('person-allow', 'allow: [www.x.test]')];
  const level = [...if_('level-allow', 'allow: [x.test]'), ...if_('category', 'categories: { games: block }')];
  const snapshot = snapshotOf({
    'school.yaml': `
name: Test School
timeZone: Europe/London
contacts: { pupils: A, staff: B }
never: [${if_('never', 'x.test').join()}]
identity: { mode: open, strictestLevel: mine }
`,
    'levels/junior.yaml': null,
    'levels/senior.yaml': null,
    'levels/evening.yaml': null,
    'levels/mine.yaml': `{ title: Mine, voice: child, uncategorised: allow${owner(level, speaking.has('level-closed'), isTimed)} }`,
    'rules.yaml': `
groups:
  - { name: c${owner(if_('group-block', 'block: [x.test]'), speaking.has('group-closed'), isTimed)} }
people:
  - { name: ann, level: mine, groups: [c]${if_('suspension', ', suspended: always').join('')}${owner(person, speaking.has('person-closed'), isTimed)} }
lessons: [${if_('lesson', '{ group: c, from: "2026-11-23T09:00:00Z", until: "2026-11-23T10:00:00Z", sites: [y.test] }').join()}]
`,
  });
  const categories = [...if_('illegal', 'csam'), ...if_('category', 'games'), ...if_('default', 'unheard-of')];
  const ann = who({
    user: 'ann',
    level: 'mine',
    groups: ['c'],
    needs: speaking.has('sign-in') ? 'sign-in' : 'nothing',
  });
  const asked = request('www.x.test', {
    who: ann,
    match: match(...categories),
    violation: speaking.has('target') ? 'port' : null,
  });
  const unblocks = speaking.has('unblock') ? [grant({ hosts: ['x.test'], levels: ['mine'], from: NOW })] : [];
  return decide(preparePolicy(snapshot), prepareLive({ grants: unblocks }), asked, NOW);
}

function line({ verdict, reason, step }: Decision): string {
  return `${verdict} ${reason} ${step}`;
}

await t.test('each speaks where nobody else does', async (t) => {
  for (const isTimed of [false, true]) {
    for (const [speaker, expected] of SPEAKERS) {
      t.equal(line(ask(new Set([speaker]), isTimed)), expected, `${speaker}${isTimed ? ', at certain times' : ''}`);
    }
    t.equal(line(ask(new Set(), isTimed)), 'allow uncategorised level');
  }
});

await t.test('of any two the earlier one speaks', async (t) => {
  for (const isTimed of [false, true]) {
    for (const [i, [first, expected]] of SPEAKERS.entries()) {
      for (const [second] of SPEAKERS.slice(i + 1)) {
        t.equal(line(ask(new Set([first, second]), isTimed)), expected, `${first} before ${second}`);
      }
    }
  }
});

await t.test('and of any number of them', async () => {
  const some = fc.subarray([...SPEAKERS], { minLength: 3 });
  fc.assert(
    fc.property(some, fc.boolean(), (speaking, isTimed) => {
      assert.equal(line(ask(new Set(speaking.map(([speaker]) => speaker)), isTimed)), speaking[0]![1]);
    }),
    { numRuns: 150 },
  );
});

await t.test('the level’s timed rules, inside its step', async (t) => {
  const base = 'title: Mine\nextends: junior\nallow: [open.test]\nblock: [shut.test, half.test]\n';
  const policy = preparePolicy(
    snapshotOf({
      'school.yaml': `
name: Test School
timeZone: Europe/London
contacts: { pupils: A, staff: B }
identity: { mode: open, strictestLevel: junior }
places: { Library: [10.20.8.0/24, "2001:db8:20:8::/64"] }
`,
      'rules.yaml': null,
      'levels/mine.yaml': `${base}times:
  - { name: Nine, when: [{ from: "09:00", to: "10:00" }], block: [open.test, www.shut.test], allow: [half.test/ok, shut.test], categories: { games: warn, news: block }, uncategorised: block }
  - { name: Half, when: [{ from: "09:30", to: "10:30" }], allow: [open.test], categories: { games: monitor } }
  - { name: Library, when: [always], where: [Library], categories: { games: allow }, block: [helpline.example] }
`,
    }),
  );
  const NINE = 'levels/mine.yaml#times.Nine';
  const HALF = 'levels/mine.yaml#times.Half';
  const LIBRARY = 'levels/mine.yaml#times.Library';
  const JUNIOR = 'levels/junior.yaml#';
  const table: [
    what: string,
    clock: string,
    host: string,
    path: string | null,
    of: string[],
    from: string,
    expected: string,
  ][] = [
    ['before it holds', '08:59', 'open.test', null, [], '', 'allow levels/mine.yaml#allow.open.test'],
    ['the same entry, the other way', '09:00', 'open.test', null, [], '', `block ${NINE}.block.open.test`],
    [
      'the longest match wins, timed or not',
      '09:00',
      'www.shut.test',
      null,
      [],
      '',
      `block ${NINE}.block.www.shut.test`,
    ],
    ['and beside it the timed allow', '09:00', 'a.shut.test', null, [], '', `allow ${NINE}.allow.shut.test`],
    ['a timed path beats the host', '09:00', 'half.test', '/ok/1', [], '', `allow ${NINE}.allow.half.test/ok`],
    ['which stays shut elsewhere', '09:00', 'half.test', '/no', [], '', 'block levels/mine.yaml#block.half.test'],
    [
      'written entries beat timed categories',
      '09:00',
      'helpline.example',
      null,
      ['news'],
      '',
      `allow ${JUNIOR}allow.helpline.example`,
    ],
    ['a timed category', '09:00', 'a.test', null, ['news'], '', `block ${NINE}.categories.news`],
    ['beside one that is not', '09:00', 'a.test', null, ['news', 'adult'], '', `block ${JUNIOR}categories.adult`],
    [
      'known-good still passes over it',
      '09:00',
      'a.test',
      null,
      ['news', 'known-good'],
      '',
      `allow ${JUNIOR}categories.known-good`,
    ],
    ['sites on no list', '09:00', 'a.test', null, [], '', `block ${NINE}.uncategorised`],
    ['of two in force the lower counts', '09:30', 'a.test', null, ['games'], '', `allow ${HALF}.categories.games`],
    ['also for entries', '09:30', 'open.test', null, [], '', `allow ${HALF}.allow.open.test`],
    ['and what it leaves out stays', '09:30', 'a.test', null, ['news'], '', `block ${NINE}.categories.news`],
    ['after the first', '10:00', 'a.test', null, ['news'], '', `allow ${JUNIOR}categories.news`],
    ['after both', '10:30', 'a.test', null, ['games'], '', `block ${JUNIOR}categories.games`],
    ['at a place', '10:30', 'a.test', null, ['games'], '10.20.8.255', `allow ${LIBRARY}.categories.games`],
    ['by IPv6', '09:00', 'a.test', null, ['games'], '2001:db8:20:8::ffff', `allow ${LIBRARY}.categories.games`],
    ['an address beside it', '10:30', 'a.test', null, ['games'], '10.20.9.0', `block ${JUNIOR}categories.games`],
    [
      'another network by IPv6',
      '10:30',
      'a.test',
      null,
      ['games'],
      '2001:db8:20:9::1',
      `block ${JUNIOR}categories.games`,
    ],
    [
      'an inherited entry at a place',
      '10:30',
      'helpline.example',
      null,
      [],
      '10.20.8.1',
      `block ${LIBRARY}.block.helpline.example`,
    ],
  ];
  for (const [what, clock, host, path, of, from, expected] of table) {
    const client = from === '' ? '10.9.0.1' : from;
    const asked = request(host, { path, match: match(...of), who: who({ level: 'mine', client }) });
    const { verdict, rule } = decide(policy, prepareLive({ grants: [] }), asked, at(`2026-11-23T${clock}:00Z`));
    t.equal(`${verdict} ${rule}`, expected, what);
  }
});
