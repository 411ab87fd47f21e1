import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { openPast } from '../../src/compose/past.ts';
import { dataLayout } from '../../src/config/data-layout.ts';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { importSegment } from '../../src/history/import-segment.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { isoTime } from '../../src/kernel/clock.ts';
import type { Checked } from '../../src/policy/check-url.ts';
import { createReplay } from '../../src/policy/replay.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { NO_TERMS } from '../../src/unblock/terms.ts';
import { type ControlPlane, START, controlPlane, testPolicy, twoPeople } from '../helpers/control-plane.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { rosterFiles } from '../helpers/rosters.ts';
import { createTestIndex } from '../helpers/test-index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const [SAMPLE] = generateWeek(3, START, 1);

function withGames(action: 'allow' | 'block', hash: string): PolicySnapshot {
  const policy = testPolicy({ hash: hash.repeat(64) });
  const open = (name: string): PolicySnapshot['levels'][string] => ({
    ...policy.levels[name]!,
    categories: { games: { action, rule: `levels/${name}.yaml#categories.games` } },
  });
  const levels = { years: { 3: 'ks2' }, roles: {} };
  return { ...policy, levels: { ks1: open('ks1'), ks2: open('ks2') }, identity: { ...policy.identity, levels } };
}

/** A console over a data folder, and checks of that folder; its lists say that `listed` are games. */
function school(t: Test, listed: readonly string[] = ['play.test']) {
  const layout = dataLayout(t.testdir({}));
  const plane = controlPlane({ path: layout.record, disk: { snapshot: withGames('block', 'a') } });
  t.teardown(() => plane.close());
  const index = createTestIndex(Object.fromEntries(listed.map((host) => [host, ['games']])));
  const check = async (url: string, at: number, who: { user?: string; from?: string } = {}): Promise<Checked> => {
    const past = openPast(layout);
    try {
      const replay = createReplay(
        {
          policy: plane.last('policy')!,
          serial: plane.publishing.serial('policy'),
          people: plane.last('people') ?? { people: [] },
          live: plane.last('live') ?? { grants: [] },
          index: { ...index, explain: () => [] },
          destinations: () => ({ mayReach: () => true }),
        },
        past,
      );
      return await replay({ url, ...who, at: isoTime(at) }, plane.clock());
    } finally {
      past.close();
    }
  };
  return { layout, plane, check };
}

async function publish(plane: ControlPlane, snapshot: PolicySnapshot): Promise<void> {
  plane.disk = { snapshot };
  plane.policy.look();
  await plane.publishing.send();
}

function said({ verdict }: Checked): string {
  return `${verdict.verdict} ${verdict.reason} by policy ${verdict.serial} as ${verdict.level}`;
}

await t.test('a past time is judged by the policy of then, a time to come by the one in force', async (t) => {
  const { plane, check } = school(t);
  await publish(plane, withGames('block', 'a'));
  plane.clock.advance(HOUR);
  await publish(plane, withGames('allow', 'b'));
  plane.clock.advance(HOUR);
  t.equal(said(await check('play.test', START + MINUTE)), 'block category by policy 1 as ks1');
  t.equal(said(await check('play.test', START + HOUR)), 'allow category by policy 2 as ks1');
  const later = await check('play.test', START + 9 * HOUR);
  t.equal(said(later), 'allow category by policy 2 as ks1');
  t.equal(later.replay, null);
  const before = await check('play.test', START - HOUR);
  t.equal(said(before), 'allow category by policy 2 as ks1', 'nothing was published then');
  t.match(before.replay, { categories: 'today', notes: [/^No policy of that time is kept here/] });
});

