import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import type { Who } from '../../src/identity/who.ts';
import { type DecisionRequest, type Violation, decide, faultDecision, strictest } from '../../src/policy/decide.ts';
import { NO_LIVE, type PreparedLive, prepareLive, preparePolicy } from '../../src/policy/prepare.ts';
import type { Grant } from '../../src/policy/snapshot.ts';
import { type Decision, REASONS } from '../../src/policy/verdict.ts';
import { JUNIOR, RULES, SCHOOL, at, grant, match, request, snapshotOf, who } from './small-school.ts';

const policy = preparePolicy(snapshotOf());
const MONDAY_9 = at('2026-11-23T09:00:00Z');
const MONDAY_11 = at('2026-11-23T11:00:00Z');
const MONDAY_18 = at('2026-11-23T18:00:00Z');

const ann = who({ user: 'ann', identified: 'proxy-auth', groups: ['9x'] });
const bob = who({ user: 'bob', identified: 'proxy-auth' });
const cy = who({ user: 'cy', identified: 'proxy-auth' });
const senior = who({ level: 'senior' });
const evening = who({ level: 'evening' });
const in9x = who({ groups: ['9x'] });
const nobody = who({ needs: 'sign-in' });

function live(...grants: Partial<Grant>[]): PreparedLive {
  return prepareLive({ grants: grants.map(grant) });
}

function ask(asked: DecisionRequest, open: PreparedLive = NO_LIVE, now = MONDAY_9): Decision {
  return decide(policy, open, asked, now);
}

/** `verdict action reason step flagged`, with category and rule where there are some: one line that says it all. */
function line(decision: Decision): string {
  const { verdict, action, reason, step, category, rule, flagged, locked } = decision;
  const words = [verdict, action, reason, step, category ?? '-', rule ?? '-', flagged ? 'flagged' : 'plain'];
  return [...words, ...(locked ? ['locked'] : [])].join(' ');
}

