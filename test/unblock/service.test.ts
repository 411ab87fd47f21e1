import { join } from 'node:path';
import t from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import type { InvalidFieldsError } from '../../src/kernel/errors.ts';
import { stateAt } from '../../src/unblock/model.ts';
import { countOutcome, outcomeText } from '../../src/unblock/outcome.ts';
import type { UnblockInput } from '../../src/unblock/terms.ts';
import type { Role } from '../../src/identity/roles.ts';
import { START, controlPlane, manualClock, staffMember, testPolicy, twoPeople } from '../helpers/control-plane.ts';
import { eventually } from '../helpers/listening.ts';

const HOUR = 3_600_000;
const INPUT: UnblockInput = {
  topic: ' Tudors ',
  subject: 'History',
  reason: 'Year 5 history',
  hosts: ['https://WWW.History.example/tudors?page=1', 'maps.example.'],
  categories: [],
  classes: [],
  pupils: [],
  levels: ['ks2'],
  ranges: ['10.1.20.0/24'],
  during: [],
  passesPersonBlock: false,
  from: START,
  until: START + HOUR,
};

void t.test('asked for by one, approved by another, in force, over', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const asked = await plane.unblocks.request(manager, INPUT);
  t.match(asked, { topic: 'Tudors', hosts: ['www.history.example', 'maps.example'], state: 'requested' });
  t.throws(() => plane.unblocks.move(manager, asked.id, 'approve', ''), { code: 'unblock_own' });
  t.throws(() => plane.unblocks.move(head, 'no-such-id', 'approve', ''), { code: 'unblock_unknown' });

  plane.unblocks.move(head, asked.id, 'approve', 'fine');
  await eventually('the grant is sent', () => plane.last('live') !== undefined);
  const grant = { id: asked.id, hosts: ['www.history.example', 'maps.example'], levels: ['ks2'], until: START + HOUR };
  t.match(plane.last('live'), { grants: [grant] });
  t.throws(
    () => plane.unblocks.move(staffMember(plane, 'o.lead', 'online-safety-lead'), asked.id, 'approve', ''),
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
  const { id } = await plane.unblocks.request(manager, INPUT);
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
  await t.rejects(plane.unblocks.request(manager, INPUT), { code: 'no_policy' });
  plane.policy.look();
  const refused = async (change: Partial<UnblockInput>): Promise<string[]> => {
    try {
      await plane.unblocks.request(manager, { ...INPUT, ...change });
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
    ['nobody to open it for', { levels: [], ranges: [] }, ['classes']],
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
  for (const [what, change, fields] of table) t.strictSame(await refused(change), fields, what);
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
  const { id } = await first.unblocks.request(manager, INPUT);
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
  const { id } = await plane.unblocks.request(manager, INPUT);
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
  const { id } = await plane.unblocks.request(manager, INPUT);
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
  const { id } = await plane.unblocks.request(manager, INPUT);
  const forge = (): unknown =>
    plane.record.write((tx) =>
      tx.run(`UPDATE unblocks SET state = 'approved', decided_by = requested_by WHERE id = ?`, id),
    );
  t.throws(forge, /CHECK constraint/);
});

const ROSTER = testPolicy({
  people: {
    'amy.ash': { level: 'ks2', groups: ['5A'], rules: null },
    'bob.bell': { level: 'ks2', groups: ['5A', 'Chess'], rules: null },
  },
  groups: { Chess: { entries: { allow: [], block: [] }, categories: {} } },
  calendar: {
    terms: [{ name: 'Autumn', from: '2026-09-01', to: '2026-12-18' }],
    holidays: [],
    slots: [
      { word: 'lessons', days: [0, 1, 2, 3, 4], from: 540, to: 600, on: 'term-time' },
      { word: 'break', days: [0, 1, 2, 3, 4], from: 600, to: 620, on: 'term-time' },
    ],
  },
  categories: {
    games: { title: 'Games', locked: false, flag: true },
    adult: { title: 'Adult', locked: false, flag: true, highRisk: true },
  },
});

void t.test('for classes and pupils, in lessons only', async (t) => {
  const plane = controlPlane({ disk: { snapshot: ROSTER } });
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const whom = { levels: [], ranges: [], classes: ['5A'], pupils: [' Bob.Bell '], during: ['lessons'] };
  const { id } = await plane.unblocks.request(manager, { ...INPUT, ...whom });
  plane.unblocks.move(head, id, 'approve', '');
  await plane.publishing.send();
  const [grant] = plane.last('live')!.grants;
  t.match(grant, { groups: ['5A'], people: ['bob.bell'], during: ['lessons'], passesPersonBlock: false });
  const refused = async (change: Partial<UnblockInput>): Promise<unknown> =>
    plane.unblocks.request(manager, { ...INPUT, ...change }).catch(({ fields }: InvalidFieldsError) => fields);
  const wrong = { classes: ['9Z'], pupils: ['nobody'], during: ['playtime'], passesPersonBlock: true };
  t.match(await refused(wrong), [{ field: 'pupils' }, { field: 'classes' }, { field: 'during' }]);
  t.match(await refused({ passesPersonBlock: true }), [{ field: 'pupils', reason: /whose own block/ }]);
});

void t.test('what is of high risk, or passes a pupil’s own block, needs the safeguarding lead as well', async (t) => {
  const plane = controlPlane({ disk: { snapshot: ROSTER }, listed: { 'sculpture.example': ['adult'] } });
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const lead = staffMember(plane, 'd.lead', 'safeguarding-lead');
  const ask = (change: Partial<UnblockInput>): Promise<string> =>
    plane.unblocks.request(manager, { ...INPUT, ...change }).then(({ id }) => id);
  const table: [what: string, change: Partial<UnblockInput>, isRisky: boolean][] = [
    ['a site on no list', {}, false],
    ['a site listed as adult', { hosts: ['maps.example', 'sculpture.example'] }, true],
    ['the category', { categories: ['adult'] }, true],
    ['a category without risk', { categories: ['games'] }, false],
    ['a pupil’s own block', { pupils: ['amy.ash'], passesPersonBlock: true }, true],
  ];
  for (const [what, change, isRisky] of table) {
    const [one, other] = [await ask(change), await ask(change)];
    t.equal(plane.unblocks.move(head, one, 'approve', '').state, isRisky ? 'requested' : 'approved', what);
    if (isRisky) {
      t.throws(() => plane.unblocks.move(manager, one, 'agree', ''), { code: 'unblock_own' }, 'not by whoever asked');
      t.throws(() => plane.unblocks.move(head, one, 'agree', ''), { code: 'unblock_own' }, 'not by whoever approved');
      t.equal(plane.unblocks.move(lead, one, 'agree', '').state, 'approved');
      t.equal(plane.unblocks.move(lead, other, 'agree', '').state, 'requested', 'in either order');
      t.throws(() => plane.unblocks.move(lead, other, 'approve', ''), { code: 'unblock_own' }, 'not both by one');
      t.equal(plane.unblocks.move(head, other, 'approve', '').state, 'approved');
      const forge = (): unknown =>
        plane.record.write((tx) => tx.run('UPDATE unblocks SET agreed_by = NULL WHERE id = ?', other));
      t.throws(forge, /CHECK constraint/, 'nor past the record');
    } else {
      t.throws(() => plane.unblocks.move(lead, other, 'agree', ''), { code: 'unblock_move' }, what);
    }
  }
  await plane.publishing.send();
  t.strictSame(
    plane.last('live')!.grants.map(({ passesPersonBlock }) => passesPersonBlock),
    [false, false, false, false, false, false, true, true],
    'only what says so passes a pupil’s own block',
  );
});

void t.test('who asks may ask for so long', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const days = async (role: Role, length: number): Promise<boolean> => {
    const actor = staffMember(plane, `${role}-${length}`, role);
    const until = START + length * 24 * HOUR;
    return plane.unblocks.request(actor, { ...INPUT, until }).then(
      () => true,
      (error: InvalidFieldsError) => error.fields[0]!.field !== 'until',
    );
  };
  const table: [role: Role, longest: number][] = [
    ['teacher', 14],
    ['technician', 7],
    ['headteacher', 28],
  ];
  for (const [role, longest] of table) {
    t.ok(await days(role, longest), `${role}: ${longest} days`);
    t.notOk(await days(role, longest + 1), `${role}: not longer`);
  }
});

void t.test('sent twice is asked once, and decided once', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const key = plane.unblocks.newFormKey();
  const [first, second] = await Promise.all([
    plane.unblocks.request(manager, INPUT, key),
    plane.unblocks.request(manager, INPUT, key),
  ]);
  t.equal(first.id, second.id);
  const others = await plane.unblocks.request(head, INPUT, key);
  t.not(others.id, first.id, 'a key is good for one person’s form');
  plane.unblocks.move(head, first.id, 'approve', '');
  const serial = plane.publishing.serial('live');
  plane.unblocks.move(head, first.id, 'approve', '');
  t.equal(plane.publishing.serial('live'), serial, 'nothing is sent again');
  t.equal(plane.acts().filter((act) => act === 'unblock.approved h.teacher').length, 1);
});

