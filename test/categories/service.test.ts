import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { createAudit, newestRows, verifyChain } from '../../src/audit/service.ts';
import { buildIndex } from '../../src/categories/build-index.ts';
import {
  isIndexCurrent,
  loadCurrentIllegal,
  loadCurrentIndex,
  readManifest,
} from '../../src/categories/current-index.ts';
import { downloadKeyed } from '../../src/categories/download-keyed.ts';
import { createSourceClient } from '../../src/categories/fetch-source.ts';
import { loadOrCreateIllegalKeys } from '../../src/categories/illegal-key-file.ts';
import { formatReport } from '../../src/categories/report-text.ts';
import { removeIllegal } from '../../src/categories/remove-illegal.ts';
import { createLists, type Lists } from '../../src/categories/service.ts';
import { createDataFolders, dataLayout, type DataLayout } from '../../src/config/data-layout.ts';
import { openRecord } from '../../src/store/database.ts';
import { type ListAnswer, startListServer } from '../helpers/list-server.ts';
import { tarOf } from '../helpers/tar.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MONDAY = Date.parse('2026-11-23T03:17:00Z');
const DAY = 86_400_000;
const MANAGER = { personId: '01J', userName: 'n.manager', address: 'local' };
const CATEGORIES = `categories:
  - { id: gambling, title: Gambling, description: Betting, uksic: Gambling, locked: false, flag: true }
  - { id: csam, title: Abuse, description: Illegal, uksic: Illegal, locked: true }
`;

const server = await startListServer();
t.teardown(() => server.close());

const names = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => `bets-${from + i}.test\n`).join('');

/** One list as the catalogue has it; `path` on the test's server. */
const row = (id: string, path: string, more = '', enabled = true): string =>
  `  # About ${id}\n  - { id: ${id}, category: gambling, format: domains, source: "${server.url(path)}", enabled: ${enabled}${more} } # kept\n`;

interface School {
  readonly lists: Lists;
  readonly layout: DataLayout;
  readonly listsDir: string;
  readonly alarms: string[];
  readonly waits: number[];
  readonly acts: () => string[];
  readonly knows: (host: string) => boolean;
  at: number;
}

/** A school whose builds run in this process. */
async function school(t: Test, rows: string): Promise<School> {
  const root = tempFolder(t);
  const listsDir = join(root, 'lists');
  mkdirSync(listsDir);
  writeFileSync(join(listsDir, 'categories.yaml'), CATEGORIES);
  writeFileSync(join(listsDir, 'catalogue.yaml'), `lists:\n${rows}`);
  const layout = dataLayout(join(root, 'data'));
  createDataFolders(layout);
  const record = openRecord(':memory:');
  const key = Buffer.alloc(32, 1);
  const clock = (): number => made.at;
  const client = createSourceClient({ parent: null, ca: server.ca, limits: { idleMs: 300, totalMs: 900 } });
  const alarms: string[] = [];
  const waits: number[] = [];
  const lists = createLists({
    listsDir,
    layout,
    record,
    audit: createAudit(key, clock),
    clock,
    client,
    fetchKeyed: (request, signal) => downloadKeyed(client, request, loadOrCreateIllegalKeys(layout.illegalKey), signal),
    retry: { random: () => 0.5, wait: async (ms) => void waits.push(ms) },
    rebuild: async () => {
      if (await isIndexCurrent(listsDir, layout)) return [];
      const built = await buildIndex({ listsDir, layout, clock });
      alarms.push(...built.alarms);
      return built.alarms;
    },
    raise: (code, text) => void alarms.push(`${code}: ${text}`),
  });
  t.teardown(async () => {
    await lists.stop();
    await client.close();
    record.close();
  });
  const made: School = {
    lists,
    layout,
    listsDir,
    alarms,
    waits,
    at: MONDAY,
    acts: () =>
      record.read((tx) => {
        if (!verifyChain(tx, key).intact) throw new Error('the audit chain is broken');
        return newestRows(tx, null, 100)
          .map(({ action, actor, subject, payload }) => {
            const { before, after } = JSON.parse(payload) as Record<'before' | 'after', { entries?: number } | null>;
            return `${action} ${subject} ${actor} ${before?.entries ?? '-'}→${after?.entries ?? '-'}`;
          })
          .toReversed();
      }),
    knows: (host) => loadCurrentIndex(layout).match(host, null).lists.length > 0,
  };
  return made;
}

