import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import { DEVICE_IDLE_MS } from '../../src/identity/device-service.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { type ControlPlane, controlPlane, testPolicy } from '../helpers/control-plane.ts';

const PASSWORD = 'three random words';
const [DESK, OTHER] = ['10.20.0.1', '10.20.0.2'];
const MINUTE = 60_000;
const suspended = { until: null, rule: 'r' };

/** Accounts, and a policy in force with changes of `identity` and people. */
async function school(change: Partial<PolicySnapshot> = {}, accounts = ['A.Head', 'n.manager']): Promise<ControlPlane> {
  const plane = controlPlane({ disk: { snapshot: testPolicy(change) } });
  t.teardown(() => plane.close());
  plane.policy.look();
  const links = plane.accounts.makeFirstLinks();
  for (const [i, userName] of accounts.entries()) {
    await plane.accounts.join(links[i]!.token, { userName, fullName: `Person ${i}`, password: PASSWORD }, 'local');
  }
  return plane;
}

const signIn = (plane: ControlPlane, name: string, address = DESK, password = PASSWORD) =>
  plane.devices.signIn({ name, password, address });

const live = (plane: ControlPlane): string[] =>
  (plane.last('live')?.sessions ?? []).map(({ address, user }) => `${address} ${user}`);

const heard = (plane: ControlPlane, ...addresses: string[]): void =>
  plane.record.write((tx) => plane.devices.seen(tx, addresses, plane.clock()));

void t.test('a sign-in is bound to the address, sent to gateways, audited, and ended by signing out', async (t) => {
  const plane = await school();
  t.same(plane.devices.at(DESK), { state: 'nobody' });
  const answer = await signIn(plane, 'a.HEAD');
  t.match(answer, { state: 'signed-in', userName: 'A.Head', fullName: 'Person 0', isStaff: true });
  t.same(plane.devices.at(DESK), answer);
  await plane.publishing.send();
  t.same(live(plane), [`${DESK} a.head`], 'under the canonical name');
  plane.devices.signOut(DESK);
  plane.devices.signOut(OTHER);
  await plane.publishing.send();
  t.same(live(plane), []);
  t.same(plane.acts().slice(-2), ['device.signed-in A.Head', 'device.signed-out A.Head']);
});

void t.test('another person ends the first one’s session; the same person’s goes on', async (t) => {
  const plane = await school();
  await signIn(plane, 'a.head');
  await signIn(plane, 'a.head');
  t.same(plane.acts().slice(-2), ['device.signed-in A.Head', 'device.signed-in A.Head']);
  await signIn(plane, 'n.manager');
  t.same(plane.acts().slice(-2), ['device.ended console', 'device.signed-in n.manager']);
  await plane.publishing.send();
  t.same(live(plane), [`${DESK} n.manager`]);
});

void t.test('nobody learns which part was wrong; guessing is held back, and what was typed is not kept', async (t) => {
  const plane = await school();
  for (const [name, password] of [
    ['a.head', 'not the password'],
    ['nobody', PASSWORD],
    ['a\0head', PASSWORD],
    ['x'.repeat(10_000), PASSWORD],
    ['', ''],
  ] as const) {
    t.same(await signIn(plane, name, OTHER, password), { state: 'wrong' }, name.slice(0, 20));
  }
  t.notMatch(
    plane.record.read((tx) => JSON.stringify(newestRows(tx, null, 9))),
    /not the password|xxxxx/,
  );
  for (let i = 0; i < 4; i++) await signIn(plane, 'a.head', `10.20.1.${i}`, 'guess');
  t.same(await signIn(plane, 'a.head'), { state: 'held', forMs: 30_000 }, 'by name, over all addresses');
  t.equal(
    await plane.accounts.verify({ name: 'a.head', password: PASSWORD, address: DESK }),
    'wrong',
    'and at the proxy',
  );
  const guesses = await Promise.all(Array.from({ length: 20 }, (_, i) => signIn(plane, `nobody${i}`, '10.20.9.9')));
  t.same(new Set(guesses.map(({ state }) => state)), new Set(['wrong']));
  t.match(await signIn(plane, 'n.manager', '10.20.9.9'), { state: 'held' }, 'by address, over all names');
  plane.clock.advance(MINUTE);
  t.match(await signIn(plane, 'a.head'), { state: 'signed-in' });
});

void t.test('who is suspended, or comes from an address that is shared, is told so and not signed in', async (t) => {
  const people = { 'a.head': { level: 'junior', groups: [], rules: { suspended, entries: { allow: [], block: [] } } } };
  const plane = await school({ people, identity: { mode: 'open', ranges: [], shared: ['10.30.0.0/16'] } });
  t.same(await signIn(plane, 'a.head'), { state: 'suspended' });
  t.same(await signIn(plane, 'a.head', DESK, 'wrong'), { state: 'wrong' }, 'which only the right password tells');
  t.same(await signIn(plane, 'n.manager', '10.30.1.2'), { state: 'shared' });
  t.same(plane.devices.at('10.30.1.2'), { state: 'shared' });
  t.notOk(plane.acts().includes('device.signed-in A.Head'));
});