await t.test('every reason of the closed set, with all that the decision says', async (t) => {
  const LEVEL = 'levels/junior.yaml#';
  const table: [string, Decision, string][] = [
    ['malformed', ask(request(null, { violation: 'malformed' })), 'block block malformed target - - plain'],
    ['no host', ask(request(null)), 'block block malformed target - - plain'],
    ['protocol', ask(request('a.test', { violation: 'protocol' })), 'block block protocol target - - plain'],
    ['port', ask(request('a.test', { violation: 'port' })), 'block block port target - - plain'],
    ['destination', ask(request('a.test', { violation: 'destination' })), 'block block destination target - - plain'],
    ['limit', ask(request('a.test', { violation: 'limit' })), 'block block limit target - - plain'],
    ['illegal', ask(request('a.test', { match: match('csam') })), 'block block illegal illegal csam - flagged locked'],
    ['never', ask(request('never.example')), 'block block never never - school.yaml#never.never.example flagged'],
    ['identity', ask(request('a.test', { who: nobody })), 'block block identity person-block - - plain'],
    [
      'identity, known by the password of a card',
      ask(request('a.test', { who: who({ user: 'ann', needs: 'password' }) })),
      'block block identity person-block - people#temporary-password plain',
    ],
    [
      'agreement',
      ask(request('a.test', { who: who({ user: 'ann', needs: 'agreement' }) })),
      'block block agreement person-block - - plain',
    ],
    [
      'person, blocked',
      ask(request('private.example', { who: ann })),
      'block block person person-block - rules.yaml#people.Ann.block.private.example plain',
    ],
    [
      'person, suspended',
      ask(request('a.test', { who: bob })),
      'block block person person-block - rules.yaml#people.Bob.suspended plain',
    ],
    [
      'lesson',
      ask(request('a.test', { who: in9x }), NO_LIVE, MONDAY_11),
      'block block lesson lesson - rules.yaml#lessons.9x@2026-11-23T11:00:00Z plain',
    ],
    [
      'unblock',
      ask(request('closed.example'), live({ hosts: ['closed.example'], levels: ['junior'] })),
      'allow allow unblock unblock - unblock:g1 plain',
    ],
    [
      'person, allowed',
      ask(request('own.example', { who: ann })),
      'allow allow person person-allow - rules.yaml#people.Ann.allow.own.example plain',
    ],
    [
      'group, by entry',
      ask(request('noclass.example', { who: in9x })),
      'block block group group - rules.yaml#groups.9x.block.noclass.example plain',
    ],
    [
      'group, by category',
      ask(request('a.test', { who: in9x, match: match('gambling') })),
      'allow allow group group gambling rules.yaml#groups.9x.categories.gambling plain',
    ],
    [
      'allow-list',
      ask(request('helpline.example')),
      `allow allow allow-list level - ${LEVEL}allow.helpline.example plain`,
    ],
    ['block-list', ask(request('closed.example')), `block block block-list level - ${LEVEL}block.closed.example plain`],
    [
      'block-list, a download',
      ask(request('a.test', { path: '/Setup.EXE?v=2' })),
      `block block block-list level - ${LEVEL}downloads plain`,
    ],
    [
      'category, blocked',
      ask(request('a.test', { match: match('adult') })),
      `block block category level adult ${LEVEL}categories.adult flagged`,
    ],
    [
      'category, blocked, not worth a flag',
      ask(request('a.test', { match: match('adverts') })),
      `block block category level adverts ${LEVEL}categories.adverts plain`,
    ],
    [
      'category, monitored',
      ask(request('a.test', { match: match('news') })),
      `allow monitor category level news ${LEVEL}categories.news flagged`,
    ],
    [
      'category, warned of',
      ask(request('a.test', { match: match('chat') })),
      `block warn category level chat ${LEVEL}categories.chat flagged`,
    ],
    ['uncategorised', ask(request('a.test')), `allow allow uncategorised level - ${LEVEL}uncategorised plain`],
    [
      'schedule',
      ask(request('a.test', { who: evening }), NO_LIVE, MONDAY_18),
      'block block schedule level - levels/evening.yaml#hours plain',
    ],
    [
      'default',
      ask(request('a.test', { match: match('unheard-of') })),
      'block block default default unheard-of - flagged',
    ],
    ['fault', faultDecision(), 'block block fault target - - plain'],
  ];
  for (const [name, decision, expected] of table) t.equal(line(decision), expected, name);
  const covered = new Set(table.map(([, { reason }]) => reason));
  t.strictSame([...covered].sort(), [...REASONS].sort(), 'no reason is left out');
});

await t.test('a level that the policy does not know throws: the caller’s fault decision blocks', async (t) => {
  t.throws(() => ask(request('a.test', { who: who({ level: 'gone' }) })), { code: 'unknown_level' });
  t.equal(faultDecision().verdict, 'block');
});

await t.test('of two neighbouring steps the earlier one speaks', async (t) => {
  const opened = live({
    hosts: ['lesson.example', 'noclass.example', 'a.test', 'private.example'],
    levels: ['junior'],
  });
  const csam = match('csam');
  const violation = (kind: Violation): Partial<DecisionRequest> => ({ violation: kind, match: csam });
  // Both steps have something to say of each request: the first line of the precedence must win.
  const table: [string, Decision, string][] = [
    ['target before illegal', ask(request('a.test', violation('port'))), 'target'],
    ['illegal before never', ask(request('never.example', { match: csam })), 'illegal'],
    ['never before sign-in', ask(request('never.example', { who: nobody })), 'never'],
    [
      'sign-in before a person’s block',
      ask(request('private.example', { who: { ...ann, needs: 'agreement' } })),
      'agreement',
    ],
    ['never before a person’s block', ask(request('never.example', { who: bob })), 'never'],
    [
      'a person’s block before a lesson',
      ask(request('private.example', { who: ann }), NO_LIVE, MONDAY_11),
      'person-block',
    ],
    [
      'a suspension before a lesson',
      ask(request('a.test', { who: { ...bob, groups: ['9x'] } }), NO_LIVE, MONDAY_11),
      'person-block',
    ],
    [
      'a lesson before an unblock',
      ask(
        request('a.test', { who: in9x }),
        live({ hosts: ['a.test'], levels: ['junior'], until: MONDAY_18 }),
        MONDAY_11,
      ),
      'lesson',
    ],
    ['an unblock before a person’s allow', ask(request('noclass.example', { who: ann }), opened), 'unblock'],
    ['a person’s allow before the group', ask(request('noclass.example', { who: ann })), 'person-allow'],
    ['the group before the level', ask(request('level-blocks.closed.example', { who: in9x })), 'group'],
    [
      'the group before the level’s hours',
      ask(request('class.example', { who: who({ level: 'evening', groups: ['9x'] }) }), NO_LIVE, MONDAY_18),
      'group',
    ],
    ['the level before the default', ask(request('a.test', { match: match('news', 'unheard-of') })), 'level'],
  ];
  for (const [name, decision, step] of table) {
    t.equal(step === 'agreement' ? decision.reason : decision.step, step, name);
  }
  t.equal(
    ask(request('a.test', { who: bob }), live({ hosts: ['a.test'], people: ['bob'], passesPersonBlock: true })).reason,
    'person',
    'no unblock passes a suspension',
  );
  t.equal(
    ask(request('class.example', { who: ann })).step,
    'person-block',
    'a person’s block before their class’s allow',
  );
  t.equal(
    ask(request('always.example', { who: evening }), NO_LIVE, MONDAY_18).reason,
    'schedule',
    'hours before the level’s allow list',
  );
});

