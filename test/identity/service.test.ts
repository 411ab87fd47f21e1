import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import { heldUntil, NAME_BACK_OFF, passwordFault } from '../../src/identity/accounts.ts';
import { createPasswords } from '../../src/identity/passwords.ts';
import type { InvalidFieldsError } from '../../src/kernel/errors.ts';
import { type ControlPlane, controlPlane } from '../helpers/control-plane.ts';

const PASSWORD = 'three random words';
const NEW = { userName: 'N.Manager', fullName: 'Nadia Manager', password: PASSWORD };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function joined(plane: ControlPlane): Promise<void> {
  const link = plane.accounts.makeFirstLinks().find(({ role }) => role === 'network-manager')!;
  await plane.accounts.join(link.token, NEW, '127.0.0.1');
}

const attempt = (userName: string, password: string, address = '127.0.0.1') => ({
  userName,
  password,
  code: '',
  address,
});

void t.test('a first link makes one account, once, within a day', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const links = plane.accounts.makeFirstLinks();
  t.strictSame(
    links.map(({ role }) => role),
    ['headteacher', 'network-manager'],
  );
  const kept = plane.record.read((tx) => JSON.stringify(tx.all('SELECT * FROM invitations')));
  t.notOk(
    links.some(({ token }) => kept.includes(token)),
    'only hashes are kept',
  );
  const [head, manager] = links as [(typeof links)[0], (typeof links)[0]];

  t.equal(plane.accounts.invitation('x'.repeat(43)), null);
  t.match(plane.accounts.invitation(manager.token), { roles: ['network-manager'] });
  await t.rejects(plane.accounts.join('x'.repeat(43), NEW, '127.0.0.1'), { code: 'link_unusable' });
  const person = await plane.accounts.join(manager.token, NEW, '127.0.0.1');
  t.match(person, { userName: 'N.Manager', roles: ['network-manager'] });
  await t.rejects(plane.accounts.join(manager.token, { ...NEW, userName: 'other' }, '::1'), { code: 'link_unusable' });
  await t.rejects(plane.accounts.join(head.token, { ...NEW, userName: 'n.MANAGER' }, '::1'), {
    code: 'invalid_fields',
  });

  const again = plane.accounts.makeFirstLinks();
  t.strictSame(
    again.map(({ role }) => role),
    ['headteacher'],
    'a role that is held gets no further link',
  );
  t.match(plane.accounts.invitation(head.token), { roles: ['headteacher'] }, 'a link of an earlier start still holds');
  plane.clock.advance(24 * HOUR);
  await t.rejects(plane.accounts.join(head.token, NEW, '::1'), { code: 'link_unusable' }, 'after a day it does not');
  t.equal(plane.accounts.people().length, 1);
});

void t.test('two who use one link at the same time', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const { token } = plane.accounts.makeFirstLinks()[0]!;
  const tries = ['one', 'two'].map((userName) => plane.accounts.join(token, { ...NEW, userName }, '::1'));
  const results = await Promise.allSettled(tries);
  t.strictSame(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  t.equal(plane.accounts.people().length, 1);
});

void t.test('what an account must be, every field at once', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const { token } = plane.accounts.makeFirstLinks()[0]!;
  const table: [what: string, change: Partial<typeof NEW>, fields: string[]][] = [
    ['nothing at all', { userName: '', fullName: ' ', password: '' }, ['fullName', 'userName', 'password']],
    ['a name with a space', { userName: 'n manager' }, ['userName']],
    ['a name with a colon', { userName: 'n:manager' }, ['userName']],
    ['a name of 10 KB', { userName: 'n'.repeat(10_000), fullName: 'n'.repeat(10_000) }, ['fullName', 'userName']],
    ['NUL', { userName: 'n\0m' }, ['userName']],
    ['eleven characters', { password: 'elevenchars' }, ['password']],
    ['the user name', { userName: 'nadia.manager', password: 'Nadia.Manager' }, ['password']],
    ['the own name', { password: 'nadia  MANAGER' }, ['password']],
    ['one character', { password: 'aaaaaaaaaaaaaa' }, ['password']],
    ['too long to be typed', { password: 'ab cd '.repeat(50) }, ['password']],
  ];
  for (const [what, change, fields] of table) {
    const error = await plane.accounts.join(token, { ...NEW, ...change }, '::1').then(
      () => null,
      (error: unknown) => error as InvalidFieldsError,
    );
    t.strictSame(
      error?.fields.map(({ field }) => field),
      fields,
      what,
    );
  }
  t.equal(passwordFault('correct horse battery', ['n.manager']), null);
  t.equal(plane.accounts.people().length, 0);
});

void t.test('passwords are argon2id, salted, and the same letters however typed', async (t) => {
  const passwords = createPasswords();
  const [one, two] = await Promise.all([passwords.hash('école buissonnière'), passwords.hash('école buissonnière')]);
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{22}\$[^$]{43}$/);
  t.not(one, two);
  t.equal(await passwords.verify('e\u0301cole buissonnie\u0300re', one), true);
  t.equal(await passwords.verify('ecole buissonniere', one), false);
  t.equal(await passwords.verify('anything at all', null), false);
});

