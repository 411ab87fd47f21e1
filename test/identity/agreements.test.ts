// The agreement on using the web: who is asked, how it is accepted or recorded, how long it counts, and that it stays on record.
import t, { type Test } from 'tap';
import type { AgreementRules } from '../../src/identity/agreements/agreement.ts';
import { nextYear } from '../../src/identity/agreements/agreement.ts';
import type { DeviceAnswer } from '../../src/identity/signed-in-devices.ts';
import { controlPlane, proposeDisk, testPolicy, twoPeople } from '../helpers/control-plane.ts';
import { rosterFiles } from '../helpers/rosters.ts';

const [DESK, OTHER, NAT] = ['10.20.0.1', '10.20.0.2', '10.30.0.1'];
const HEADER = 'username,id,given name,family name,role,year,classes,groups,status';
const ROSTER = ['junior,1,June,Junior,pupil,3,3a,,', 'infant,2,Ivo,Infant,pupil,1,1a,,', '3a-tablets,3,,,class,3,3a,,'];

const agreements = (version = 'v1', yearBegins = '09-01'): AgreementRules => ({
  yearBegins,
  levels: {
    ks1: { version: 'k1', band: 'ks1', title: 'For parents', text: ['Filtered.'], by: 'parent' },
    ks2: { version, band: 'ks2', title: 'Our rules', text: ['Filtered, monitored, traceable.'], by: 'person' },
  },
});
let policies = 0;
const policyWith = (rules: AgreementRules | undefined) =>
  testPolicy({
    hash: String(policies++).padStart(64, '0'),
    identity: {
      mode: 'open',
      ranges: [],
      shared: ['10.30.0.0/16'],
      keepCards: ['ks1', 'ks2'],
      levels: { years: { 1: 'ks1', 3: 'ks2' }, roles: {} },
    },
    ...(rules !== undefined && { agreements: rules }),
  });

async function school(t: Pick<Test, 'teardown'>, rules: AgreementRules | undefined = agreements()) {
  const plane = controlPlane({ disk: { snapshot: policyWith(rules) } });
  t.teardown(() => plane.close());
  plane.policy.look();
  const { manager, head } = twoPeople(plane);
  const load = (...lines: string[]) =>
    plane.directory.import(manager, rosterFiles({ 'people.csv': [HEADER, ...lines].join('\n') }), true);
  await load(...ROSTER);
  const passwords = new Map<string, string>();
  for (const name of ['junior', 'infant', '3a-tablets']) {
    const [card] = await plane.directory.makeCards(manager, { classOrUser: name });
    passwords.set(name, card!.password);
  }
  plane.clock.advance(1);
  const signIn = (name: string, address = DESK): Promise<DeviceAnswer> =>
    plane.devices.signIn({ name, password: passwords.get(name)!, address });
  const proved = (name: string) => plane.accounts.verify({ name, password: passwords.get(name)!, address: OTHER });
  const asked = async (name: string, address = DESK) => {
    const answer = await signIn(name, address);
    if (answer.state !== 'agreement') throw new Error(answer.state);
    return answer;
  };
  const put = (next: AgreementRules | undefined): void => {
    const { snapshot } = { snapshot: policyWith(next) };
    plane.disk = { snapshot };
    plane.policy.look();
    const { id, hash } = proposeDisk(plane, manager, 'a test');
    plane.drafts.approve(head, id, hash);
  };
  return { plane, manager, load, signIn, proved, asked, put };
}

void t.test('whoever signs in is asked, accepts once, and gateways are told', async (t) => {
  const { plane, asked, proved } = await school(t);
  const shown = await asked('junior');
  t.match(shown, { userName: 'junior', agreement: { version: 'v1', title: 'Our rules' } });
  t.ok(shown.until !== null, 'they are signed in');
  t.match(plane.devices.at(DESK), { state: 'agreement' });
  await plane.publishing.send();
  t.notOk('agreed' in plane.last('live')!.sessions![0]!);
  t.match(await proved('junior'), { agreed: null });
  t.match(plane.devices.accept(shown.ticket, 'v0', DESK), { state: 'agreement' }, 'other words than were shown');
  t.same(plane.devices.accept(shown.ticket, 'v1', OTHER), { state: 'stale' }, 'another device');
  plane.clock.advance(1);
  t.match(plane.devices.accept(shown.ticket, 'v1', DESK), { state: 'signed-in' });
  t.match(plane.devices.accept(shown.ticket, 'v1', DESK), { state: 'signed-in' }, 'again: nothing happens');
  t.equal(plane.acts().filter((act) => act === 'agreement.accepted junior').length, 1);
  await plane.publishing.send();
  const live = plane.last('live')!;
  t.match(live.sessions, [{ address: DESK, user: 'junior', agreed: 'v1' }]);
  t.match(
    live.renewals!.find(({ user }) => user === 'junior'),
    { at: plane.clock() },
  );
  t.match(await proved('junior'), { agreed: 'v1' });
});