await t.test('a list is switched on, fetched, changed, and each change is on record', async (t) => {
  server.publish('/new.txt', names(10));
  const s = await school(t, row('local', '/x', '', false) + row('new', '/new.txt', ', licence: MIT', false));
  chmodSync(join(s.listsDir, 'catalogue.yaml'), 0o640);
  await t.rejects(s.lists.enable(MANAGER, 'new', 'GPL-3.0'), { code: 'licence_other', message: /says "MIT"/ });
  await t.rejects(s.lists.enable(MANAGER, 'local', ''), { code: 'licence_other', message: /has none/ });
  await t.rejects(s.lists.enable(MANAGER, 'nowhere', 'MIT'), { code: 'list_unknown' });
  const report = await s.lists.enable(MANAGER, 'new', 'MIT');
  t.same(formatReport(report), ['new: 10 entries in force (new).']);
  t.ok(s.knows('www.bets-3.test'));
  const text = readFileSync(join(s.listsDir, 'catalogue.yaml'), 'utf8');
  t.equal(text, `lists:\n${row('local', '/x', '', false)}${row('new', '/new.txt', ', licence: MIT')}`);
  t.equal(statSync(join(s.listsDir, 'catalogue.yaml')).mode & 0o777, 0o640);
  await t.rejects(s.lists.enable(MANAGER, 'new', 'MIT'), { code: 'list_enabled' });

  server.publish('/new.txt', names(11));
  s.at += DAY;
  await s.lists.refresh('17 3 * * *', s.at);
  t.same(s.waits, [300_000], 'at a moment of chance within ten minutes');
  t.ok(s.knows('bets-10.test'));
  await s.lists.refresh('17 3 * * *', s.at);
  t.same(
    server.asked.filter((line) => line.startsWith('/new.txt')),
    ['/new.txt 200', '/new.txt 200'],
    'fetched once a time',
  );
  s.at += DAY;
  t.same(formatReport(await s.lists.update(MANAGER, 'due')), ['1 list has not changed.']);
  t.same(formatReport(await s.lists.update(MANAGER, 'due')), ['Nothing was due.']);
  t.same(s.acts(), [
    'list.enabled list:new n.manager -→-',
    'list.changed list:new n.manager -→10',
    'list.changed list:new console 10→11',
  ]);
  t.match(s.lists.status(), [
    { id: 'new', health: 'in-force', entries: 11, loadedAt: '2026-11-24T03:17:00.000Z', held: null },
  ]);
  t.match(s.lists.status()[0]!.fetch, {
    fetchedAt: '2026-11-25T03:17:00.000Z',
    error: null,
    next: '2026-11-26T03:17:00.000Z',
  });
  t.same(s.alarms, []);
});

