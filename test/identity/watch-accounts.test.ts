// Accounts in use where they should not be: one situation is one event, shown with the alarms.
import t, { type Test } from 'tap';
import { AccountPlaces, QUIET_MS, TOGETHER_MS } from '../../src/identity/account-places.ts';
import { OVER_MS } from '../../src/identity/watch-accounts.ts';
import { controlPlane, testPolicy, twoPeople } from '../helpers/control-plane.ts';
import { rosterFiles } from '../helpers/rosters.ts';

const MINUTE = 60_000;
const ROSTER = 'username,role,year,classes\ntess,teacher,,\npat,pupil,3,3a\n3a-tablets,class,3,3a\n';

async function school(t: Pick<Test, 'teardown'>) {
  const ranges = [{ cidr: '10.20.0.0/16', level: 'ks2', name: 'Year 3' }];
  const policy = testPolicy({ identity: { mode: 'open', ranges, shared: ['10.30.0.0/16'] } });
  const plane = controlPlane({ disk: { snapshot: policy } });
  t.teardown(() => plane.close());
  plane.policy.look();
  const { manager } = twoPeople(plane);
  await plane.directory.import(manager, rosterFiles({ 'people.csv': ROSTER }), false);
  let id = 0;
  const active = (...seen: [user: string, address: string][]): void => {
    const data = { gateway: 'gw', seen: seen.map(([user, address]) => ({ user, address })) };
    const event = { id: `01J${String(id++).padStart(23, '0')}`, type: 'accounts.active', v: 1, data };
    const at = new Date(plane.clock()).toISOString();
    plane.safeguarding.take([JSON.stringify({ ...event, at })]);
  };
  const alarms = (): string[] =>
    plane.safeguarding.alarms(0, plane.clock() + 1).map(({ code, text }) => `${code} ${text}`);
  return { plane, active, alarms };
}

void t.test('a name of staff from a pupils’ range is told of once while it goes on', async (t) => {
  const { plane, active, alarms } = await school(t);
  active(['pat', '10.20.0.1'], ['tess', '10.9.0.1'], ['nobody', '10.20.0.1'], ['3a-tablets', '10.20.0.3']);
  t.same(alarms(), []);
  for (let minute = 0; minute < 90; minute++) {
    active(['tess', '10.20.0.1']);
    plane.clock.advance(MINUTE);
  }
  t.equal(alarms().length, 1);
  t.match(alarms()[0], /^staff-name-among-pupils tess .* 10\.20\.0\.1.*ks2/);
  plane.clock.advance(OVER_MS + MINUTE);
  active(['tess', '10.20.0.1']);
  t.equal(alarms().length, 2, 'again after it was over');
});

void t.test('so is one that is tried there with a wrong password, at either door', async (t) => {
  const { plane, alarms } = await school(t);
  const guess = (name: string, address: string) => ({ name, password: 'a guess', address });
  await plane.devices.signIn(guess('tess', '10.9.0.1'));
  await plane.devices.signIn(guess('pat', '10.20.0.1'));
  await plane.accounts.verify(guess('nobody', '10.20.0.1'));
  t.same(alarms(), [], 'elsewhere, a pupil, nobody');
  await plane.devices.signIn(guess('Tess', '10.20.0.1'));
  await plane.accounts.verify(guess('tess', '10.20.0.1'));
  t.equal(alarms().length, 1);
  t.match(alarms()[0], /^staff-name-among-pupils tess is a name of staff, and somebody gave it at 10\.20\.0\.1/);
  await plane.accounts.verify({ ...guess('tess', '10.20.0.2'), password: 'another' });
  t.equal(alarms().length, 2, 'another place');
  for (let minute = 0; minute < 6; minute++) {
    await plane.devices.signIn(guess('pat', `10.9.1.${minute}`));
    plane.clock.advance(MINUTE);
  }
  t.equal(alarms().length, 2, 'whoever guesses at another place is not the person at two');
});

void t.test('one account at two places at once; a class’s and shared addresses apart', async (t) => {
  const { plane, active, alarms } = await school(t);
  for (let minute = 0; minute < 30; minute++) {
    active(['pat', '10.9.0.1'], ['pat', '10.9.0.2'], ['3a-tablets', '10.9.0.3'], ['3a-tablets', '10.9.0.4']);
    active(['tess', '10.30.0.1'], ['tess', '10.30.0.2'], ['tess', '10.9.0.5']);
    plane.clock.advance(MINUTE);
  }
  t.equal(alarms().length, 1);
  t.match(alarms()[0], /^account-at-two-places pat was in use at 10\.9\.0\.1 and 10\.9\.0\.2/);
});

void t.test('what counts as two places', (t) => {
  const table: [string, string, boolean][] = [
    ['10.0.0.1', '10.0.0.2', true],
    ['10.0.0.1', '2001:db8::1', false],
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', false],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', true],
    ['2001:db8::1', '2001:db8:0:0:9::1', false],
  ];
  for (const [a, b, isTwo] of table) {
    const places = new AccountPlaces();
    for (const at of [0, TOGETHER_MS]) {
      places.note('ann', a, at);
      const found = places.note('ann', b, at);
      t.equal(found !== null, isTwo && at > 0, `${a} ${b} at ${at}`);
    }
  }
  const walking = new AccountPlaces();
  walking.note('ann', '10.0.0.1', 0);
  t.equal(walking.note('ann', '10.0.0.2', MINUTE), null);
  t.equal(walking.note('ann', '10.0.0.2', MINUTE + QUIET_MS), null, 'the first place has fallen quiet');
  t.end();
});
