import t, { type Test } from 'tap';
import type { Actor } from '../../src/audit/entry.ts';
import { newestRows } from '../../src/audit/service.ts';
import {
  ALL_PERMISSIONS,
  APPOINTS,
  PERMISSIONS,
  appointable,
  haveTwo,
  may,
  needsSecondFactor,
} from '../../src/identity/permissions.ts';
import { ALL_ROLES, type Role } from '../../src/identity/roles.ts';
import { appCode } from '../helpers/authenticator.ts';
import { type ControlPlane, controlPlane } from '../helpers/control-plane.ts';
import { PASSWORD, addPerson } from '../helpers/test-console.ts';

const HOUR = 3_600_000;
const NOBODY = { userName: '', endsAt: null };
const NEW = { fullName: 'Dana Safe', password: PASSWORD };

async function school(t: Test): Promise<{ plane: ControlPlane; as: (name: string) => Actor }> {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  await addPerson(plane, 'helen', ['headteacher']);
  await addPerson(plane, 'nadia', ['network-manager']);
  await addPerson(plane, 'chris', ['chair-of-governors']);
  const as = (name: string): Actor => {
    const personId = plane.accounts.people().find(({ userName }) => userName === name)!.id;
    return { personId, userName: name, address: '127.0.0.1' };
  };
  return { plane, as };
}

const ROSTER = `username,given name,family name,role,year,classes
helen,Helen,Head,staff,,
t.each,Tom,Each,teacher,,9x
p.upil,Pat,Upil,pupil,9,9x
`;

async function importRoster(plane: ControlPlane, by: Actor): Promise<void> {
  const report = await plane.directory.import(by, [{ name: 'people.csv', text: ROSTER }], true);
  if (report.outcome !== 'imported') throw new Error(JSON.stringify(report));
}

/** Whoever has these looks at something and changes nothing, besides what ends in `.see`. */
const LOOKS: ReadonlySet<string> = new Set(['site.check', 'audit.review', 'reports.governors']);

void t.test('the table: nobody without a role, everything somebody’s, governors read only', async (t) => {
  for (const permission of ALL_PERMISSIONS) {
    t.notOk(may([], permission), permission);
    t.ok(PERMISSIONS[permission].roles.length > 0, `${permission} is somebody’s`);
  }
  const held = (role: Role): string[] => ALL_PERMISSIONS.filter((permission) => may([role], permission));
  for (const role of ['governor', 'data-protection-officer'] as const)
    t.ok(
      held(role).every((permission) => permission.endsWith('.see') || LOOKS.has(permission)),
      `${role} changes nothing`,
    );
  for (const role of ALL_ROLES) t.ok(needsSecondFactor([role]), `${role} sees or changes people`);
  t.notOk(needsSecondFactor([]));
  t.notOk(may(['teacher'], 'people.see'));
  t.notOk(may(['technician'], 'unblock.decide'));
  for (const role of ALL_ROLES) t.notOk(appointable([role]).includes(role), `${role} does not make another`);
  const reachable = new Set<Role>(['headteacher']);
  for (const role of reachable) for (const given of APPOINTS[role] ?? []) reachable.add(given);
  t.strictSame([...reachable].toSorted(), [...ALL_ROLES].toSorted(), 'every role can be given');
  const [head, teacher] = [
    { id: 'a', roles: ['headteacher'] as const },
    { id: 'b', roles: ['teacher'] as const },
  ];
  t.notOk(haveTwo([head, teacher], 'policy.propose', 'policy.decide'), 'a teacher is no second person of a policy');
  t.ok(haveTwo([head, { id: 'c', roles: ['technician'] as const }], 'policy.propose', 'policy.decide'));
});

void t.test('who may invite whom', async (t) => {
  const { plane, as } = await school(t);
  for (const [name, role] of [
    ['helen', 'headteacher'],
    ['nadia', 'network-manager'],
    ['chris', 'chair-of-governors'],
  ] as const) {
    for (const given of ALL_ROLES) {
      const invite = (): unknown => plane.staff.invite(as(name), { ...NOBODY, fullName: 'X', roles: [given] });
      if (APPOINTS[role]!.includes(given)) t.ok(invite(), `${role} invites ${given}`);
      else t.throws(invite, { code: 'invalid_fields' }, `${role} does not invite ${given}`);
    }
  }
});

