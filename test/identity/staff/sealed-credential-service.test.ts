import t, { type Test } from 'tap';
import type { Actor } from '../../../src/audit/entry.ts';
import { deliveriesAbout } from '../../../src/delivery/repository.ts';
import type { Announcements } from '../../../src/identity/staff/announcement-service.ts';
import { createSealedCredential } from '../../../src/identity/staff/sealed-credential-service.ts';
import type { Role } from '../../../src/identity/roles.ts';
import { type ControlPlane, controlPlane } from '../../helpers/control-plane.ts';
import { PASSWORD, addPerson, personIdOf } from '../../helpers/test-console.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const USE = { name: 'Dep \r\nUty', reason: 'the head is in hospital', address: '10.0.0.9' };

interface School {
  readonly plane: ControlPlane;
  readonly as: (userName: string) => Actor;
  /** What the home pages of these people say. */
  readonly told: (...userNames: readonly string[]) => string[][];
  /** To whom each announcement was mailed, the newest last. */
  readonly mailed: () => string[][];
}

async function school(t: Test): Promise<School> {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const people: [string, Role[]][] = [
    ['helen', ['headteacher']],
    ['nadia', ['network-manager']],
    ['tess', ['teacher']],
    ['gone', ['teacher']],
  ];
  for (const [name, roles] of people) await addPerson(plane, name, roles);
  const as = (userName: string): Actor => ({ personId: personIdOf(plane, userName), userName, address: '127.0.0.1' });
  plane.staff.changeRoles(as('nadia'), as('gone').personId, { roles: [], endsAt: null });
  return {
    plane,
    as,
    told: (...names) =>
      names.map((name) => plane.announcements.shownTo(personIdOf(plane, name)).map(({ text }) => text)),
    mailed: () =>
      plane.record.read((tx) =>
        tx
          .all("SELECT DISTINCT about FROM deliveries WHERE about LIKE 'announcement:%' ORDER BY about")
          .map(({ about }) => deliveriesAbout(tx, String(about)).map(({ recipient }) => recipient.split('@')[0]!)),
      ),
  };
}

void t.test('made once, used once, and everybody hears of both', async (t) => {
  const { plane, as, told, mailed } = await school(t);
  const { sealedCredential: sealed } = plane;
  t.same(sealed.state(), { is: 'none' });
  const code = sealed.make(as('helen'));
  t.match(code, /^(?:[0-9A-Z]{4}-){5}[0-9A-Z]{4}$/);
  t.match(sealed.state(), { is: 'sealed', madeBy: 'Person helen' });
  const kept = (): string =>
    plane.record.read((tx) =>
      ['sealed_credential', 'audit', 'announcements', 'deliveries']
        .map((table) => JSON.stringify(tx.all(`SELECT * FROM ${table}`)))
        .join(),
    );
  for (const form of [code, code.replaceAll('-', '')]) t.notOk(kept().includes(form), 'nothing of it is kept in clear');

  const token = sealed.use({ ...USE, code: code.toLowerCase().replaceAll('-', ' ') });
  t.match(sealed.state(), { is: 'used' });
  t.throws(() => sealed.use({ ...USE, code }), { code: 'invalid_fields', fields: [{ field: 'code' }] }, 'once');
  t.match(told('tess', 'nadia'), [
    [/^The sealed headteacher credential was used by .*“Dep Uty”.*in hospital/, /helen made a new sealed/],
    [/was used/, /made a new/],
  ]);
  t.same(mailed(), [
    ['helen', 'nadia', 'tess'],
    ['helen', 'nadia', 'tess'],
  ]);
  t.same(plane.acts().slice(1), [
    'sealed-credential.made helen',
    'sealed-credential.used console',
    'sealed-credential.refused console',
  ]);
  await t.rejects(plane.accounts.join(token, { userName: 'tess', fullName: 'T', password: PASSWORD }, '::1'), {
    code: 'invalid_fields',
  });
  const deputy = await plane.accounts.join(token, { userName: 'dep', fullName: 'Dep Uty', password: PASSWORD }, '::1');
  t.same(deputy.roles, ['headteacher']);
  t.match(told('tess')[0]![0], /^Dep Uty \(dep\) has made an account as headteacher/);
  plane.clock.advance(7 * DAY - 1);
  t.same(plane.staff.find(deputy.id).held.length, 1);
  plane.clock.advance(1);
  t.same(plane.staff.find(deputy.id).held, [], 'for seven days');
  plane.clock.advance(2 * DAY);
  t.same(told('tess'), [[]], 'and it is not said for ever');
});

