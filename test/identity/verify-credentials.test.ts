import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import { type ControlPlane, controlPlane, twoPeople } from '../helpers/control-plane.ts';
import { rosterFiles } from '../helpers/rosters.ts';

const PASSWORD = 'three random words';
const NEW = { userName: 'N.Manager', fullName: 'Nadia Manager', password: PASSWORD };
const MINUTE = 60_000;

async function joined(): Promise<ControlPlane> {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const link = plane.accounts.makeFirstLinks().find(({ role }) => role === 'network-manager')!;
  await plane.accounts.join(link.token, NEW, '127.0.0.1');
  return plane;
}

const sent = (name: string, password: string, address = '10.0.0.1') => ({ name, password, address });

void t.test('right credentials give the canonical name; nobody learns which part of others was wrong', async (t) => {
  const plane = await joined();
  t.match(await plane.accounts.verify(sent('n.MANAGER', PASSWORD)), { user: 'n.manager' });
  for (const [name, password] of [
    ['n.manager', 'not the password'],
    ['nobody', PASSWORD],
    ['n.manager', ''],
    ['a\0b', PASSWORD],
  ] as const) {
    t.equal(await plane.accounts.verify(sent(name, password)), 'wrong', name);
  }
  t.same(
    plane.acts().slice(-4),
    Array.from({ length: 4 }, () => 'proxy-auth.refused console'),
  );
  const rows = plane.record.read((tx) => JSON.stringify(newestRows(tx, null, 9)));
  t.match(rows, '10.0.0.1');
  t.notMatch(rows, /not the password|nobody|three random/, 'what was sent is not on record');
});

void t.test('failures hold a name back at the proxy, and never at the console', async (t) => {
  const plane = await joined();
  for (let i = 0; i < 5; i++)
    t.equal(await plane.accounts.verify(sent('n.manager', `guess ${i}`, `10.0.0.${i}`)), 'wrong');
  t.equal(await plane.accounts.verify(sent('n.manager', PASSWORD)), 'wrong', 'even with the right password');
  const signIn = { userName: 'n.manager', password: PASSWORD, code: '', address: '10.0.0.1' };
  t.ok(await plane.sessions.signIn(signIn));
  t.equal(await plane.accounts.verify(sent('n.manager', PASSWORD)), 'wrong', 'which frees nothing at the proxy');
  plane.clock.advance(MINUTE);
  t.match(await plane.accounts.verify(sent('n.manager', PASSWORD)), { user: 'n.manager' });
  t.equal(await plane.accounts.verify(sent('n.manager', 'guess 5')), 'wrong');
  t.match(await plane.accounts.verify(sent('n.manager', PASSWORD)), { user: 'n.manager' }, 'the count began again');
});

void t.test('an address that fails with many names is held back', async (t) => {
  const plane = await joined();
  const guesses = Array.from({ length: 20 }, (_, i) => plane.accounts.verify(sent(`nobody${i}`, 'guess')));
  t.same([...new Set(await Promise.all(guesses))], ['wrong']);
  t.equal(await plane.accounts.verify(sent('n.manager', PASSWORD)), 'wrong');
  t.match(await plane.accounts.verify(sent('n.manager', PASSWORD, '10.0.0.2')), { user: 'n.manager' });
});

void t.test('the same credentials from every worker at once, and again and again, are one attempt', async (t) => {
  const plane = await joined();
  const right = Array.from({ length: 30 }, () => plane.accounts.verify(sent('n.manager', PASSWORD)));
  t.match(
    await Promise.all(right),
    Array.from({ length: 30 }, () => ({ user: 'n.manager' })),
  );
  for (let i = 0; i < 30; i++) t.equal(await plane.accounts.verify(sent('n.manager', 'the old password')), 'wrong');
  t.match(await plane.accounts.verify(sent('n.manager', PASSWORD)), { user: 'n.manager' }, 'not held back');
  t.equal(plane.acts().filter((act) => act.startsWith('proxy-auth.refused')).length, 1);
});

void t.test('what was wrong is looked at again when somebody has got an account', async (t) => {
  const plane = await joined();
  t.equal(await plane.accounts.verify(sent('h.teacher', PASSWORD)), 'wrong');
  const { token } = plane.accounts.makeFirstLinks()[0]!;
  await plane.accounts.join(token, { ...NEW, userName: 'h.teacher' }, '::1');
  t.match(await plane.accounts.verify(sent('h.teacher', PASSWORD)), { user: 'h.teacher' });
});

void t.test('the account of a class is held back at each address apart', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { manager } = twoPeople(plane);
  const roster = 'username,role,classes\n9x-tablets,class,9x\npat,pupil,9x\n';
  await plane.directory.import(manager, rosterFiles({ 'people.csv': roster }), false);
  const cards = await plane.directory.makeCards(manager, { className: '9x' });
  const passwordOf = (name: string): string => cards.find(({ userName }) => userName === name)!.password;
  for (const [name, elsewhere] of [
    ['9x-tablets', '9x-tablets'],
    ['pat', 'wrong'],
  ] as const) {
    for (let i = 0; i < 5; i++) await plane.accounts.verify(sent(name, `guess ${i}`, '10.0.0.1'));
    const right = (address: string) => plane.accounts.verify(sent(name, passwordOf(name), address));
    t.equal(await right('10.0.0.1'), 'wrong', `${name} at the address that guessed`);
    const there = await right('10.0.0.2');
    t.equal(typeof there === 'string' ? there : there.user, elsewhere, `${name} elsewhere`);
  }
  const guesses = Array.from({ length: 16 }, (_, i) => plane.accounts.verify(sent('9x-tablets', `${i}`, '10.0.0.3')));
  await Promise.all(guesses);
  plane.clock.advance(24 * 3_600_000 - 1);
  const devices = [1, 2, 3, 4].map((i) => `10.0.1.${i}`);
  for (const address of devices) {
    const signedIn = await plane.devices.signIn({ ...sent('9x-tablets', passwordOf('9x-tablets')), address });
    t.equal(signedIn.state, 'signed-in', 'at several devices at once');
  }
  for (const address of devices) t.match(plane.devices.at(address), { userName: '9x-tablets' });
});