void t.test('an invitation makes one account, once, within a day', async (t) => {
  const { plane, as } = await school(t);
  const roles = ['safeguarding-lead', 'senior-leadership'];
  const { token } = plane.staff.invite(as('helen'), { ...NOBODY, fullName: 'Dana Safe', roles });
  t.notMatch(
    plane.record.read((tx) => JSON.stringify(tx.all('SELECT * FROM invitations'))),
    token,
  );
  await t.rejects(plane.accounts.join(token, { ...NEW, userName: 'helen' }, '::1'), { code: 'invalid_fields' });
  const person = await plane.accounts.join(token, { ...NEW, userName: 'dana' }, '::1');
  t.strictSame(person.roles, roles);
  await t.rejects(plane.accounts.join(token, { ...NEW, userName: 'dana2' }, '::1'), { code: 'link_unusable' });
  const late = plane.staff.invite(as('helen'), { ...NOBODY, fullName: 'Late', roles: ['governor'] });
  plane.clock.advance(24 * HOUR);
  await t.rejects(plane.accounts.join(late.token, { ...NEW, userName: 'late' }, '::1'), { code: 'link_unusable' });
  t.strictSame(plane.acts(), ['person.invited helen', 'person.joined dana', 'person.invited helen']);
});

void t.test('an invitation goes with the right of whoever made it, and when it is withdrawn', async (t) => {
  const { plane, as } = await school(t);
  const invite = (): { token: string; invitation: { tokenHash: string } } =>
    plane.staff.invite(as('nadia'), { ...NOBODY, fullName: 'Tess', roles: ['technician'] });
  const [one, two] = [invite(), invite()];
  t.throws(() => plane.staff.withdraw(as('chris'), one.invitation.tokenHash), { code: 'invalid_fields' });
  plane.staff.withdraw(as('nadia'), one.invitation.tokenHash);
  t.throws(() => plane.staff.withdraw(as('nadia'), one.invitation.tokenHash), { code: 'invitation_unknown' });
  t.equal(plane.accounts.invitation(one.token), null);
  t.ok(plane.accounts.invitation(two.token));
  plane.staff.changeRoles(as('helen'), as('nadia').personId, { roles: [], endsAt: null });
  t.equal(plane.accounts.invitation(two.token), null);
  await t.rejects(plane.accounts.join(two.token, { ...NEW, userName: 'tess' }, '::1'), { code: 'link_unusable' });
});

void t.test('what is asked for is read strictly, all of it at once', async (t) => {
  const { plane, as } = await school(t);
  await importRoster(plane, as('nadia'));
  const table: [string, Partial<Parameters<ControlPlane['staff']['invite']>[1]>, string[]][] = [
    ['nothing', { fullName: ' ', roles: [] }, ['fullName', 'roles']],
    ['no such role', { roles: ['king'] }, ['roles']],
    ['__proto__', { roles: ['__proto__'] }, ['roles']],
    ['a day that has passed', { endsAt: plane.clock() }, ['endsOn']],
    ['no day', { endsAt: 'wrong' }, ['endsOn']],
    ['nobody', { userName: 'no.one' }, ['userName']],
    ['a pupil', { userName: 'P.Upil' }, ['userName']],
    ['somebody with a role', { userName: 'chris' }, ['userName']],
  ];
  for (const [what, change, fields] of table) {
    try {
      plane.staff.invite(as('helen'), { ...NOBODY, fullName: 'X', roles: ['teacher'], ...change });
      t.fail(what);
    } catch (error) {
      t.match(error, { fields: fields.map((field) => ({ field })) }, what);
    }
  }
});

void t.test('somebody of the roster is invited under the name they have', async (t) => {
  const { plane, as } = await school(t);
  await importRoster(plane, as('nadia'));
  const input = { fullName: '', userName: 'T.Each', roles: ['teacher'], endsAt: null };
  const { token } = plane.staff.invite(as('nadia'), input);
  t.match(plane.accounts.invitation(token), { fullName: 'Tom Each', person: { userName: 't.each' } });
  const person = await plane.accounts.join(token, { ...NEW, userName: 'helen' }, '::1');
  t.match(person, { userName: 't.each', roles: ['teacher'] }, 'whatever name was typed');
  t.equal(plane.record.read((tx) => tx.all("SELECT 1 FROM people WHERE user_key = 't.each'")).length, 1);
});

void t.test('the headteacher’s first link takes the name that the roster has already', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const nobody = { personId: '', userName: 'nobody', address: 'local' };
  await importRoster(plane, nobody);
  const { token } = plane.accounts.makeFirstLinks().find(({ role }) => role === 'headteacher')!;
  for (const userName of ['p.upil']) {
    await t.rejects(plane.accounts.join(token, { ...NEW, userName }, '::1'), { code: 'invalid_fields' }, userName);
  }
  const head = await plane.accounts.join(token, { ...NEW, userName: 'Helen' }, '::1');
  t.match(head, { userName: 'helen', roles: ['headteacher'] });
  const rows = plane.record.read((tx) =>
    tx.all("SELECT people.id FROM people JOIN directory ON person_id = id WHERE user_key = 'helen'"),
  );
  t.strictSame(
    rows.map((row) => row['id']),
    [head.id],
    'one person, in the directory as well',
  );
  t.ok(await plane.sessions.signIn({ userName: 'helen', password: PASSWORD, code: '', address: '::1' }));
});

