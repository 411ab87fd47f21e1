import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { OPEN_SAMPLES, REFUSED_SAMPLES } from '../../src/checks/samples.ts';
import { type CheckResult, overdueChecks } from '../../src/checks/model.ts';
import {
  type Foreseen,
  type ProxyAnswer,
  type Sample,
  judgeAnswer,
  judgeForeseen,
  resultOf,
} from '../../src/checks/self-test.ts';
import { createSelfTestLogins, readAnswer } from '../../src/compose/self-test-proxy.ts';
import { readBasic } from '../../src/identity/credentials.ts';
import { prepareIdentity } from '../../src/identity/identify.ts';
import { InvalidFieldsError } from '../../src/kernel/errors.ts';
import { START, controlPlane, staffMember } from '../helpers/control-plane.ts';
import { testPolicy } from '../helpers/test-policy.ts';

const DAY = 86_400_000;
const REFUSED: Sample = { what: 'Gambling', host: 'casino.test', expects: 'refused' };
const OPEN: Sample = { what: 'Help', host: 'help.test', expects: 'open' };
const SAFE: Sample = { what: 'SafeSearch', host: 'search.test', expects: 'safe', safeHost: 'safe.search.test' };

void t.test('what the rules say is enough, or it is to be tried', (t) => {
  const allow = (reason: string): Foreseen => ({ verdict: 'allow', reason, rule: 'r' });
  const block = (reason: string): Foreseen => ({ verdict: 'block', reason, rule: 'r' });
  const table: [Sample, Foreseen, CheckResult | null][] = [
    [REFUSED, block('category'), null],
    [REFUSED, block('schedule'), null],
    [REFUSED, allow('uncategorised'), 'failed'],
    [REFUSED, allow('category'), 'failed'],
    [REFUSED, allow('unblock'), 'not-tried'],
    [OPEN, allow('category'), null],
    [OPEN, block('category'), 'failed'],
    [OPEN, block('never'), 'failed'],
    [OPEN, block('schedule'), 'not-tried'],
    [SAFE, allow('category'), null],
  ];
  for (const [sample, foreseen, result] of table) {
    const name = `${sample.expects} ${foreseen.verdict} ${foreseen.reason}`;
    t.equal(judgeForeseen(sample, foreseen)?.result ?? null, result, name);
  }
  t.end();
});

void t.test('what the proxy’s answer says', (t) => {
  const answer = (status: number, nextHop: string | null = null): ProxyAnswer => ({ status, error: '', nextHop });
  const table: [Sample, ProxyAnswer | null, CheckResult][] = [
    [REFUSED, answer(403), 'passed'],
    [REFUSED, answer(200), 'failed'],
    [REFUSED, answer(502), 'failed'],
    [REFUSED, answer(504), 'failed'],
    [REFUSED, answer(407), 'not-tried'],
    [REFUSED, answer(503), 'not-tried'],
    [REFUSED, null, 'not-tried'],
    [OPEN, answer(200), 'passed'],
    [OPEN, answer(403), 'failed'],
    [OPEN, answer(502), 'not-tried'],
    [OPEN, null, 'not-tried'],
    [SAFE, answer(200, 'safe.search.test'), 'passed'],
    [SAFE, answer(200), 'failed'],
    [SAFE, answer(200, 'search.test'), 'failed'],
    [SAFE, answer(504), 'not-tried'],
    [SAFE, answer(403), 'failed'],
  ];
  for (const [sample, found, result] of table) {
    t.equal(judgeAnswer(sample, found).result, result, `${sample.expects} ${found?.status} ${found?.nextHop}`);
  }
  t.strictSame(readAnswer(200, 'schoolgate; next-hop="a.test"'), { status: 200, error: '', nextHop: 'a.test' });
  t.strictSame(readAnswer(502, 'schoolgate; error=dns_error'), { status: 502, error: 'dns_error', nextHop: null });
  const together = (...results: CheckResult[]): CheckResult => resultOf(results.map((result) => ({ result })));
  t.strictSame(
    [together('passed', 'failed', 'not-tried'), together('passed', 'not-tried'), together('not-tried'), together()],
    ['failed', 'passed', 'not-tried', 'not-tried'],
  );
  t.end();
});