await t.test('who was who, suspended, unblocked and signed in is what it was then', async (t) => {
  const { plane, check } = school(t);
  await publish(plane, withGames('block', 'a'));
  const { head, manager } = twoPeople(plane);
  const roster = (year: number): string => `username,given_name,family_name,role,year\nzoe,Zoe,Adams,pupil,${year}\n`;
  const imported = await plane.directory.import(null, rosterFiles({ 'people.csv': roster(3) }), true);
  t.equal(imported.outcome, 'imported');
  await plane.publishing.send();
  plane.clock.advance(HOUR);
  await plane.directory.import(null, rosterFiles({ 'people.csv': roster(1) }), true);
  await plane.publishing.send();
  plane.clock.advance(HOUR);
  plane.directory.suspend(manager, { userName: 'zoe' }, { until: null, reason: null });
  plane.clock.advance(HOUR);
  plane.directory.lift(manager, { userName: 'zoe' });
  const { id } = await plane.unblocks.request(manager, {
    ...NO_TERMS,
    topic: 'Chess',
    reason: 'club',
    hosts: ['play.test'],
    levels: ['ks1'],
    from: plane.clock(),
    until: plane.clock() + HOUR,
  });
  plane.unblocks.move(head, id, 'approve', '');
  plane.clock.advance(HOUR / 2);
  plane.unblocks.move(head, id, 'revoke', 'over');
  plane.clock.advance(HOUR);
  await plane.publishing.send();
  const zoe = (hours: number): Promise<Checked> => check('play.test', START + hours * HOUR, { user: 'zoe' });
  t.equal(said(await zoe(0.5)), 'block category by policy 1 as ks2', 'in Year 3 then');
  t.equal(said(await zoe(1.5)), 'block category by policy 1 as ks1', 'in Year 1 from then on');
  t.equal(said(await zoe(2.5)), 'block person by policy 1 as ks1', 'suspended then, and not any more');
  t.equal(said(await zoe(3.25)), 'allow unblock by policy 1 as ks1', 'unblocked then, and revoked since');
  t.equal(said(await zoe(3.75)), 'block category by policy 1 as ks1');
  const before = await check('play.test', START - HOUR, { user: 'zoe' });
  t.match(before.replay!.notes, [/^No policy/, /^Who was in which class and year then is not kept here/]);
});

await t.test('who was signed in where, had agreed to what and had which lesson is what it was then', async (t) => {
  const { plane, check } = school(t);
  const agreement = { version: 'v1', band: 'ks2', title: 'Our rules', text: ['Filtered.'], by: 'person' } as const;
  const policy = withGames('allow', 'c');
  const identity = { ...policy.identity, keepCards: ['ks2'] };
  await publish(plane, { ...policy, identity, agreements: { yearBegins: '09-01', levels: { ks2: agreement } } });
  const { manager } = twoPeople(plane);
  const roster = 'username,given_name,family_name,role,year,classes\nzoe,Zoe,Adams,pupil,3,3a\n';
  await plane.directory.import(null, rosterFiles({ 'people.csv': roster }), true);
  const [card] = await plane.directory.makeCards(manager, { classOrUser: 'zoe' });
  const address = '10.0.0.7';
  plane.clock.advance(HOUR);
  const asked = await plane.devices.signIn({ name: 'zoe', password: card!.password, address });
  if (asked.state !== 'agreement') throw new Error(asked.state);
  plane.clock.advance(10 * MINUTE);
  t.match(plane.devices.accept(asked.ticket, 'v1', address), { state: 'signed-in' });
  const typed = { title: 'Maps', sites: 'maps.test', classes: ['3a'], pupils: '' };
  const times = { from: '2026-11-23T11:00', until: '2026-11-23T12:00' };
  t.match(await plane.lessons.answer(manager, { act: 'give', typed: { ...typed, ...times } }), { state: 'done' });
  plane.clock.set(START + 4 * HOUR);
  plane.devices.signOut(address);
  plane.clock.advance(HOUR);
  await plane.publishing.send();
  const then = async (hours: number): Promise<string> => {
    const { verdict, identified } = await check('play.test', START + hours * HOUR, { from: address });
    return `${verdict.verdict} ${verdict.reason} as ${verdict.user} by ${identified}`;
  };
  t.equal(await then(0.5), 'allow category as null by none');
  t.equal(await then(1.1), 'block agreement as zoe by session', 'had not agreed yet');
  t.equal(await then(1.75), 'allow category as zoe by session');
  t.equal(await then(2.5), 'block lesson as zoe by session', 'a list that is over by now');
  t.equal(await then(3.5), 'allow category as zoe by session');
  t.equal(await then(4.5), 'allow category as null by none', 'signed out');
});