void t.test('it is asked again each school year and when its words change, and not otherwise', async (t) => {
  const { plane, asked, signIn, put } = await school(t);
  plane.devices.accept((await asked('junior')).ticket, 'v1', DESK);
  plane.clock.set(Date.parse('2027-08-31T22:59:59Z'));
  t.match(await signIn('junior'), { state: 'signed-in' }, 'the last second of the school year');
  plane.clock.advance(1000);
  t.match(await signIn('junior'), { state: 'agreement' });
  plane.devices.accept((await asked('junior')).ticket, 'v1', DESK);
  put(agreements('v2'));
  t.match(plane.devices.at(DESK), { state: 'agreement', agreement: { version: 'v2' } }, 'other words, at once');
  put(undefined);
  t.match(plane.devices.at(DESK), { state: 'signed-in' }, 'no folder: nobody is asked');
});

void t.test('a parent’s consent is recorded by staff, can be taken back, and nobody else can give it', async (t) => {
  const { plane, manager, signIn, proved } = await school(t);
  t.match(await signIn('infant'), { state: 'consent', userName: 'infant' });
  t.throws(() => plane.agreements.recordConsent(manager, { userName: 'junior' }), { code: 'consent_not_asked' });
  t.throws(() => plane.agreements.recordConsent(manager, { userName: 'nobody' }), { code: 'person_unknown' });
  t.throws(() => plane.agreements.withdraw(manager, { userName: 'infant' }), { code: 'consent_missing' });
  const list = (missing: boolean) => plane.agreements.list(manager, { missing });
  t.match(
    list(true).map(({ userName, by }) => [userName, by]),
    [
      ['infant', 'parent'],
      ['junior', 'person'],
    ],
  );
  plane.agreements.recordConsent(manager, { userName: 'Infant' });
  plane.agreements.recordConsent(manager, { userName: 'infant' });
  t.match(plane.devices.at(DESK), { state: 'signed-in' });
  t.match(await proved('infant'), { agreed: 'k1' });
  t.match(list(false)[0], { userName: 'infant', recordedBy: 'n.manager', acceptedAt: /^2026-11-23T/ });
  plane.agreements.withdraw(manager, { userName: 'infant' });
  t.match(plane.devices.at(DESK), { state: 'consent' });
  t.same(
    plane.acts().filter((act) => act.startsWith('agreement.')),
    ['agreement.consent-recorded n.manager', 'agreement.withdrawn n.manager'],
  );
});

void t.test('at a shared address it is accepted without a session; a class cannot agree to anything', async (t) => {
  const { plane, asked, signIn, proved } = await school(t);
  const shown = await asked('junior', NAT);
  t.equal(shown.until, null);
  t.same(plane.devices.accept(shown.ticket, 'v1', NAT), { state: 'shared' });
  t.match(await proved('junior'), { agreed: 'v1' });
  t.match(await signIn('3a-tablets'), { state: 'signed-in' });
});

void t.test('what was accepted stays on record through rosters, with its words', async (t) => {
  const { plane, asked, load } = await school(t);
  plane.devices.accept((await asked('junior')).ticket, 'v1', DESK);
  await load(...ROSTER.slice(1));
  await load(...ROSTER);
  await load('june,1,June,Junior,pupil,3,3a,,', ...ROSTER.slice(1));
  const rows = plane.record.read((tx) =>
    tx.all(`SELECT user_name, title, text FROM acceptances JOIN people ON people.id = person_id
            JOIN agreement_texts USING (version)`),
  );
  t.match(rows, [{ user_name: 'june', title: 'Our rules', text: '["Filtered, monitored, traceable."]' }]);
  for (const sql of [
    'DELETE FROM acceptances',
    'DELETE FROM agreement_texts',
    `UPDATE agreement_texts SET text = '[]'`,
  ]) {
    t.throws(() => plane.record.write((tx) => tx.run(sql)), /stays on record/, sql);
  }
});

void t.test('when a school year ends', (t) => {
  const table: [now: string, begins: string, zone: string, ends: string][] = [
    ['2026-08-31T22:59:00Z', '09-01', 'Europe/London', '2026-08-31T23:00:00.000Z'],
    ['2026-08-31T23:00:00Z', '09-01', 'Europe/London', '2027-08-31T23:00:00.000Z'],
    ['2026-11-23T09:00:00Z', '09-01', 'Europe/London', '2027-08-31T23:00:00.000Z'],
    ['2026-01-01T00:00:00Z', '01-01', 'Europe/London', '2027-01-01T00:00:00.000Z'],
  ];
  for (const [now, begins, zone, ends] of table) {
    t.equal(new Date(nextYear(Date.parse(now), begins, zone)).toISOString(), ends, `${now} ${begins}`);
  }
  t.end();
});