void t.test(
  'a credential of a self-test: for one level, from this machine, until it is closed, and for nothing else',
  (t) => {
    const logins = createSelfTestLogins(() => START);
    const login = logins.open('ks2');
    const { name, password } = readBasic(login.authorization)!;
    const sent = { name, password, address: '127.0.0.1' };
    t.match(logins.verify(sent), { user: 'self-test:ks2', at: START, mustChange: false });
    t.equal(logins.verify({ ...sent, address: '10.1.2.3' }), null, 'from no other machine');
    t.equal(logins.verify({ ...sent, password: `${password.slice(0, -1)}!` }), null);
    t.equal(logins.verify({ ...sent, password: '' }), null);
    t.equal(logins.verify({ ...sent, name: 'self-test:ks2' }), null);
    t.not(readBasic(logins.open('ks2').authorization)!.password, password, 'another one each time');
    login.close();
    t.equal(logins.verify(sent), null);
    t.equal(
      readBasic(`Basic ${Buffer.from('self-test:ks2:x').toString('base64')}`)?.name,
      'self-test',
      'nobody can send the name itself',
    );
    const identify = prepareIdentity(testPolicy({ strictestLevel: 'ks1' }));
    const standing = { mustChange: false, agreed: null };
    t.match(identify('127.0.0.1', 'self-test:ks2', null, standing), {
      level: 'ks2',
      identified: 'proxy-auth',
      needs: 'nothing',
    });
    t.match(
      identify('127.0.0.1', 'self-test:nowhere', null, standing),
      { level: 'ks1' },
      'no such level: the strictest',
    );
    t.match(identify('127.0.0.1', 'self-test', null, standing), { level: 'ks1' });
    t.end();
  },
);

void t.test('what is overdue', (t) => {
  const table: [human: number | null, self: number | null, since: number, due: number][] = [
    [START, START, START, 0],
    [START - 31 * DAY, START, 0, 1],
    [START, START - 5 * DAY, 0, 1],
    [START - 3 * DAY, START - 3 * DAY, 0, 0],
    [null, null, START, 0],
    [null, null, START - 40 * DAY, 2],
  ];
  for (const [human, self, since, due] of table) t.equal(overdueChecks({ human, self, since }, START, 30).length, due);
  t.end();
});

void t.test('the shipped lists hold the samples', (t) => {
  const lines = (name: string): string[] =>
    readFileSync(join(import.meta.dirname, `../../blocklists/starter/${name}.txt`), 'utf8').split('\n');
  for (const { category, host } of REFUSED_SAMPLES) t.ok(lines(category).includes(host), `${category}: ${host}`);
  const open = [...lines('helplines'), ...lines('known-good')];
  for (const host of OPEN_SAMPLES)
    t.ok(
      open.some((known) => host === known || host.endsWith(`.${known}`)),
      host,
    );
  t.end();
});

const TYPED = {
  when: '2026-11-23T08:30',
  level: 'ks2',
  device: 'iPad 12',
  place: 'Room 5',
  tested: 'Opened a gambling site',
  result: 'failed',
  action: '',
};
const KEY = '01K00000000000000000000001';

void t.test('people’s checks, the timetable’s and reminders stand in one log', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const manager = staffMember(plane, 'n.manager', 'network-manager');
  staffMember(plane, 'h.head', 'headteacher');
  const { checks } = plane;
  const wrong = (change: Partial<typeof TYPED>): readonly string[] => {
    try {
      checks.record(manager, { ...TYPED, action: 'x', ...change }, KEY);
      return [];
    } catch (error) {
      return (error as InvalidFieldsError).fields.map(({ field }) => field);
    }
  };
  t.strictSame(wrong({ action: '' }), ['action'], 'what is wrong is seen to');
  t.strictSame(wrong({ when: '2026-11-23T09:30', level: 'ks9', device: ' ', result: 'fine' }), [
    'when',
    'level',
    'device',
    'result',
  ]);
  checks.record(manager, { ...TYPED, action: 'List added' }, KEY);
  checks.record(manager, { ...TYPED, action: 'List added' }, KEY);
  t.equal(checks.list().length, 1, 'sent twice is one check');
  await checks.selfTest(manager);
  t.match(
    checks.list()[0],
    { kind: 'self', level: null, result: 'not-tried', byName: 'n.manager' },
    'without an index nothing is known',
  );
  t.throws(() => checks.one('01J00000000000000000000000'), { code: 'check_unknown' });
  checks.remind();
  const mails = () => plane.record.read((tx) => tx.all(`SELECT recipient FROM deliveries WHERE about LIKE 'check-%'`));
  t.strictSame(mails(), [], 'nothing is due');
  plane.clock.advance(31 * DAY);
  checks.remind();
  checks.remind();
  plane.clock.advance(DAY);
  checks.remind();
  t.equal(mails().length, 1, 'one reminder a week, to whoever sees to the filter');
  t.equal(
    plane.safeguarding.alarms(START, plane.clock() + 1).filter(({ code }) => code === 'check-overdue').length > 0,
    true,
  );
  t.strictSame(
    plane.acts().filter((act) => act.startsWith('check.')),
    ['check.recorded n.manager', 'check.self-tested n.manager'],
  );
});