await t.test('whatever comes instead of the list, the one before stays', async (t) => {
  const good = names(100);
  const status =
    (code: number): ListAnswer =>
    (_request, response) =>
      void response.writeHead(code).end();
  const cases: [what: string, body: string | Uint8Array, answer: ListAnswer | undefined, alarm: RegExp][] = [
    ['missing', '', status(404), /status 404; what was fetched 1 day ago stays in force/],
    ['a server that is down', '', status(500), /status 500/],
    ['silence', '', () => {}, /did not answer in time/],
    ['a page', '<html>Sign in</html>', undefined, /a web page came instead of a list; what came lies at .*set-aside/],
    ['gzip cut short', gzipSync(good).subarray(0, -9), undefined, /cannot be unpacked/],
    ['too much', 'x'.repeat(5_000), undefined, /bigger than 4,096 bytes/],
    ['nothing', '', undefined, /no entry that can be used/],
    ['another language', 'Please sign in\nto the wireless network\nbets-1.test\n', undefined, /most of its source/],
    ['a stump', names(79), undefined, /shrank from 100 to 79 entries/],
  ];
  for (const [what, body, answer, alarm] of cases) {
    await t.test(what, async (t) => {
      server.publish('/list', good);
      const s = await school(t, row('list', '/list', ', maxBytes: 4096'));
      await s.lists.watch();
      t.ok(s.knows('bets-99.test'), 'fetched although nobody asked: it was switched on by hand');
      server.publish('/list', body, answer);
      s.at += DAY;
      await s.lists.update(MANAGER, 'all');
      t.ok(s.knows('bets-99.test'));
      t.equal(readManifest(s.layout)!.lists[0]!.accepted, 100);
      t.equal(s.alarms.length, 1);
      t.match(s.alarms[0], alarm);
      server.publish('/list', names(101));
      s.at += DAY;
      await s.lists.update(MANAGER, 'all');
      t.match(s.lists.status(), [
        { health: 'in-force', entries: 101, fetch: { error: null, setAside: null }, held: null },
      ]);
      t.equal(s.alarms.length, 1, 'and all is well again');
    });
  }
});

await t.test('a failure is told once, and again when it lasts', async (t) => {
  server.publish('/list', names(10));
  const s = await school(t, row('list', '/list'));
  await s.lists.watch();
  server.publish('/list', '', (_request, response) => void response.writeHead(503).end());
  for (let hour = 0; hour < 4 * 24; hour += 6) {
    s.at += DAY / 4;
    await t.rejects(
      s.lists.refresh('17 3 * * *', s.at),
      { code: 'source_unusable' },
      'so that the timetable calls again',
    );
    await s.lists.watch();
  }
  t.match(s.alarms, [/^list-not-fetched: .* status 503/, /has not been fetched well for 3 days .*status 503/]);
  t.equal(s.alarms.length, 2);
  server.publish('/list', names(10));
  await s.lists.update(MANAGER, ['list']);
  t.match(s.lists.status(), [{ fetch: { error: null } }]);
});

await t.test('a stump is taken when, and only when, a person accepts just that', async (t) => {
  server.publish('/list', names(100));
  const s = await school(t, row('list', '/list'));
  await s.lists.watch();
  server.publish('/list', names(5, 200));
  await s.lists.update(MANAGER, 'all');
  const [status] = s.lists.status();
  t.match(status, { health: 'last-good', entries: 100, held: { entries: 5, before: 100 } });
  t.equal(readFileSync(status!.held!.path, 'utf8'), names(5, 200), 'a person can look at it');
  await t.rejects(s.lists.accept(MANAGER, 'list', '0'.repeat(64)), {
    code: 'list_not_held',
    message: /look at it first/,
  });
  t.notOk(s.knows('bets-200.test'));
  await s.lists.accept(MANAGER, 'list', status!.held!.sha256);
  t.ok(s.knows('bets-200.test'));
  t.notOk(s.knows('bets-1.test'));
  t.match(s.lists.status(), [{ health: 'in-force', entries: 5, held: null }]);
  await t.rejects(s.lists.accept(MANAGER, 'list', status!.held!.sha256), { code: 'list_not_held' });
  t.same(s.acts().slice(1), ['list.accepted list:list n.manager 100→5', 'list.changed list:list n.manager 100→5']);
});

await t.test('a subscriber’s key in an address is shown to nobody', async (t) => {
  const path = '/members.txt?key=hush-hush';
  const s = await school(t, row('members', path, ', licence: MIT', false));
  const told: unknown[] = [s.lists.offered()];
  told.push(await s.lists.enable(MANAGER, 'members', 'MIT').catch((error: unknown) => String(error)));
  for (const body of [names(50), names(3), 'nonsense <', '']) {
    server.publish(path, body);
    const act =
      s.lists.status().length === 0 ? s.lists.enable(MANAGER, 'members', 'MIT') : s.lists.update(MANAGER, 'all');
    told.push(await act, s.lists.status(), readManifest(s.layout)?.alarms);
  }
  t.match(s.alarms, [/shrank/, /members\.txt\?….*(?:no entry|most of)/, /no entry/]);
  t.notMatch(JSON.stringify([told, s.alarms, s.acts()]), /hush-hush/);
});