void t.test('before there is a policy nobody can be signed in', async (t) => {
  const plane = controlPlane({ disk: { problems: [] } });
  t.teardown(() => plane.close());
  t.same(await signIn(plane, 'a.head'), { state: 'no-answer' });
  t.same(plane.devices.at(DESK), { state: 'no-answer' });
});

void t.test('a device that is left alone for a quarter of an hour is nobody’s', async (t) => {
  const plane = await school();
  await signIn(plane, 'a.head');
  await signIn(plane, 'n.manager', OTHER);
  for (let minute = 1; minute < 15; minute++) {
    plane.clock.advance(MINUTE);
    heard(plane, OTHER);
    t.equal(plane.devices.endOld(), 0, `minute ${minute}`);
  }
  plane.clock.advance(MINUTE);
  heard(plane, OTHER);
  t.equal(plane.devices.endOld(), 1);
  t.same(plane.devices.at(DESK), { state: 'nobody' });
  t.match(plane.devices.at(OTHER), { state: 'signed-in' });
  t.match(plane.record.read((tx) => newestRows(tx, null, 1))[0], { action: 'device.ended', payload: /idle/ });
});

void t.test('where no gateway is heard of, nobody is idle: the bus may be cut', async (t) => {
  const plane = await school();
  await signIn(plane, 'a.head');
  heard(plane, DESK);
  plane.clock.advance(4 * DEVICE_IDLE_MS);
  t.equal(plane.devices.endOld(), 0);
  heard(plane);
  t.equal(plane.devices.endOld(), 1, 'the first word after it counts');
});

void t.test('late news neither brings a session back nor counts for the next person', async (t) => {
  const plane = await school();
  const before = plane.clock();
  plane.clock.advance(MINUTE);
  await signIn(plane, 'a.head');
  plane.record.write((tx) => plane.devices.seen(tx, [DESK], before));
  plane.clock.advance(DEVICE_IDLE_MS);
  heard(plane, OTHER);
  t.equal(plane.devices.endOld(), 1);
  heard(plane, DESK);
  t.same(plane.devices.at(DESK), { state: 'nobody' });
});

void t.test('the end of the school day, a suspension and a shared address end what stands', async (t) => {
  // One account: what is saved is in force.
  const plane = await school({ identity: { mode: 'open', ranges: [], schoolDayEnds: 10 * 60 + 30 } }, ['A.Head']);
  const answer = await signIn(plane, 'a.head');
  const until = answer.state === 'signed-in' ? answer.until : 0;
  t.ok(until > plane.clock());
  plane.clock.advance(until - plane.clock());
  t.same(plane.devices.at(DESK), { state: 'nobody' }, 'at once');
  t.equal(plane.devices.endOld(), 1);

  await signIn(plane, 'a.head');
  await signIn(plane, 'a.head', OTHER);
  const put = (hash: string, change: Partial<PolicySnapshot>): void => {
    plane.disk = { snapshot: testPolicy({ hash: hash.repeat(64), ...change }) };
    plane.policy.look();
  };
  put('b', { identity: { mode: 'open', ranges: [], shared: [OTHER] } });
  t.equal(plane.devices.endOld(), 1);
  t.match(plane.devices.at(DESK), { state: 'signed-in' });
  put('c', {
    people: { 'a.head': { level: 'junior', groups: [], rules: { suspended, entries: { allow: [], block: [] } } } },
  });
  // Signed out they would be nobody in particular: in an open school with access, and never told why they had lost it.
  t.equal(plane.devices.endOld(), 0);
  t.match(plane.devices.at(DESK), { state: 'signed-in' });
  t.same(plane.acts().slice(-2), ['device.ended console', 'policy.published file']);
});

void t.test('all of a person’s sessions can be ended, such as for a new password', async (t) => {
  const plane = await school();
  await signIn(plane, 'a.head');
  await signIn(plane, 'a.head', OTHER);
  const { id } = plane.accounts.people().find(({ userName }) => userName === 'A.Head')!;
  plane.devices.endOf(id, 'password changed');
  await plane.publishing.send();
  t.same(live(plane), []);
});

void t.test('1,500 sign-ins at 8:50 are entries of `live`, in few snapshots, and no policy', async (t) => {
  const plane = await school();
  const { id: personId, userName } = plane.accounts.people().find((one) => one.userName === 'n.manager')!;
  const actor = { personId, userName, address: 'local' };
  const times = { from: plane.clock(), until: plane.clock() + 8 * 60 * MINUTE };
  // A voucher costs no hashing; what follows the check is the same for everybody.
  const { code } = plane.vouchers.make(actor, { name: 'Open day', purpose: 'Visitors', ...times });
  await plane.publishing.send();
  const before = plane.bus.sent.length;
  for (let i = 0; i < 1_500; i++) {
    const state = plane.devices.signInGuest(code, `10.20.${Math.floor(i / 250) + 1}.${(i % 250) + 1}`);
    if (state.state !== 'signed-in') t.fail(`${i} was told ${state.state}`);
    if (i % 100 === 99) await new Promise(setImmediate);
  }
  await plane.publishing.send();
  const sent = plane.bus.sent.slice(before);
  t.same(new Set(sent.map(({ kind }) => kind)), new Set(['live']));
  t.ok(sent.length <= 20, `${sent.length} snapshots`);
  t.equal(plane.last('live')?.sessions?.length, 1_500);
});