void t.test('signing in', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  await joined(plane);
  const { token, person } = await plane.sessions.signIn(attempt(' n.manager ', PASSWORD));
  t.equal(person.userName, 'N.Manager');
  t.match(plane.sessions.authenticate(token), { person: { userName: 'N.Manager', roles: ['network-manager'] } });
  t.equal(plane.sessions.authenticate('x'.repeat(43)), null);
  const kept = plane.record.read((tx) => JSON.stringify(tx.all('SELECT * FROM sessions')));
  t.notOk(kept.includes(token));
  const second = await plane.sessions.signIn(attempt('n.manager', PASSWORD));
  t.not(second.token, token, 'every sign-in has a token of its own');
  plane.sessions.signOut(plane.sessions.authenticate(token)!, '127.0.0.1');
  t.equal(plane.sessions.authenticate(token), null);
  t.ok(plane.sessions.authenticate(second.token));
});

void t.test('a session ends after fifteen idle minutes, and after eight hours in any case', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  await joined(plane);
  const { token } = await plane.sessions.signIn(attempt('n.manager', PASSWORD));
  for (let minutes = 14; minutes < 8 * 60; minutes += 14) {
    plane.clock.advance(14 * MINUTE);
    t.ok(plane.sessions.authenticate(token), `used after ${minutes} minutes`);
  }
  plane.clock.advance(5 * MINUTE);
  t.equal(plane.sessions.authenticate(token), null, 'eight hours');
  const idle = await plane.sessions.signIn(attempt('n.manager', PASSWORD));
  plane.clock.advance(15 * MINUTE);
  t.equal(plane.sessions.authenticate(idle.token), null, 'fifteen minutes');
});

void t.test('nobody learns which part was wrong', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  await joined(plane);
  const said = async (userName: string, password: string): Promise<unknown> =>
    plane.sessions.signIn(attempt(userName, password)).catch((error: Error) => error.message);
  const wrongPassword = await said('n.manager', 'not the password');
  t.match(wrongPassword, /user name, the password or the code/);
  for (const name of ['nobody', 'a:b', '', 'x'.repeat(5000)]) t.equal(await said(name, PASSWORD), wrongPassword, name);
  const acts = plane.record.read((tx) => JSON.stringify(newestRows(tx, null, 9)));
  t.notMatch(acts, /not the password|nobody|x{100}/, 'what was typed is not on record');
});

void t.test('failures hold a name back, longer each time, known or not', async (t) => {
  for (const name of ['n.manager', 'nobody']) {
    const plane = controlPlane();
    await joined(plane);
    const fail = async (address: string): Promise<string> =>
      plane.sessions.signIn(attempt(name, 'wrong password', address)).then(
        () => 'in',
        (error: { code: string }) => error.code,
      );
    for (let i = 0; i < 5; i++) t.equal(await fail(`10.0.0.${i}`), 'sign_in_refused', `${name}, attempt ${i + 1}`);
    t.equal(await fail('10.0.0.9'), 'sign_in_held', `${name} from any address`);
    await t.rejects(
      plane.sessions.signIn(attempt(name, PASSWORD)),
      { code: 'sign_in_held' },
      'even with the right one',
    );
    plane.clock.advance(30_000);
    t.equal(await fail('10.0.0.9'), 'sign_in_refused');
    plane.clock.advance(30_000);
    t.equal(await fail('10.0.0.9'), 'sign_in_held', 'a minute now');
    plane.clock.advance(30_000);
    if (name === 'n.manager') {
      t.ok(await plane.sessions.signIn(attempt(name, PASSWORD)));
      t.equal(await fail('10.0.0.9'), 'sign_in_refused', 'signing in begins the count again');
    }
    await plane.close();
  }
  t.equal(heldUntil(500, 0, NAME_BACK_OFF), 15 * MINUTE, 'a quarter of an hour at most');
});

void t.test('failures hold an address back, and others’ successes do not count against it', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  await joined(plane);
  for (let i = 0; i < 20; i++) {
    await plane.sessions.signIn(attempt(`nobody${i}`, 'wrong password')).catch(() => {});
    if (i % 5 === 0 && i < 15) await plane.sessions.signIn(attempt('n.manager', PASSWORD));
  }
  await t.rejects(plane.sessions.signIn(attempt('n.manager', PASSWORD)), { code: 'sign_in_held' });
  t.ok(await plane.sessions.signIn(attempt('n.manager', PASSWORD, '10.0.0.1')), 'from elsewhere it works');
});

void t.test('a hundred attempts at once are not all the first', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  await joined(plane);
  const tries = Array.from({ length: 30 }, (_, i) => plane.sessions.signIn(attempt('n.manager', `guess number ${i}`)));
  const results = await Promise.allSettled(tries);
  const codes = results.map((result) =>
    result.status === 'rejected' ? (result.reason as { code: string }).code : 'in',
  );
  t.equal(codes.filter((code) => code === 'sign_in_refused').length, 5);
  t.equal(codes.filter((code) => code === 'sign_in_held').length, 25);
});