await t.test('a list that grows beyond measure is taken, and somebody is told', async (t) => {
  server.publish('/list', names(600));
  const s = await school(t, row('list', '/list'));
  await s.lists.watch();
  server.publish('/list', names(1_700));
  await s.lists.update(MANAGER, 'all');
  t.ok(s.knows('bets-1699.test'));
  t.same(s.alarms, [
    'list-grew: List "list" grew from 600 to 1700 entries at once; look whether it still is the list you meant.',
  ]);
});

await t.test('one that cannot be had is not switched on', async (t) => {
  const s = await school(t, row('gone', '/not-there', ', licence: MIT', false));
  await t.rejects(s.lists.enable(MANAGER, 'gone', 'MIT'), {
    code: 'source_unusable',
    message: /status 404.*stays switched off/,
  });
  t.match(readFileSync(join(s.listsDir, 'catalogue.yaml'), 'utf8'), /enabled: false/);
  t.same(s.acts(), []);
});

await t.test('a catalogue that cannot be written', async (t) => {
  server.publish('/new', names(3));
  const s = await school(t, row('new', '/new', ', licence: MIT', false));
  chmodSync(s.listsDir, 0o555);
  t.teardown(() => chmodSync(s.listsDir, 0o700));
  asNobody(t, s);
  await t.rejects(s.lists.enable(MANAGER, 'new', 'MIT'), {
    code: 'lists_folder',
    message: /EACCES.*"enabled: true" for the list in line 3/,
  });
  t.same(
    s.acts(),
    ['list.licence-accepted list:new n.manager -→-'],
    'who accepted the licence is on record all the same',
  );
  const catalogue = join(s.listsDir, 'catalogue.yaml');
  writeFileSync(catalogue, readFileSync(catalogue, 'utf8').replace('enabled: false', 'enabled: true'));
  await s.lists.watch();
  t.ok(s.knows('bets-2.test'), 'switched on by hand, what was fetched is built');
});

/** Root may write everywhere: for the length of a test it is somebody else, to whom all but the folder of lists belongs. */
function asNobody(t: Test, { listsDir, layout }: School): void {
  if (process.getuid!() !== 0) return;
  const nobody = 65_534;
  const folders = readdirSync(layout.root, { recursive: true }).map((name) => join(layout.root, String(name)));
  for (const path of [join(listsDir, '..'), join(listsDir, 'catalogue.yaml'), layout.root, ...folders]) {
    chownSync(path, nobody, nobody);
  }
  process.seteuid!(nobody);
  t.teardown(() => process.seteuid!(0));
}

await t.test('an archive becomes a folder; pins and other sources are kept apart', async (t) => {
  server.publish(
    '/ut1.tar.gz',
    gzipSync(tarOf({ 'gambling/domains': names(4), 'gambling/urls': 'portal.test/poker\n' })),
  );
  server.publish('/pinned', names(2));
  const ut1 = row('ut1', '/ut1.tar.gz').replace('format: domains', 'format: ut1');
  const s = await school(t, ut1 + row('pinned', '/pinned'));
  await s.lists.watch();
  t.match(s.lists.status(), [{ entries: 5 }, { entries: 2 }]);
  t.same(loadCurrentIndex(s.layout).match('portal.test', '/poker/1').lists, ['ut1']);
  const pin = `, sha256: "${'ab'.repeat(32)}"`;
  writeFileSync(join(s.listsDir, 'catalogue.yaml'), `lists:\n${ut1}${row('pinned', '/pinned', pin)}`);
  await s.lists.update(MANAGER, 'all');
  t.match(s.alarms, [/the catalogue pins abab/, /"pinned".*has not been fetched yet; its last good copy/]);
  t.ok(s.knows('bets-1.test'), 'the last good copy stands in');
});