await t.test('an unblock', async (t) => {
  const closed = request('www.closed.example');
  const open = { hosts: ['closed.example'], levels: ['junior'] };
  const table: [string, string, Decision][] = [
    ['in force from its start', 'unblock', ask(closed, live(open), MONDAY_9)],
    ['not before it', 'block-list', ask(closed, live(open), MONDAY_9 - 1)],
    ['to the last millisecond', 'unblock', ask(closed, live(open), at('2026-11-23T10:00:00Z') - 1)],
    ['not at its end', 'block-list', ask(closed, live(open), at('2026-11-23T10:00:00Z'))],
    ['for its level', 'unblock', ask(closed, live({ ...open, levels: ['senior', 'junior'] }))],
    ['not for another', 'block-list', ask(closed, live({ ...open, levels: ['senior'] }))],
    ['for nobody when it names nobody', 'block-list', ask(closed, live({ ...open, levels: [] }))],
    ['for its address range', 'unblock', ask(closed, live({ ...open, levels: [], ranges: ['10.9.0.0/24'] }))],
    ['not for another range', 'block-list', ask(closed, live({ ...open, levels: [], ranges: ['10.8.0.0/24'] }))],
    [
      'for the person it names, however spelt',
      'unblock',
      ask(request('closed.example', { who: ann }), live({ ...open, levels: [], people: ['ANN'] })),
    ],
    ['not for another site', 'block-list', ask(closed, live({ ...open, hosts: ['other.example'] }))],
    [
      'not for a name that only ends alike',
      'category',
      ask(request('xa.test', { match: match('adult') }), live({ ...open, hosts: ['a.test'] })),
    ],
    [
      'for a category',
      'unblock',
      ask(request('a.test', { match: match('games') }), live({ categories: ['games'], levels: ['junior'] })),
    ],
    [
      'for a category, not for what the site is besides',
      'category',
      ask(request('a.test', { match: match('games', 'adult') }), live({ categories: ['games'], levels: ['junior'] })),
    ],
    [
      'for both categories, each opened by one unblock',
      'unblock',
      ask(
        request('a.test', { match: match('games', 'gambling') }),
        live(
          { id: 'g1', categories: ['games'], levels: ['junior'] },
          { id: 'g2', categories: ['gambling'], levels: ['junior'] },
        ),
      ),
    ],
    [
      'never for a locked category',
      'illegal',
      ask(
        request('a.test', { match: match('csam') }),
        live({ hosts: ['a.test'], categories: ['csam'], levels: ['junior'] }),
      ),
    ],
  ];
  for (const [name, reason, decision] of table) t.equal(decision.reason, reason, name);
});