await t.test('a request of then is replayed with the categories that were recorded', async (t) => {
  const { plane, layout, check } = school(t, ['new.test']);
  await publish(plane, withGames('block', 'a'));
  const at = START + 10 * MINUTE;
  const record = (more: Partial<AccessRecord>): AccessRecord => ({
    ...SAMPLE!,
    method: 'CONNECT',
    user: 'zoe',
    client: '10.0.0.7',
    level: 'ks2',
    at: isoTime(at),
    ms: 5,
    serial: 1,
    host: 'play.test',
    target: 'play.test:443',
    categories: ['games'],
    lists: ['old-list'],
    verdict: 'block',
    action: 'block',
    reason: 'category',
    category: 'games',
    locked: false,
    ...more,
  });
  const lines = [
    record({ id: 'other', user: 'bob', categories: [], lists: [], verdict: 'allow', reason: 'uncategorised' }),
    { opening: record({ id: 'opened', at: isoTime(at + 30_000) }) },
    record({ id: 'asked' }),
    record({ id: 'page', method: 'GET', target: 'http://play.test/a', categories: [], lists: [] }),
  ];
  const name = `hall-0-${createIdMaker(() => at)()}`;
  const bytes = zstdCompressSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  t.equal(await importSegment(join(layout.history), { name, bytes }), 'stored');
  plane.clock.advance(2 * HOUR);
  const replayed = await check('https://play.test/', at + 5000, { user: 'Zoe' });
  t.match(replayed.verdict, { verdict: 'block', categories: ['games'], lists: ['old-list'], user: 'zoe' });
  t.match(replayed.replay, { categories: 'recorded', recorded: { id: 'asked', serial: 1, verdict: 'block' } });
  t.match(replayed.replay!.notes.at(-1), /^It was asked for at .*: the categories are those that were recorded\.$/);
  const opened = await check('play.test', at + MINUTE, { user: 'zoe' });
  t.equal(opened.replay!.recorded!.id, 'opened', 'the nearest, also one that was still open');
  const page = await check('http://play.test/a', at, { user: 'zoe' });
  t.match(page, { verdict: { verdict: 'allow' }, replay: { recorded: { id: 'page' } } });
  t.match(page.replay!.notes.at(-1), /^It was blocked \(reason category, policy 1\) then, which this replay does not/);
  const device = await check('play.test', at, { from: '10.0.0.7' });
  t.equal(device.replay!.categories, 'recorded', 'by the device, too');
  for (const [url, when, user] of [
    ['http://play.test/b', at, 'zoe'],
    ['new.test', at, 'zoe'],
    ['play.test', at, 'cy'],
    ['play.test', at + 10 * MINUTE, 'zoe'],
  ] as const) {
    const today = await check(url, when, { user });
    t.match(today.replay, { categories: 'today', recorded: null }, `${url} of ${user}`);
    t.match(today.replay!.notes.at(-1), /^No such request of then is on record/);
  }
  const latest = await check('play.test', plane.clock() - MINUTE);
  t.match(latest.replay!.notes.at(-1), /last ten minutes/);
});

await t.test('a machine without a record says what it does not know', async (t) => {
  const past = openPast(dataLayout(t.testdir({})));
  t.equal(past.policyAt(START), null);
  t.equal(past.peopleAt(START), null);
  t.equal(past.liveAt(START, testPolicy()), null);
  t.strictSame(await past.recordedBetween(START, START + HOUR), []);
  past.close();
});