void t.test('whoever has forgotten the password is invited anew, and keeps name and app', async (t) => {
  const { plane, as } = await school(t);
  const { personId } = as('nadia');
  plane.staff.changeRoles(as('helen'), personId, { roles: [], endsAt: null });
  const input = { fullName: '', userName: 'nadia', roles: ['network-manager'], endsAt: null };
  const { token } = plane.staff.invite(as('helen'), input);
  const password = 'four wholly other words';
  const { id } = await plane.accounts.join(token, { ...NEW, userName: 'nadia', password }, '::1');
  t.equal(id, personId);
  const signIn = (typed: string, code: string): Promise<unknown> =>
    plane.sessions.signIn({ userName: 'nadia', password: typed, code, address: '::1' });
  await t.rejects(signIn(PASSWORD, appCode(plane)), { code: 'sign_in_refused' });
  await t.rejects(signIn(password, ''), { code: 'code_needed' }, 'whoever took the link has not the app');
  t.ok(await signIn(password, appCode(plane)));
});

void t.test('whoever has left the school is not given a role anew', async (t) => {
  const { plane, as } = await school(t);
  await importRoster(plane, as('nadia'));
  const invited = { fullName: '', userName: 't.each', roles: ['teacher'], endsAt: null };
  const { token } = plane.staff.invite(as('nadia'), invited);
  const { id } = await plane.accounts.join(token, { ...NEW, userName: 't.each' }, '::1');
  plane.staff.changeRoles(as('nadia'), id, { roles: [], endsAt: null });
  const rest = ROSTER.split('\n').filter((line) => !line.startsWith('t.each'));
  await plane.directory.import(as('nadia'), [{ name: 'people.csv', text: rest.join('\n') }], true);
  const again = (): void => plane.staff.changeRoles(as('nadia'), id, { roles: ['teacher'], endsAt: null });
  t.throws(again, { code: 'invalid_fields', fields: [{ field: 'roles', reason: /has left/ }] });
  await importRoster(plane, as('nadia'));
  again();
  t.same(plane.staff.find(id).held, [{ role: 'teacher', endsAt: null }]);
});

void t.test(
  'roles given, taken away and at their end: sessions end, what the person did keeps their name',
  async (t) => {
    const { plane, as } = await school(t);
    await addPerson(plane, 'tess', ['technician']);
    const tess = as('tess');
    const signIn = async (): Promise<string> =>
      (await plane.sessions.signIn({ userName: 'tess', password: PASSWORD, code: appCode(plane), address: '::1' }))
        .token;
    const first = await signIn();
    t.throws(() => plane.staff.changeRoles(as('nadia'), as('nadia').personId, { roles: ['teacher'], endsAt: null }), {
      code: 'account_own',
    });
    t.throws(() => plane.staff.changeRoles(as('nadia'), tess.personId, { roles: ['governor'], endsAt: null }), {
      code: 'invalid_fields',
    });
    t.throws(() => plane.staff.changeRoles(as('helen'), 'nobody', { roles: [], endsAt: null }), {
      code: 'account_unknown',
    });
    t.ok(plane.sessions.authenticate(first), 'nothing was done');
    const endsAt = plane.clock() + HOUR;
    plane.staff.changeRoles(as('nadia'), tess.personId, { roles: ['technician', 'teacher'], endsAt });
    t.equal(plane.sessions.authenticate(first), null);
    const second = await signIn();
    t.match(plane.sessions.authenticate(second)?.person.roles, ['teacher', 'technician']);
    for (let i = 0; i < 6; i++) {
      plane.sessions.authenticate(second);
      plane.clock.advance(HOUR / 6);
    }
    t.strictSame(plane.sessions.authenticate(second)?.person.roles, [], 'from that instant');
    await t.rejects(signIn(), { code: 'sign_in_refused' });
    t.match(plane.staff.find(tess.personId), { held: [], fullName: 'Person tess' });
    const row = plane.record
      .read((tx) => newestRows(tx, null, 20))
      .find(({ action }) => action === 'person.roles-changed')!;
    t.match(JSON.parse(row.payload), {
      before: { roles: ['technician'] },
      after: { roles: [{ role: 'technician' }, { role: 'teacher', until: new Date(endsAt).toISOString() }] },
    });
  },
);