void t.test('nobody uses it without the others being told', async (t) => {
  const { plane, as } = await school(t);
  const code = plane.sealedCredential.make(as('helen'));
  const announcements: Announcements = {
    shownTo: () => [],
    tell: () => {
      throw new Error('the disk is full');
    },
  };
  const mute = createSealedCredential({ ...plane, announcements });
  t.throws(() => mute.use({ ...USE, code }), /disk is full/);
  t.match(mute.state(), { is: 'sealed' }, 'it is as good as before');
  t.same(
    plane.record.read((tx) => tx.all('SELECT 1 FROM invitations')),
    [],
  );
  t.match(plane.sealedCredential.use({ ...USE, code }), /^[\w-]{43}$/);
});

void t.test('one in the place of another; a link that nobody took up in an hour is gone', async (t) => {
  const { plane, as } = await school(t);
  const { sealedCredential: sealed } = plane;
  const [first, second] = [sealed.make(as('helen')), sealed.make(as('helen'))];
  t.throws(() => sealed.use({ ...USE, code: first }), { code: 'invalid_fields' });
  const token = sealed.use({ ...USE, code: second });
  plane.clock.advance(HOUR);
  t.equal(plane.accounts.invitation(token), null);
});

void t.test('whoever guesses is held back, and nothing is done without a name and a reason', async (t) => {
  const { plane, as } = await school(t);
  const code = plane.sealedCredential.make(as('helen'));
  const use = (change: object): unknown => {
    try {
      return plane.sealedCredential.use({ ...USE, code, ...change });
    } catch (error) {
      const { code: why, fields = [] } = error as { code: string; fields?: { field: string }[] };
      return [why, ...fields.map(({ field }) => field)].join(' ');
    }
  };
  t.equal(use({ code: 'A', name: ' ', reason: '\u0000' }), 'invalid_fields code name reason');
  t.equal(use({ name: 'x'.repeat(101), reason: 'x'.repeat(501) }), 'invalid_fields name reason');
  t.match(plane.sealedCredential.state(), { is: 'sealed' });
  for (let i = 0; i < 20; i++) t.equal(use({ code: '0'.repeat(24) }), 'invalid_fields code');
  t.equal(use({}), 'sign_in_held', 'even the right one, from this address');
  t.match(use({ address: '10.0.0.10' }), /^[\w-]{43}$/);
});

void t.test('who judges others changes before everybody’s eyes', async (t) => {
  const { plane, as, told, mailed } = await school(t);
  const NOBODY = { userName: '', endsAt: null };
  const invite = (by: string, roles: Role[]): string =>
    plane.staff.invite(as(by), { ...NOBODY, fullName: 'Chris Chair', roles }).token;
  t.throws(() => invite('helen', ['chair-of-governors']), { code: 'invalid_fields' }, 'not whom they judge');
  const token = invite('nadia', ['chair-of-governors', 'vice-chair-of-governors']);
  const { id } = await plane.accounts.join(token, { userName: 'chris', fullName: 'Chris', password: PASSWORD }, '::1');
  t.match(told('tess'), [[/^Chris \(chris\) has made an account as chair of governors, vice-chair of governors/]]);
  plane.staff.changeRoles(as('nadia'), id, { roles: ['chair-of-governors'], endsAt: null });
  t.match(told('tess')[0]![0], 'Chris is no longer vice-chair of governors.');
  plane.staff.changeRoles(as('chris'), as('helen').personId, { roles: [], endsAt: null });
  t.match(told('tess')[0]![0], 'Person helen is no longer headteacher.');
  plane.staff.changeRoles(as('nadia'), as('tess').personId, { roles: ['technician', 'teacher'], endsAt: null });
  t.equal(told('tess')[0]!.length, 3, 'what judges nobody is not announced');
  t.same(mailed().at(-1), ['chris', 'nadia', 'tess'], 'to whoever has an account then');
});

void t.test('whose roles end is told to whoever may renew them', async (t) => {
  const { plane, as } = await school(t);
  await addPerson(plane, 'outside', ['technician']);
  const endsAt = plane.clock() + 22 * DAY;
  plane.staff.changeRoles(as('nadia'), as('outside').personId, { roles: ['technician'], endsAt });
  const asked = (by: string): string[] => plane.staff.endingSoon(as(by).personId).map(({ userName }) => userName);
  t.same(asked('nadia'), []);
  plane.clock.advance(DAY);
  t.same([asked('nadia'), asked('helen'), asked('tess'), asked('outside')], [['outside'], ['outside'], [], []]);
  const later = endsAt + 90 * DAY;
  plane.staff.changeRoles(as('nadia'), as('outside').personId, { roles: ['technician'], endsAt: later });
  t.same(asked('nadia'), [], 'renewed');
  t.match(plane.staff.find(as('outside').personId).held, [{ role: 'technician', endsAt: later }]);
});
