import t from 'tap';
import { type DecisionRequest, decide, faultDecision } from '../../src/policy/decide.ts';
import { explain, explainToUser } from '../../src/policy/explain.ts';
import { NO_LIVE, prepareLive, preparePolicy } from '../../src/policy/prepare.ts';
import type { Decision } from '../../src/policy/verdict.ts';
import { type RefusalKind, helpText, refusalText } from '../../src/policy/wording.ts';
import { at, grant, match, request, snapshotOf, who } from './small-school.ts';

const snapshot = snapshotOf();
const policy = preparePolicy(snapshot);
const NOW = at('2026-11-23T10:00:00Z');

function userText(asked: DecisionRequest, decision: Decision = decide(policy, NO_LIVE, asked, NOW)): string {
  return explainToUser(decision, asked, snapshot);
}

await t.test('a verdict has every field of the contract', async (t) => {
  const asked = request('www.a.test', { match: match('gambling', 'games') });
  const about = { request: asked, canonical: 'http://www.a.test/', now: NOW, policy: snapshot, serial: 42 };
  const verdict = explain(decide(policy, NO_LIVE, asked, NOW), about);
  t.strictSame(verdict, {
    verdict: 'block',
    action: 'block',
    reason: 'category',
    step: 'level',
    category: 'gambling',
    categories: ['gambling', 'games'],
    lists: ['a-list'],
    flagged: true,
    level: 'junior',
    user: null,
    rule: 'levels/junior.yaml#categories.gambling',
    canonical: 'http://www.a.test/',
    locked: false,
    at: '2026-11-23T10:00:00.000Z',
    policy: snapshot.hash,
    serial: 42,
    explain: {
      user: 'This site is not for school. If you need it for your work, ask Ms Okoro.',
      staff: `Refused at step 9 of 10, level; reason category, action block; category gambling (Gambling); rule levels/junior.yaml#categories.gambling; on list a-list; level junior (not identified); policy ${snapshot.hash.slice(0, 12)}, serial 42.`,
    },
  });
});

await t.test('a passed warning says that it was one', async (t) => {
  const passes = { has: () => true };
  for (const [level, expected] of [
    ['junior', 'You can open this site for now. A grown-up at school can see that you did.'],
    ['senior', 'You can open this site for now, because you read the warning. The school takes note that you did.'],
  ] as const) {
    const asked = request('a.test', { who: who({ level }), match: match('chat') });
    const about = { request: asked, canonical: 'http://a.test/', now: NOW, policy: snapshot, serial: 1 };
    const { user, staff } = explain(decide(policy, NO_LIVE, asked, NOW, passes), about).explain;
    t.equal(user, expected);
    t.match(staff, /^Allowed at step 9 .*action warn: the person read the warning and went on; category chat/);
  }
});

await t.test('illegal material is never written in clear', async (t) => {
  const asked = request('secret.test', { path: '/page', match: match('csam', 'self-harm') });
  const about = { request: asked, canonical: 'http://secret.test/page', now: NOW, policy: snapshot, serial: 1 };
  const verdict = explain(decide(policy, NO_LIVE, asked, NOW), about);
  t.equal(verdict.canonical, null);
  t.notMatch(JSON.stringify(verdict), /secret\.test|\/page/);
});

await t.test('what a person is told', async (t) => {
  const ann = who({ user: 'ann', groups: ['9x'] });
  const teen = who({ level: 'senior' });
  const opened = request('closed.example');
  const unblocked = decide(
    policy,
    prepareLive({ grants: [grant({ hosts: ['closed.example'], levels: ['junior'] })] }),
    opened,
    NOW - 1,
  );
  const table: [string, string][] = [
    [userText(request('a.test')), 'You can open this site.'],
    [
      userText(request('a.test', { match: match('news') })),
      'You can open this site. A grown-up at school can see that you did.',
    ],
    [
      userText(request('a.test', { who: teen, match: match('news') })),
      'You can open this site, and the school takes note that you did.',
    ],
    [userText(opened, unblocked), 'This site is open for now, because a teacher asked for it.'],
    [
      userText(request('a.test', { who: teen, match: match('gambling') })),
      'This site is closed because it belongs to “Gambling”. If you need it for your work, ask Ms Okoro.',
    ],
    [
      userText(request('a.test', { match: match('chat') })),
      'This site may not be right for you. Read the warning, and ask Ms Okoro if you are not sure.',
    ],
    [
      userText(request('a.test', { path: '/a.exe' })),
      'This is a program, and we do not download programs here. Ask Ms Okoro for help.',
    ],
    [userText(request('a.test', { who: who({ user: 'bob' }) })), 'You cannot use the web just now. Talk to Ms Okoro.'],
    [
      userText(request('private.example', { who: ann })),
      'This site is closed for you just now. You can ask Ms Okoro why.',
    ],
    [userText(request('a.test'), faultDecision()), 'Something went wrong on our side. Try again, or tell Ms Okoro.'],
  ];
  for (const [text, expected] of table) t.equal(text, expected);
});

await t.test('where somebody may need help, help is named, and nobody is scolded', async (t) => {
  const asked = request('a.test', { match: match('self-harm') });
  t.match(userText(asked), /Childline.*0800 1111/);
  t.match(userText({ ...asked, who: who({ level: 'senior' }) }), /Childline 0800 1111, or Samaritans 116 123/);
  t.match(userText(request('closed.example', { match: match('self-harm') })), /Childline/, 'whichever rule refused');
  t.equal(helpText(['games'], 'child'), null);
  t.match(helpText(['eating-disorders'], 'adult'), /116 123/);
});

const KINDS: readonly RefusalKind[] = [
  ...(['malformed', 'protocol', 'port', 'destination', 'illegal', 'never', 'person', 'group', 'block-list'] as const),
  ...([
    'category',
    'uncategorised',
    'schedule',
    'lesson',
    'agreement',
    'identity',
    'limit',
    'default',
    'fault',
  ] as const),
  ...(['suspended', 'download', 'warned'] as const),
];

await t.test('every refusal speaks in each voice, so that its reader understands', async (t) => {
  for (const kind of KINDS) {
    for (const voice of ['child', 'teen', 'adult'] as const) {
      const text = refusalText(kind, voice, { contact: 'Ms Okoro', category: 'Gambling' });
      t.match(text, /^[A-Z“].*\.$/s, `${kind} for ${voice} is made of sentences`);
      t.notMatch(text, /undefined|“”|forbidden|violat|unauthori[sz]ed/i, `${kind} for ${voice}`);
      if (voice !== 'child') continue;
      const longest = Math.max(...text.split(/(?<=[.!?])\s+/).map((sentence) => sentence.split(/\s+/).length));
      t.ok(longest <= 17, `${kind}: a nine-year-old’s sentence has at most 17 words, not ${longest}`);
      t.notMatch(text, /Gambling/, `${kind}: no grown-up subject is named to a child`);
      t.ok(averageWord(text) <= 5, `${kind}: short words`);
    }
  }
});

function averageWord(text: string): number {
  const words = text.match(/[A-Za-z’-]+/g) ?? [];
  return words.join('').length / words.length;
}
