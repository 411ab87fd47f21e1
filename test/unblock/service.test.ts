import { join } from 'node:path';
import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import type { InvalidFieldsError } from '../../src/kernel/errors.ts';
import { stateAt } from '../../src/unblock/model.ts';
import type { UnblockInput } from '../../src/unblock/terms.ts';
import { START, controlPlane, manualClock, twoPeople } from '../helpers/control-plane.ts';
import { eventually } from '../helpers/listening.ts';

const HOUR = 3_600_000;
const INPUT: UnblockInput = {
  topic: ' Tudors ',
  reason: 'Year 5 history',
  hosts: ['https://WWW.History.example/tudors?page=1', 'maps.example.'],
  categories: [],
  levels: ['ks2'],
  ranges: ['10.1.20.0/24'],
  from: START,
  until: START + HOUR,
};

void t.test('asked for by one, approved by another, in force, over', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const asked = plane.unblocks.request(manager, INPUT);
  t.match(asked, { topic: 'Tudors', hosts: ['www.history.example', 'maps.example'], state: 'requested' });
  t.throws(() => plane.unblocks.move(manager, asked.id, 'approve', ''), { code: 'unblock_own' });
  t.throws(() => plane.unblocks.move(head, 'no-such-id', 'approve', ''), { code: 'unblock_unknown' });

  plane.unblocks.move(head, asked.id, 'approve', 'fine');
  await eventually('the grant is sent', () => plane.last('live') !== undefined);
  const grant = { id: asked.id, hosts: ['www.history.example', 'maps.example'], levels: ['ks2'], until: START + HOUR };
  t.match(plane.last('live'), { grants: [grant] });
  t.throws(
    () => plane.unblocks.move(head, asked.id, 'approve', ''),
    { code: 'unblock_move' },
    'a second approver is late',
  );

  t.equal(plane.unblocks.noteExpired(), 0, 'not over yet');
  plane.clock.advance(HOUR);
  const sent = plane.bus.sent.length;
  t.equal(plane.unblocks.noteExpired(), 1);
  t.equal(plane.unblocks.noteExpired(), 0, 'noted once');
  t.match(plane.unblocks.find(asked.id), { state: 'expired', ended: { by: null } });
  t.equal(plane.bus.sent.length, sent, 'an end needs no message');
  t.strictSame(plane.acts(), [
    'policy.published file',
    'unblock.requested n.manager',
    'unblock.approved h.teacher',
    'unblock.expired console',
  ]);
});

void t.test('revoked at once', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const { id } = plane.unblocks.request(manager, INPUT);
  plane.unblocks.move(head, id, 'approve', '');
  plane.unblocks.move(manager, id, 'revoke', 'the lesson is off');
  await plane.publishing.send();
  t.strictSame(plane.last('live')!.grants, []);
  t.equal(stateAt(plane.unblocks.find(id)!, plane.clock()), 'revoked');
  const row = plane.record.read((tx) => newestRows(tx, `unblock:${id}`, 1))[0]!;
  t.match(JSON.parse(row.payload), { reason: 'the lesson is off', address: '127.0.0.1' });
  const serials = plane.bus.sent.filter(({ kind }) => kind === 'live').map(({ serial }) => serial);
  t.strictSame(
    serials,
    serials.toSorted((a, b) => a - b),
    'serials only rise',
  );
});