await t.test('an unblock for a class, and one for parts of the school day only', async (t) => {
  const slot = (word: string, from: number) => ({ word, days: [0], from, to: from + 60, on: 'term-time' as const });
  const calendar = {
    terms: [{ name: 'Autumn', from: '2026-09-01', to: '2026-12-18' }],
    holidays: [{ name: 'Reading week', from: '2026-11-30', to: '2026-12-04' }],
    slots: [slot('lessons', 9 * 60), slot('break', 10 * 60)],
  };
  const school = preparePolicy({ ...snapshotOf(), calendar });
  const ask = (asked: DecisionRequest, open: PreparedLive, when: string): string =>
    decide(school, open, asked, at(when)).reason;
  const closed = { hosts: ['closed.example'], from: at('2026-11-23T00:00:00Z'), until: at('2026-12-08T00:00:00Z') };
  const ofClass = live({ ...closed, groups: ['9x'] });
  const inLessons = live({ ...closed, levels: ['junior'], during: ['lessons'] });
  const withoutSlot = live({ ...closed, levels: ['junior'], during: ['assembly'] });
  const table: [what: string, who: Who, open: PreparedLive, when: string, reason: string][] = [
    ['somebody of the class', in9x, ofClass, '2026-11-23T09:30:00Z', 'unblock'],
    ['somebody of another', who({ groups: ['9y'] }), ofClass, '2026-11-23T09:30:00Z', 'block-list'],
    ['somebody of none', who(), ofClass, '2026-11-23T09:30:00Z', 'block-list'],
    ['before lessons', who(), inLessons, '2026-11-23T08:59:59Z', 'block-list'],
    ['in lessons', who(), inLessons, '2026-11-23T09:00:00Z', 'unblock'],
    ['at break', who(), inLessons, '2026-11-23T10:00:00Z', 'block-list'],
    ['on a day without lessons', who(), inLessons, '2026-11-24T09:30:00Z', 'block-list'],
    ['in the holidays', who(), inLessons, '2026-11-30T09:30:00Z', 'block-list'],
    ['in lessons after them', who(), inLessons, '2026-12-07T09:30:00Z', 'unblock'],
    ['in a slot that the school has no more', who(), withoutSlot, '2026-11-23T09:30:00Z', 'block-list'],
  ];
  for (const [what, someone, open, when, reason] of table) {
    t.equal(ask(request('closed.example', { who: someone }), open, when), reason, what);
  }
  const early = preparePolicy(snapshotOf());
  t.equal(
    decide(early, inLessons, request('closed.example'), MONDAY_9).reason,
    'block-list',
    'nor where there is no calendar',
  );
});

await t.test('a suspension with an end is over at that instant', async (t) => {
  const end = at('2026-11-24T00:00:00Z');
  t.equal(ask(request('a.test', { who: cy }), NO_LIVE, end - 1).reason, 'person');
  t.equal(ask(request('a.test', { who: cy }), NO_LIVE, end).reason, 'uncategorised');
});

await t.test(
  'only an unblock that names the person and that the DSL approved passes the person’s own block',
  async (t) => {
    const asked = request('private.example', { who: ann });
    const named = { hosts: ['private.example'], people: ['ann'] };
    t.equal(ask(asked, live({ ...named, passesPersonBlock: true })).reason, 'unblock');
    t.equal(ask(asked, live(named)).reason, 'person', 'not approved by the DSL');
    const forLevel = { hosts: ['private.example'], levels: ['junior'], passesPersonBlock: true };
    t.equal(ask(asked, live(forLevel)).reason, 'person', 'for the level, not by name');
    t.equal(ask(asked, live({ ...named, people: ['bob'], passesPersonBlock: true })).reason, 'person', 'names another');
  },
);

