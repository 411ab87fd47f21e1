import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import { type ControlPlane, controlPlane } from '../helpers/control-plane.ts';

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
  const signIn = { userName: 'n.manager', password: PASSWORD, address: '10.0.0.1' };
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
