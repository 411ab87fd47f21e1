import t, { type Test } from 'tap';
import type { Actor } from '../../../src/audit/entry.ts';
import { appCode } from '../../helpers/authenticator.ts';
import { type ControlPlane, controlPlane } from '../../helpers/control-plane.ts';
import { PASSWORD, addPerson, openSession, personIdOf } from '../../helpers/test-console.ts';

const NEXT = 'four wholly other words';

async function school(t: Test): Promise<{ plane: ControlPlane; as: (userName: string) => Actor }> {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  await addPerson(plane, 'nadia', ['network-manager']);
  await addPerson(plane, 'tess', ['teacher']);
  return {
    plane,
    as: (userName) => ({ personId: personIdOf(plane, userName), userName, address: '127.0.0.1' }),
  };
}

void t.test('somebody changes their own password, and is signed out everywhere', async (t) => {
  const { plane, as } = await school(t);
  const [mine, hers] = [openSession(plane, 'tess'), openSession(plane, 'nadia')];
  const table: [string, object, string][] = [
    ['another one’s password', { current: 'wrong password' }, 'current'],
    ['too short', { next: 'short', again: 'short' }, 'next'],
    ['common', { next: 'password1234', again: 'password1234' }, 'next'],
    ['the school’s name', { next: 'Test Primary School', again: 'Test Primary School' }, 'next'],
    ['the one they have', { next: PASSWORD, again: PASSWORD }, 'next'],
    ['typed differently', { again: `${NEXT}!` }, 'again'],
  ];
  const typed = { current: PASSWORD, next: NEXT, again: NEXT };
  for (const [what, change, field] of table) {
    const refused = plane.ownPasswords.change(as('tess'), { ...typed, ...change });
    await t.rejects(refused, { code: 'invalid_fields', fields: [{ field }] }, what);
  }
  t.ok(plane.sessions.authenticate(mine), 'nothing was done');
  plane.clock.advance(1);
  await plane.ownPasswords.change(as('tess'), typed);
  t.equal(plane.sessions.authenticate(mine), null);
  t.ok(plane.sessions.authenticate(hers), 'nobody else is');
  const signIn = (password: string): Promise<unknown> =>
    plane.sessions.signIn({ userName: 'tess', password, code: appCode(plane), address: '::1' });
  await t.rejects(signIn(PASSWORD), { code: 'sign_in_refused' });
  t.ok(await signIn(NEXT));
  t.match(plane.last('live')!.renewals?.at(-1), { user: 'tess', at: plane.clock() }, 'gateways forget the old one');
  t.equal(plane.acts().filter((act) => act === 'person.password-changed tess').length, 1);
});

void t.test('two changes at the same time: one counts', async (t) => {
  const { plane, as } = await school(t);
  const change = (next: string): Promise<string> =>
    plane.ownPasswords.change(as('tess'), { current: PASSWORD, next, again: next }).then(
      () => 'changed',
      ({ code }: { code: string }) => code,
    );
  t.same((await Promise.all([change(NEXT), change(`${NEXT} 2`)])).toSorted(), ['changed', 'invalid_fields']);
});

void t.test('where others are signed in is seen and ended, on record', async (t) => {
  const { plane, as } = await school(t);
  const token = openSession(plane, 'tess');
  openSession(plane, 'nadia');
  const open = plane.openSessions.list(as('nadia'));
  t.match(open, [{ person: { userName: 'nadia' } }, { person: { userName: 'tess' }, address: '127.0.0.1' }]);
  t.notOk(JSON.stringify(open).includes(token));
  const { tokenHash } = open[1]!;
  plane.openSessions.end(as('nadia'), tokenHash);
  t.equal(plane.sessions.authenticate(token), null);
  t.throws(() => plane.openSessions.end(as('nadia'), tokenHash), { code: 'session_unknown' });
  t.same(plane.acts().slice(-2), ['sessions.listed nadia', 'session.closed nadia']);
  plane.clock.advance(15 * 60_000);
  t.same(plane.openSessions.list(as('nadia')), [], 'one that is over is not shown');
});