await t.test('inside a step written entries beat categories and the longest match wins', async (t) => {
  const table: [string, string, string | null, string[], string][] = [
    ['an allowed host opens a blocked category', 'helpline.example', null, ['adult'], 'allow-list'],
    ['and all under it', 'www.helpline.example', null, ['adult'], 'allow-list'],
    ['but not what only ends alike', 'nothelpline.example', null, ['adult'], 'category'],
    ['a longer path beats its host', 'mixed.example', '/ok/page', [], 'allow-list'],
    ['on a segment boundary', 'mixed.example', '/okay', [], 'block-list'],
    ['or at a query', 'mixed.example', '/ok?x=1', [], 'allow-list'],
    ['in any capitals', 'mixed.example', '/OK', [], 'allow-list'],
    ['with parameters below it', 'mixed.example', '/ok/a;b=c', [], 'allow-list'],
    ['but not by leaving some out', 'mixed.example', '/ok;a=b', [], 'block-list'],
    ['a longer host beats a shorter one with a path', 'sub.mixed.example', '/ok', [], 'allow-list'],
    ['an entry with a path does not apply to CONNECT', 'mixed.example', null, [], 'block-list'],
    ['nor does a block with a path', 'half.example', null, [], 'uncategorised'],
    ['which applies where the path is seen', 'half.example', '/bad/x', [], 'block-list'],
    ['whatever parameters it has', 'half.example', '/bad;a=b/x;c', [], 'block-list'],
    ['a never entry with a path', 'notnow.example', '/page', [], 'never'],
    ['elsewhere on its host', 'notnow.example', '/other', [], 'uncategorised'],
    ['a download in a query is none', 'a.test', '/page?file=setup.exe', [], 'uncategorised'],
    ['a download with a double ending', 'a.test', '/x/Data.TAR.gz;v=1', [], 'block-list'],
    ['a download behind parameters', 'a.test', '/x;v=1/Data.exe', [], 'block-list'],
    ['a download from an allowed host', 'helpline.example', '/tool.exe', [], 'allow-list'],
    ['a download whose path is not seen', 'a.test', null, [], 'uncategorised'],
  ];
  for (const [name, host, path, categories, reason] of table) {
    t.equal(ask(request(host, { path, match: match(...categories) })).reason, reason, name);
  }
  t.equal(
    ask(request('closed.example', { who: senior })).reason,
    'allow-list',
    'a level’s own entry replaces its parent’s',
  );
});

await t.test('between categories', async (t) => {
  const table: [string[], string, string][] = [
    [['adult', 'known-good'], 'allow', 'known-good'],
    [['known-good', 'malware'], 'block', 'malware'],
    [['adult', 'known-good', 'phishing'], 'block', 'phishing'],
    [['csam', 'known-good'], 'block', 'csam'],
    [['chat', 'games'], 'block', 'games'],
    [['adverts', 'gambling'], 'block', 'gambling'],
    [['chat', 'news'], 'warn', 'chat'],
    [['known-good', 'news'], 'allow', 'known-good'],
  ];
  for (const [categories, action, category] of table) {
    const decision = ask(request('a.test', { match: match(...categories) }));
    t.strictSame([decision.action, decision.category], [action, category], categories.join(' + '));
  }
  const games = { who: senior, match: match('games', 'news') };
  t.equal(ask(request('a.test', games)).action, 'monitor', 'monitor over allow');
});

await t.test('a class’s category rule speaks for that category alone', async (t) => {
  const asked = (groups: string[], ...categories: string[]): Decision =>
    ask(request('a.test', { who: who({ groups }), match: match(...categories) }));
  t.equal(asked(['9x'], 'gambling').action, 'allow');
  t.equal(asked(['9x'], 'adult', 'gambling').category, 'adult', 'what the site is besides stays the level’s');
  t.equal(asked(['9x', '9y'], 'gambling').action, 'monitor', 'of two classes the severer');
  t.equal(asked(['9x'], 'games', 'known-good').category, 'known-good');
  t.equal(asked(['unheard'], 'gambling').action, 'block', 'a class without rules changes nothing');
});

