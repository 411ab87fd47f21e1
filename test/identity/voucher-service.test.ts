import t from 'tap';
import { prepareIdentity } from '../../src/identity/identify.ts';
import type { VoucherInput } from '../../src/identity/vouchers.ts';
import { type ControlPlane, twoPeople, controlPlane, testPolicy } from '../helpers/control-plane.ts';

const DESK = '10.20.0.1';
const HOUR = 3_600_000;

function school(): { plane: ControlPlane; actor: ReturnType<typeof twoPeople>['manager']; terms: VoucherInput } {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const now = plane.clock();
  const terms = { name: 'Jo Visitor', purpose: 'Talk to Year 6', from: now, until: now + HOUR };
  return { plane, actor: twoPeople(plane).manager, terms };
}

void t.test('a guest signs in with the code, as a guest, until the voucher ends', async (t) => {
  const { plane, actor, terms } = school();
  const { voucher, code } = plane.vouchers.make(actor, terms);
  const answer = plane.devices.signInGuest(code.toLowerCase(), DESK);
  t.match(answer, { state: 'signed-in', userName: /^guest:/, fullName: 'Jo Visitor', until: terms.until });
  await plane.publishing.send();
  const [session] = plane.last('live')!.sessions!;
  t.same(session, { address: DESK, user: voucher.guest.userName, until: terms.until });
  const identify = prepareIdentity(
    testPolicy({ levels: { ...testPolicy().levels, guest: testPolicy().levels['ks2']! } }),
  );
  t.match(identify(DESK, null, session!.user), { level: 'guest', identified: 'session' });
  t.equal(prepareIdentity(testPolicy())(DESK, null, session!.user).level, 'ks1', 'a school without such a level');
  t.same(plane.acts().slice(-2), ['voucher.made n.manager', `device.signed-in ${voucher.guest.userName}`]);
  t.notMatch(JSON.stringify(plane.record.read((tx) => tx.all('SELECT * FROM vouchers'))), code.replaceAll('-', ''));
  t.equal(await plane.accounts.verify({ name: voucher.guest.userName, password: '', address: DESK }), 'wrong');
  plane.clock.advance(HOUR);
  t.equal(plane.devices.endOld(), 1);
  t.same(plane.devices.signInGuest(code, DESK), { state: 'wrong' });
});

void t.test('a voucher is not good before its time, nor once it is withdrawn', async (t) => {
  const { plane, actor, terms } = school();
  const { voucher, code } = plane.vouchers.make(actor, { ...terms, from: terms.from! + HOUR / 2 });
  t.same(plane.devices.signInGuest(code, DESK), { state: 'wrong' });
  plane.clock.advance(HOUR / 2);
  t.match(plane.devices.signInGuest(code, DESK), { state: 'signed-in' });
  const withdrawn = plane.vouchers.withdraw(actor, voucher.guest.id);
  t.same(plane.vouchers.withdraw(actor, voucher.guest.id), withdrawn, 'twice is once');
  t.same(plane.devices.at(DESK), { state: 'nobody' }, 'with the device it is used on');
  t.same(plane.devices.signInGuest(code, DESK), { state: 'wrong' });
  t.same(plane.vouchers.list(10), [withdrawn]);
  t.throws(() => plane.vouchers.withdraw(actor, '01J00000000000000000009999'), { code: 'voucher_unknown' });
});

void t.test('codes are not guessed: an address has twenty tries', async (t) => {
  const { plane, actor, terms } = school();
  const { code } = plane.vouchers.make(actor, terms);
  for (let i = 0; i < 20; i++) t.same(plane.devices.signInGuest('K7MP-2QXR-9TBD', DESK), { state: 'wrong' });
  t.match(plane.devices.signInGuest(code, DESK), { state: 'held' });
  t.match(plane.devices.signInGuest(code, '10.20.0.2'), { state: 'signed-in' });
});