await t.test('what somebody else built is put on record, and what a crash left is taken up', async (t) => {
  server.publish('/list', names(10));
  const s = await school(t, row('list', '/list'));
  await s.lists.update(MANAGER, 'all');
  const folder = join(s.layout.fetchedLists, 'list');
  // As a SIGKILL leaves it: a part that was being written, and content that no state names.
  writeFileSync(join(folder, 'fetching.part'), 'bets');
  writeFileSync(join(folder, `${'0'.repeat(64)}.gz`), 'x');
  server.publish('/list', names(12));
  await s.lists.update(MANAGER, 'all');
  t.equal(readManifest(s.layout)!.lists[0]!.accepted, 12);
  t.same(
    readdirSync(folder).filter((name) => /part|^0{64}/.test(name)),
    [],
  );
  // Killed after the download and before the build: the next look builds.
  server.publish('/list', names(13));
  rmSync(join(s.layout.index, 'current.json'));
  await s.lists.update(MANAGER, 'all');
  t.equal(readManifest(s.layout)!.lists[0]!.accepted, 13);
  writeFileSync(join(s.listsDir, 'catalogue.yaml'), 'lists: []\n');
  await buildIndex({ listsDir: s.listsDir, layout: s.layout, clock: () => s.at });
  await s.lists.watch();
  t.equal(s.acts().at(-1), 'list.changed list:list file 13→-');
});

await t.test('an index that is damaged on disk is built anew before anybody has to start with it', async (t) => {
  server.publish('/list', names(10));
  const s = await school(t, row('list', '/list'));
  await s.lists.watch();
  const said = 'index-damaged: The index of the lists was damaged on disk, and was built anew.';
  const path = (): string => join(s.layout.index, readManifest(s.layout)!.file);
  const damages: Record<string, () => void> = {
    'one bit': () => {
      const bytes = readFileSync(path());
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(path(), bytes);
    },
    'the end': () => truncateSync(path(), 100),
    'all of it': () => rmSync(path()),
    'what names it': () => rmSync(join(s.layout.index, 'current.json')),
    'what names it, half-way': () => truncateSync(join(s.layout.index, 'current.json'), 40),
  };
  for (const [what, damage] of Object.entries(damages)) {
    s.alarms.length = 0;
    damage();
    await s.lists.watch();
    t.ok(s.knows('bets-3.test'), what);
    t.same(s.alarms, [said], what);
  }
  t.same(s.acts(), ['list.changed list:list console -→10'], 'the lists are what they were');
});

await t.test('a disk that refuses costs the update and nothing else', async (t) => {
  server.publish('/list', names(10));
  server.publish('/other', names(3, 500));
  const s = await school(t, row('list', '/list') + row('other', '/other'));
  writeFileSync(join(s.layout.fetchedLists, 'list'), 'in the way');
  const { fetched } = await s.lists.update(MANAGER, 'all');
  t.match(fetched, [
    { id: 'list', result: 'failed', problem: /could not be written to the data folder \(E[A-Z]+\); nothing has been/ },
    { id: 'other', result: 'changed' },
  ]);
  t.ok(s.knows('bets-501.test'));
  t.match(s.alarms, [/^list-not-fetched: .*data folder/]);
});

await t.test('told to stop in the middle', async (t) => {
  server.publish('/slow', '', () => {});
  const s = await school(t, row('list', '/slow'));
  const under = s.lists.update(MANAGER, 'all');
  const stopped = s.lists.stop();
  await t.rejects(under);
  await stopped;
  await t.rejects(s.lists.update(MANAGER, 'all'), { code: 'stopping' });
  t.same(s.alarms, []);
});