await t.test('a lesson list', async (t) => {
  const during = (host: string, ...categories: string[]): Decision =>
    ask(request(host, { who: in9x, match: match(...categories) }), NO_LIVE, MONDAY_11);
  t.equal(during('www.lesson.example').verdict, 'allow');
  t.equal(during('lesson.example', 'adult').category, 'adult', 'opens nothing by itself');
  t.equal(during('helpline.example').reason, 'lesson');
  const elsewhere = request('a.test', { who: in9x });
  t.equal(ask(elsewhere, NO_LIVE, MONDAY_11 - 1).verdict, 'allow', 'not before it begins');
  t.equal(ask(elsewhere, NO_LIVE, at('2026-11-23T12:00:00Z')).verdict, 'allow', 'not once it has ended');
  t.equal(
    ask(request('a.test', { who: who({ groups: ['9y'] }) }), NO_LIVE, MONDAY_11).verdict,
    'allow',
    'not for another class',
  );
});

await t.test('who must still sign in or agree reaches help sites, and nothing that is harmful', async (t) => {
  const reason = (needs: Who['needs'], ...categories: string[]): string =>
    ask(request('a.test', { who: who({ needs }), match: match(...categories) })).reason;
  t.equal(reason('sign-in', 'known-good'), 'category');
  t.equal(reason('agreement', 'known-good'), 'category');
  t.equal(reason('password', 'known-good'), 'category');
  t.equal(reason('password', 'games'), 'identity');
  t.equal(reason('sign-in', 'known-good', 'malware'), 'identity');
  t.equal(reason('sign-in', 'games'), 'identity');
});

await t.test('a refusal by something else is flagged where the level refuses what the site is', async (t) => {
  t.equal(ask(request('private.example', { who: ann, match: match('adult') })).flagged, true);
  t.equal(ask(request('a.test', { who: in9x, match: match('adult') }), NO_LIVE, MONDAY_11).flagged, true);
  t.equal(ask(request('closed.example', { match: match('adverts') })).flagged, false);
  t.equal(
    ask(request('closed.example', { match: match('news') })).flagged,
    false,
    'a monitored site was not refused for that',
  );
});

await t.test('level hours are the school’s clock', async (t) => {
  const asked = request('a.test', { who: evening });
  t.equal(ask(asked, NO_LIVE, at('2026-11-23T08:00:00Z')).verdict, 'allow');
  t.equal(ask(asked, NO_LIVE, at('2026-11-23T07:59:59.999Z')).reason, 'schedule');
  t.equal(ask(asked, NO_LIVE, at('2026-11-23T16:00:00Z')).reason, 'schedule');
  t.equal(ask(asked, NO_LIVE, at('2026-11-22T09:00:00Z')).reason, 'schedule', 'Sunday');
  t.equal(ask(asked, NO_LIVE, at('2026-06-22T07:00:00Z')).verdict, 'allow', '08:00 in summer');
});

await t.test('the strictest of two decisions binds', async (t) => {
  const allow = ask(request('a.test'));
  const watched = ask(request('a.test', { match: match('news') }));
  const closed = ask(request('closed.example'));
  const adult = ask(request('a.test', { match: match('adult') }));
  const never = ask(request('never.example'));
  const csam = ask(request('a.test', { match: match('csam') }));
  const order = [csam, never, adult, closed, watched, allow];
  for (const [i, a] of order.entries()) {
    for (const b of order.slice(i)) {
      t.equal(strictest(a, b), a, `${a.reason} against ${b.reason}`);
      t.equal(strictest(b, a), a, `${b.reason} against ${a.reason}`);
    }
  }
});

