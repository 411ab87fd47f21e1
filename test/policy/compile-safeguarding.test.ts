import * as fc from 'fast-check';
import t from 'tap';
import { diffPolicies } from '../../src/policy/diff.ts';
import { durationText, parseDuration, ruleText, wordsOf } from '../../src/policy/safeguarding-rules.ts';
import { FILES, files, problemsOf, snapshotOf } from './small-school.ts';

const RULES = `night: { from: "21:00", to: "06:00", times: 2 }
levels: { junior: 1.5 }
background: [adverts]
searches: { danger: 10, caution: 4, advisory: 1 }
themes:
  self-harm:
    categories: { self-harm: 4 }
    searches:
      danger: [kill myself, "Café's end*"]
    not: [suicide squad]
    rules:
      - { name: At once, severity: danger, points: 10, within: 1 day, alertAgain: true }
      - { name: Slowly, severity: caution, points: 8, within: 7 days, days: 3, sites: 2, searchesOnly: true }
  gambling:
    categories: { gambling: 1 }
    rules:
      - { name: Often, severity: advisory, points: 5, within: 2 hours }
`;

const withRules = (text: string): Record<string, string> => ({ 'safeguarding.yaml': text });

void t.test('every mistake is reported with its line, all at once', async (t) => {
  const TABLE: readonly (readonly [what: string, from: string, to: string, problems: readonly RegExp[]])[] = [
    ['a strange setting', 'night:', 'nights:', [/^safeguarding\.yaml:1: "nights" is not a known setting/]],
    ['a strange theme', 'gambling:\n', 'cards:\n', [/:14: "themes\.cards" is not a known setting/]],
    [
      'no rules',
      '    rules:\n      - { name: Often',
      '    notes:\n      - { name: Often',
      [/:14: "themes\.gambling\.rules" is missing/, /:16: "themes\.gambling\.notes"/],
    ],
    ['a severity', 'severity: danger', 'severity: grave', [/:12: .* must be one of danger, caution, advisory/]],
    ['points below nothing', 'gambling: 1', 'gambling: -1', [/:15: /]],
    ['an unknown level', 'junior: 1.5', 'juniors: 1.5', [/:2: "juniors" is not a level/]],
    ['an unknown category', 'gambling: 1', 'betting: 1', [/:15: "betting" is not a category/]],
    ['a category with two themes', 'gambling: 1', 'self-harm: 1', [/:15: "self-harm" belongs to self-harm already/]],
    ['background with points', 'gambling: 1', 'adverts: 1', [/:15: "adverts" is background/]],
    ['unknown background', '[adverts]', '[ads]', [/:3: "ads" is not a category/]],
    [
      'times of day',
      '"21:00", to: "06:00"',
      '"9pm", to: "24:00"',
      [/:1: "9pm" is not a time of day/, /:1: "24:00" is not/],
    ],
    ['a time that is none', '1 day,', 'a day,', [/:12: "a day" is no time/]],
    ['a time too long', '7 days', '29 days', [/:13: "29 days" is no time/]],
    ['more days than the time has', 'within: 7 days', 'within: 1 hour', [/:13: 1 hour never touch 3 days/]],
    ['two rules of a name', 'name: Slowly', 'name: At once', [/:13: "At once" is the name of a rule above/]],
    ['a phrase without letters', '[kill myself', '["?!"', [/:9: "\?!" has no letters/]],
    ['a lone star', '[kill myself', '["kill * myself"', [/:9: .*a star stands at the end/]],
    ['a phrase twice', '[kill myself', '[kill myself, Kill  MYSELF', [/:9: "Kill {2}MYSELF" is here twice/]],
    ['several at once', 'junior: 1.5', 'ks9: 1', [/ks9/]],
  ];
  for (const [what, from, to, expected] of TABLE) {
    t.ok(RULES.includes(from), `${what}: is in the sample`);
    const problems = problemsOf(withRules(RULES.replace(from, to)));
    t.equal(problems.length, expected.length, `${what}: ${problems.join(' | ')}`);
    for (const [i, pattern] of expected.entries()) t.match(problems[i], pattern, what);
  }
  const three = RULES.replace('junior: 1.5', 'ks9: 1').replace('[adverts]', '[ads]').replace('2 hours', 'soon');
  t.equal(problemsOf(withRules(three)).length, 3);
});

