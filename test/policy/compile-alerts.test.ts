import t from 'tap';
import { diffAlerts } from '../../src/policy/diff-alerts.ts';
import { problemsOf, snapshotOf } from './small-school.ts';

const ALERTS = `console: https://schoolgate.school.example/
mail: { J.Lead: lead@school.example }
webhooks: { records: https://records.example/hook }
onCall:
  - { name: j.lead, from: 2026-12-19, to: 2027-01-03 }
routes:
  - name: At night
    themes: [self-harm, abuse]
    severities: [danger]
    when: [{ from: "18:00", to: "07:30" }]
    tell: [on-call, safeguarding-lead, J.Lead]
    webhooks: [records]
    escalate: { afterMinutes: 10, to: [headteacher, chair-of-governors] }
heartbeat: { at: "06:45", to: [network-manager] }
`;

void t.test('who is told of what is compiled, and a school without the file keeps its hash', async (t) => {
  t.notOk(Object.hasOwn(snapshotOf({}), 'alerts'));
  const { alerts } = snapshotOf({ 'alerts.yaml': ALERTS });
  t.match(alerts, {
    console: 'https://schoolgate.school.example',
    fullNames: false,
    mail: { 'j.lead': 'lead@school.example' },
    onCall: [{ user: 'j.lead', from: '2026-12-19', to: '2027-01-03' }],
    heartbeat: { at: 405, to: [{ role: 'network-manager' }] },
    silenceMinutes: 15,
    routes: [
      {
        rule: 'alerts.yaml#routes.At night',
        tell: [{ onCall: true }, { role: 'safeguarding-lead' }, { user: 'j.lead' }],
        escalate: { afterMinutes: 10, to: [[{ role: 'headteacher' }], [{ role: 'chair-of-governors' }]] },
      },
    ],
  });
});

void t.test('every mistake has its line', async (t) => {
  const wrong = `console: ftp://x
mail: { j.lead: lead and head }
webhooks:
  plain: http://records.example/
  ours: https://10.1.2.3/
onCall:
  - { name: j.lead, from: Christmas, to: 2027-01-03 }
routes:
  - { name: A, tell: ["a:b"], webhooks: [records] }
  - { name: A, tell: [], when: [never-heard] }
heartbeat: { at: "25:00" }
`;
  const problems = problemsOf({ 'alerts.yaml': wrong });
  for (const [line, words] of [
    [1, /not an address/],
    [2, /not one plain mail address/],
    [4, /not an https address/],
    [5, /private address/],
    [7, /not a date/],
    [9, /is not a user name/],
    [9, /not a webhook/],
    [10, /name of a route above/],
    [10, /never-heard/],
    [11, /not a time of day/],
  ] as const) {
    t.ok(
      problems.some((text) => text.startsWith(`alerts.yaml:${line}:`) && words.test(text)),
      `line ${line} ${words} in ${problems.join('\n')}`,
    );
  }
  t.match(problemsOf({ 'alerts.yaml': 'routes: [{ name: A, tell: [], severities: [terrible] }]' }), [/alerts\.yaml:1/]);
});

void t.test('changes of who is told are told', async (t) => {
  const before = snapshotOf({});
  const after = snapshotOf({ 'alerts.yaml': ALERTS });
  const texts = diffAlerts(before, after).map(({ text }) => text);
  t.ok(
    texts.includes('Alerts: J.Lead is reached at lead@school.example') ||
      texts.includes('Alerts: j.lead is reached at lead@school.example'),
  );
  t.ok(texts.some((text) => text.startsWith('Alerts: route 1, “At night”: danger, self-harm or abuse at ')));
  t.ok(texts.some((text) => text.startsWith('Alerts: no longer route 1, “shipped”')));
  t.strictSame(diffAlerts(after, after), []);
});