await t.test('the short way gives what the whole precedence gives', async (t) => {
  const timed = `title: Timed
extends: junior
times:
  - { name: Eleven, when: [{ from: "11:00", to: "12:00" }], categories: { games: allow, adult: warn }, uncategorised: block }
  - { name: Upper, when: [always], where: [Upper school], categories: { adult: monitor } }
  - { name: Evening, when: [{ from: "18:00", to: "06:00" }], where: [Upper school], closed: true }
`;
  const policy = preparePolicy(
    snapshotOf({
      'levels/timed.yaml': timed,
      'rules.yaml': RULES.replace(
        '- name: 9y',
        '- name: 9y\n    times: [{ name: A, when: [{ from: "11:00", to: "12:00" }], categories: { adult: block } }]',
      ),
    }),
  );
  const ask = (asked: DecisionRequest, open: PreparedLive, now: number): Decision => decide(policy, open, asked, now);
  const answers = [[], ['adult'], ['news'], ['games', 'known-good'], ['csam'], ['unheard-of']].map((list) =>
    match(...list),
  );
  const hosts = ['a.test', 'www.closed.example', 'own.example', 'never.example', 'lesson.example', 'helpline.example'];
  const asked = fc.record({
    host: fc.constantFrom(...hosts),
    path: fc.constantFrom(null, '/', '/a.exe'),
    match: fc.constantFrom(...answers),
    user: fc.constantFrom(null, 'ann', 'bob', 'unheard'),
    level: fc.constantFrom('junior', 'senior', 'evening', 'timed'),
    client: fc.constantFrom('10.9.0.1', '10.1.0.1'),
    groups: fc.subarray(['9x', '9y', 'unheard']),
    needs: fc.constantFrom('nothing', 'sign-in', 'password', 'agreement'),
    now: fc.constantFrom(MONDAY_9, MONDAY_11, MONDAY_18),
    isOpen: fc.boolean(),
  });
  const grants = live({ hosts: ['closed.example'], levels: ['junior'] });
  fc.assert(
    fc.property(asked, ({ host, path, match, user, level, client, groups, needs, now, isOpen }) => {
      const open = isOpen ? grants : NO_LIVE;
      const short = ask(request(host, { path, match, who: who({ user, level, client, groups, needs }) }), open, now);
      // A class with rules of its own, none of which is met, makes decide go through every step.
      const idle = who({ user, level, client, groups: [...groups, 'idle'], needs });
      assert.deepEqual(short, ask(request(host, { path, match, who: idle }), open, now));
    }),
    { numRuns: 300 },
  );
  const plain = request('a.test');
  t.equal(
    ask(plain, NO_LIVE, MONDAY_9),
    ask(plain, NO_LIVE, MONDAY_9),
    'and is the same object each time: nothing is allocated',
  );
});

await t.test(
  'a range of addresses speaks at every step that sites do, for literal addresses and for names that lead there',
  (t) => {
    const RANGE = '203.0.113.0/24';
    const closed = {
      never: { 'school.yaml': SCHOOL.replace('never: [', `never: [${RANGE}, `) },
      'person-block': { 'rules.yaml': RULES.replace('block: [private.example', `block: [${RANGE}, private.example`) },
      group: { 'rules.yaml': RULES.replace('block: [noclass.example]', `block: [${RANGE}]`) },
      level: { 'levels/junior.yaml': JUNIOR.replace('block: [', `block: [${RANGE}, `) },
    };
    for (const [step, changes] of Object.entries(closed)) {
      const ranged = preparePolicy(snapshotOf(changes));
      const stepOf = (host: string, addresses?: string[]): string => {
        const asked = request(host, { who: step === 'group' ? in9x : ann, ...(addresses && { addresses }) });
        const { verdict, step: spoke, rule } = decide(ranged, NO_LIVE, asked, MONDAY_9);
        return verdict === 'block' ? `${spoke} ${rule?.endsWith(`.${RANGE}`)}` : 'open';
      };
      t.equal(stepOf('203.0.113.9'), `${step} true`, step);
      t.equal(stepOf('a.test', ['198.51.100.1', '203.0.113.9']), `${step} true`, `${step}, by name`);
      t.equal(stepOf('203.0.112.9'), 'open', `${step}, beside it`);
      t.equal(stepOf('a.test'), 'open', `${step}, not known where it leads`);
    }
    const opened = preparePolicy(
      snapshotOf({
        'levels/junior.yaml': JUNIOR.replace('allow: [', `allow: [${RANGE}, `).replace(
          'uncategorised: allow',
          'uncategorised: block',
        ),
      }),
    );
    const open = (host: string): string => line(decide(opened, NO_LIVE, request(host), MONDAY_9));
    t.equal(open('203.0.113.9'), `allow allow allow-list level - levels/junior.yaml#allow.${RANGE} plain`);
    t.match(open('203.0.112.9'), /^block block uncategorised/);
    t.match(open('2001:db8::1'), /^block block uncategorised/);
    t.end();
  },
);