void t.test('the rules are part of the policy, and a school may do without', async (t) => {
  const { safeguarding, hash } = snapshotOf(withRules(RULES));
  t.match(safeguarding, {
    night: { from: 1260, to: 360, times: 2 },
    background: ['adverts'],
    themes: {
      'self-harm': {
        categories: { 'self-harm': 4 },
        phrases: [
          { words: ['kill', 'myself'], severity: 'danger' },
          { words: ['cafes', 'end*'], severity: 'danger' },
        ],
        not: [['suicide', 'squad']],
        rules: [
          { rule: 'safeguarding.yaml#themes.self-harm.rules.At once', withinMs: 86_400_000, alertAgain: true, days: 1 },
          { name: 'Slowly', days: 3, sites: 2, searchesOnly: true },
        ],
      },
    },
  });
  t.equal(snapshotOf({}).safeguarding, undefined);
  t.not(snapshotOf({}).hash, hash);
  t.ok(files(withRules(RULES)).size > Object.keys(FILES).length, 'as a file of the folder');
});

void t.test('a change of the rules is told in plain English, and less of them loosens', async (t) => {
  const diff = (before: Record<string, string>, after: Record<string, string>): string[] =>
    diffPolicies(snapshotOf(before), snapshotOf(after)).map(({ text, loosens }) => `${loosens ? '!' : ' '} ${text}`);
  t.strictSame(diff(withRules(RULES), withRules(RULES)), []);
  t.strictSame(diff({}, withRules(RULES)), ['  Concerns are made by the rules of safeguarding.yaml']);
  t.strictSame(diff(withRules(RULES), {}), ['! Nothing becomes a concern any more']);
  const changed = RULES.replace('gambling: 1', 'gambling: 2')
    .replace('times: 2', 'times: 3')
    .replace('[kill myself, ', '[')
    .replace('[suicide squad]', '[suicide squad, squad goals]')
    .replace('points: 5, within: 2 hours', 'points: 9, within: 2 hours, sites: 2');
  t.strictSame(diff(withRules(RULES), withRules(changed)), [
    '  Concerns: now 21:00 to 06:00 counts 3 times',
    '! Concerns: no longer 21:00 to 06:00 counts 2 times',
    '! Concerns, Self-harm and suicide: no longer a search for “kill myself” is danger',
    '! Concerns, Self-harm and suicide: now “squad goals” is a false friend',
    '  Concerns, Gambling: now a visit to Gambling has 2 points',
    '  Concerns, Gambling: now “Often” makes advisory from 9 points within 2 hours, at 2 sites at least',
    '! Concerns, Gambling: no longer a visit to Gambling has 1 points',
    '! Concerns, Gambling: no longer “Often” makes advisory from 5 points within 2 hours',
  ]);
  t.match(diff(withRules(RULES), withRules(RULES.replace(/ {2}gambling:[^]*$/, ''))), [
    /! .*Gambling: nothing becomes/,
  ]);
});

void t.test('durations and words are read as people write them', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 28 * 24 * 60 }), (minutes) => {
      const ms = minutes * 60_000;
      return durationText(ms).length > 9 || parseDuration(durationText(ms)) === ms;
    }),
  );
  for (const text of ['', '0 days', '1.5 hours', '1 week', '-1 day', '29 days', 'days'])
    t.equal(parseDuration(text), null);
  t.strictSame(wordsOf('  Don’t  KILL—Mÿself!! '), ['dont', 'kill', 'myself']);
  const [atOnce, slowly] = snapshotOf(withRules(RULES)).safeguarding!.themes['self-harm']!.rules;
  t.equal(ruleText(atOnce!), 'danger from 10 points within 1 day, each time anew');
  t.equal(
    ruleText(slowly!),
    'caution from 8 points within 7 days, on 3 days at least, at 2 sites at least, searches alone',
  );
});