void t.test('what cannot be asked for, every field at once', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const { manager } = twoPeople(plane);
  t.throws(() => plane.unblocks.request(manager, INPUT), { code: 'no_policy' });
  plane.policy.look();
  const refused = (change: Partial<UnblockInput>): string[] => {
    try {
      plane.unblocks.request(manager, { ...INPUT, ...change });
      return [];
    } catch (error) {
      return (error as InvalidFieldsError).fields.map(({ field }) => field);
    }
  };
  const table: [what: string, change: Partial<UnblockInput>, fields: string[]][] = [
    ['nothing', {}, []],
    ['no topic, no reason', { topic: ' ', reason: '\n' }, ['topic', 'reason']],
    ['a novel', { reason: 'x'.repeat(501) }, ['reason']],
    ['nothing to open', { hosts: [] }, ['hosts']],
    ['nobody to open it for', { levels: [], ranges: [] }, ['levels']],
    ['no host', { hosts: ['not a host!'] }, ['hosts']],
    ['everything under uk', { hosts: ['co.uk'] }, ['hosts']],
    ['everything under com', { hosts: ['com'] }, ['hosts']],
    ['every school', { hosts: ['sch.uk'] }, ['hosts']],
    ['the school’s never-list', { hosts: ['www.never.example'] }, ['hosts']],
    ['an unknown category', { categories: ['sport'] }, ['categories']],
    ['a name that every object has', { categories: ['constructor'], levels: ['__proto__'] }, ['categories', 'levels']],
    ['a locked category', { categories: ['csam'] }, ['categories']],
    ['an open category', { hosts: [], categories: ['games'] }, []],
    ['an unknown level', { levels: ['ks9'] }, ['levels']],
    ['no range', { ranges: ['10.0.0.0/99'] }, ['ranges']],
    ['no times', { from: null, until: null }, ['from', 'until']],
    ['an end before the start', { until: START - 1 }, ['until']],
    ['an end in the past', { from: START - HOUR, until: START - 1 }, ['until']],
    ['four weeks', { until: START + 28 * 24 * HOUR }, []],
    ['more than four weeks', { until: START + 28 * 24 * HOUR + 1 }, ['until']],
    ['four weeks from long ago', { from: START - HOUR, until: START + 28 * 24 * HOUR }, []],
    ['too many', { hosts: Array.from({ length: 51 }, (_, i) => `site${i}.example`) }, ['hosts']],
  ];
  for (const [what, change, fields] of table) t.strictSame(refused(change), fields, what);
  const count = table.filter(([, , fields]) => fields.length === 0).length;
  t.equal(plane.unblocks.list(100).length, count, 'nothing of a refused request is kept');
});

void t.test('a crash between commit and bus is made up at the next start', async (t) => {
  const path = join(t.testdir(), 'record.sqlite');
  const clock = manualClock();
  const first = controlPlane({ path, clock });
  first.policy.look();
  const { head, manager } = twoPeople(first);
  first.bus.down = true;
  const { id } = first.unblocks.request(manager, INPUT);
  first.unblocks.move(head, id, 'approve', '');
  await first.publishing.send();
  t.ok(first.publishing.isWaiting());
  t.equal(first.last('live'), undefined);
  await first.close();

  const second = controlPlane({ path, clock });
  t.teardown(() => second.close());
  t.ok(second.publishing.isWaiting(), 'the record knows');
  await second.publishing.send();
  t.match(second.last('live'), { grants: [{ id }] });
  t.notOk(second.publishing.isWaiting());
  t.match(second.unblocks.between(START, START + HOUR), [{ id }]);
  t.strictSame(second.unblocks.between(START + HOUR, START + 2 * HOUR), []);
});

void t.test('a bus that is down gets it when it is back, without another act', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  await plane.publishing.send();
  const { head, manager } = twoPeople(plane);
  plane.bus.down = true;
  const { id } = plane.unblocks.request(manager, INPUT);
  plane.unblocks.move(head, id, 'approve', '');
  await plane.publishing.send();
  t.equal(plane.last('live'), undefined);
  plane.bus.down = false;
  await eventually('it is sent', () => plane.last('live') !== undefined);
  t.match(plane.last('live'), { grants: [{ id }] });
});

void t.test('an act that fails leaves nothing half done', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const { id } = plane.unblocks.request(manager, INPUT);
  await plane.publishing.send();
  const before = { serial: plane.publishing.serial('live'), acts: plane.acts().length };
  plane.record.write((tx) => tx.run(`UPDATE audit_head SET mac = 'ff'`));
  t.throws(() => plane.unblocks.move(head, id, 'approve', ''), { code: 'audit_broken' });
  t.equal(plane.unblocks.find(id)!.state, 'requested');
  t.equal(plane.publishing.serial('live'), before.serial);
  t.notOk(plane.publishing.isWaiting());
});

void t.test('the record itself refuses an approval by whoever asked', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { manager } = twoPeople(plane);
  const { id } = plane.unblocks.request(manager, INPUT);
  const forge = (): unknown =>
    plane.record.write((tx) =>
      tx.run(`UPDATE unblocks SET state = 'approved', decided_by = requested_by WHERE id = ?`, id),
    );
  t.throws(forge, /CHECK constraint/);
});