void t.test('two decide at once, and an end that comes meanwhile', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const other = staffMember(plane, 'o.lead', 'online-safety-lead');
  const { id } = await plane.unblocks.request(manager, INPUT);
  const outcomes = await Promise.allSettled(
    (
      [
        [head, 'approve'],
        [other, 'refuse'],
      ] as const
    ).map(async ([who, move]) => plane.unblocks.move(who, id, move, '')),
  );
  t.strictSame(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  t.match(plane.unblocks.find(id), { state: 'approved', decided: { by: head.personId } });
  const late = await plane.unblocks.request(manager, INPUT);
  plane.clock.set(INPUT.until! - 1);
  const early = await plane.unblocks.request(manager, { ...INPUT, until: INPUT.until! + HOUR });
  plane.clock.advance(1);
  t.throws(() => plane.unblocks.move(head, late.id, 'approve', ''), { code: 'unblock_move', message: /expired/ });
  t.match(plane.unblocks.find(late.id), { state: 'requested', decided: null });
  t.equal(plane.unblocks.move(head, early.id, 'approve', '').state, 'approved');
});

void t.test('what came of it: counted once when it is over, and a sentence of whoever asked', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  plane.policy.look();
  const { head, manager } = twoPeople(plane);
  const { id } = await plane.unblocks.request(manager, INPUT);
  plane.unblocks.move(head, id, 'approve', '');
  t.throws(() => plane.unblocks.remark(manager, id, 'Well.'), { code: 'unblock_move' }, 'not before its end');
  plane.clock.set(START + HOUR);
  plane.unblocks.noteExpired();
  t.equal(await plane.unblocks.noteOutcomes(), 0, 'the history is still coming in');
  plane.clock.advance(15 * 60_000);
  t.equal(await plane.unblocks.noteOutcomes(), 1);
  t.equal(await plane.unblocks.noteOutcomes(), 0, 'counted once');
  t.throws(() => plane.unblocks.remark(head, id, 'Well.'), { code: 'unblock_own' });
  t.throws(() => plane.unblocks.remark(manager, id, ' '), { code: 'invalid_fields' });
  plane.unblocks.remark(manager, id, ' They drew maps. ');
  plane.unblocks.remark(manager, id, 'They drew maps.');
  t.match(plane.unblocks.get(id), { outcome: { people: 0, visits: 0, flags: 0 }, remark: 'They drew maps.' });
  t.equal(plane.acts().filter((act) => act.startsWith('unblock.remarked')).length, 1, 'said twice is said once');
});

void t.test('an outcome counts people, navigations, and what else of theirs was flagged', async (t) => {
  const rule = 'unblock:u1';
  const one = (user: string | null, second: number, change: object = {}) => ({
    at: new Date(START + second * 1000).toISOString(),
    client: '10.1.1.1',
    user,
    host: 'a.example',
    rule,
    verdict: 'allow' as const,
    flagged: false,
    ...change,
  });
  const flagged = { rule: 'levels/ks2.yaml#categories.games', verdict: 'block' as const, flagged: true };
  const records = [
    one('amy', 12),
    one('amy', 0),
    one('amy', 9),
    one('amy', 3, { host: 'b.example' }),
    one('bob', 1),
    one(null, 1),
    one('amy', 20, flagged),
    one('amy', 25, flagged),
    one('cy', 20, flagged),
    one('amy', 30, { rule: 'unblock:other' }),
  ];
  t.strictSame(await countOutcome(records, 'u1'), { people: 3, visits: 5, flags: 1 });
  t.equal(outcomeText({ people: 1, visits: 2, flags: 0 }), '1 person, 2 visits, 0 flagged');
});