await t.test('an illegal list is switched on, fetched, and enforced whatever its source gives next', async (t) => {
  const locked = (id: string, source: string, enabled: boolean): string =>
    `  - { id: ${id}, category: csam, format: illegal-urls, source: "${source}", enabled: ${enabled}, licence: Members }\n`;
  const marked = (count: number): string => names(count).replaceAll('bets-', 'marker-');
  server.publish('/members', marked(50));
  const s = await school(t, locked('members', server.url('/members'), false) + locked('here', './here.txt', false));
  const isListed = (host: string): boolean => (loadCurrentIllegal(s.layout)?.match(host, null) ?? null) !== null;
  await t.rejects(s.lists.enable(MANAGER, 'here', 'Members'), { code: 'source_unusable', message: /ENOENT.*stays/ });
  const on = await s.lists.enable(MANAGER, 'members', 'Members');
  t.same(formatReport(on), ['members: 50 entries in force (new).']);
  t.ok(isListed('www.marker-3.test'));
  await t.rejects(s.lists.enable(MANAGER, 'members', 'Members'), { code: 'list_enabled' });
  t.match(s.lists.status(), [
    { id: 'members', health: 'in-force', entries: 50, fetch: { error: null, setAside: null } },
  ]);

  s.at += DAY;
  t.same(formatReport(await s.lists.update(MANAGER, 'due')), ['1 list has not changed.']);
  server.publish('/members', marked(60));
  s.at += DAY;
  await s.lists.refresh('17 3 * * *', s.at);
  t.ok(isListed('marker-59.test'));
  server.publish('/members', marked(5));
  t.match(formatReport(await s.lists.update(MANAGER, 'all')), [
    /^Illegal list "members": more than 20 % of its entries/,
  ]);
  t.ok(isListed('marker-59.test'), 'what is gone stays enforced');
  server.publish('/members', '<html>');
  t.match(formatReport(await s.lists.update(MANAGER, 'all')), [/a web page came .*what was fetched .* stays in force/]);
  t.match(s.lists.status(), [{ health: 'last-good', fetch: { error: /web page/, setAside: null } }]);
  t.same(s.acts(), [
    'list.enabled list:members n.manager -→-',
    'list.changed list:members n.manager -→50',
    'list.changed list:members console 50→60',
  ]);
  const folder = join(s.layout.fetchedLists, 'members');
  t.match(readdirSync(folder).sort(), [/^[0-9a-f]{64}\.sgf$/, /^[0-9a-f]{64}\.sgf$/, 'state.json']);
  const kept = readdirSync(s.layout.root, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  t.same(
    kept.filter(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes('marker-')),
    [],
  );
  t.notMatch(JSON.stringify([s.alarms, s.lists.status(), s.acts()]), 'marker-');
});

await t.test('an illegal list that was switched on by hand holds up the build until it is fetched', async (t) => {
  server.publish('/members', names(10));
  const source = server.url('/members');
  const s = await school(
    t,
    `  - { id: members, category: csam, format: illegal-urls, source: "${source}", enabled: true }\n`,
  );
  await t.rejects(buildIndex({ ...s, clock: () => s.at }), {
    message: /"members": it was not fetched yet, and it never loaded/,
  });
  await s.lists.watch();
  t.match(readManifest(s.layout)!.illegal!.lists, [
    { id: 'members', enforced: 10, loadedAt: '2026-11-23T03:17:00.000Z' },
  ]);
});

await t.test('what was fetched of an illegal list goes when two people have ended it', async (t) => {
  server.publish('/members', names(10));
  const rows = `  - { id: members, category: csam, format: illegal-urls, source: "${server.url('/members')}", enabled: true }\n`;
  const s = await school(t, rows);
  const folder = join(s.layout.fetchedLists, 'members');
  const enforced = (): number => readManifest(s.layout)?.illegal?.lists.length ?? 0;
  await s.lists.watch();
  removeIllegal(s.layout, 'members', true);
  t.equal(enforced(), 0);
  await buildIndex({ ...s, clock: () => s.at });
  t.equal(enforced(), 1, 'the catalogue still names it, and what was fetched is there');
  writeFileSync(join(s.listsDir, 'catalogue.yaml'), 'lists: []\n');
  await buildIndex({ ...s, clock: () => s.at });
  t.equal(enforced(), 1, 'nobody takes it away alone');
  removeIllegal(s.layout, 'members', false);
  t.notOk(existsSync(folder));
  await buildIndex({ ...s, clock: () => s.at });
  t.equal(enforced(), 0);
  await s.lists.watch();
  t.same(s.acts(), ['list.changed list:members console -→10', 'list.changed list:members file 10→-']);
});
