import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { buildIndex, type BuildSummary } from '../../src/categories/build-index.ts';
import { isIndexCurrent, loadCurrentIndex, readManifest } from '../../src/categories/current-index.ts';
import { acceptContent, lastGoodPath } from '../../src/categories/last-good.ts';
import { takeList } from '../../src/categories/take-list.ts';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import { createDataFolders, dataLayout, type DataLayout } from '../../src/config/data-layout.ts';
import { formatProblem, InvalidInputError } from '../../src/kernel/errors.ts';

const MONDAY = Date.parse('2026-11-23T08:00:00Z');
const DAY = 86_400_000;

const CATEGORIES = `categories:
  - { id: gambling, title: Gambling, description: Betting, uksic: Gambling, locked: false, flag: true }
  - { id: games, title: Games, description: Games, uksic: Other, locked: false, flag: false }
  - { id: csam, title: Abuse, description: Illegal, uksic: Illegal, locked: true, flag: true }
`;

interface School {
  readonly listsDir: string;
  readonly layout: DataLayout;
  build(now?: number): Promise<BuildSummary>;
  lists(found: string): readonly string[];
  write(name: string, content: string | Uint8Array): void;
}

/** A folder of lists and an empty data folder. `rows` are lines of catalogue.yaml. */
function school(t: Test, rows: string): School {
  const root = t.testdir({ lists: { 'categories.yaml': CATEGORIES, 'catalogue.yaml': `lists:\n${rows}` } });
  const listsDir = join(root, 'lists');
  const layout = dataLayout(join(root, 'data'));
  createDataFolders(layout);
  return {
    listsDir,
    layout,
    build: (now = MONDAY) => buildIndex({ listsDir, layout, clock: () => now }),
    lists: (host) => loadCurrentIndex(layout).match(host, null).lists,
    write: (name, content) => writeFileSync(join(listsDir, name), content),
  };
}

const row = (id: string, source: string, category = 'gambling', format = 'domains'): string =>
  `  - { id: ${id}, category: ${category}, format: ${format}, source: ${source}, enabled: true }\n`;

const names = (count: number): string => Array.from({ length: count }, (_, i) => `bets-${i}.test\n`).join('');

await t.test('every format and packing together', async (t) => {
  const s = school(
    t,
    row('plain', './plain.txt') +
      row('packed', './packed.gz', 'games', 'hosts') +
      row('zst', './pages.zst', 'games', 'urls') +
      row('folder', './ut1/gambling', 'gambling', 'ut1'),
  );
  s.write('plain.txt', '\ufeffbets.test\r\nBETS.test\r\n\r\n# comment\r\ncom\r\nlast.test');
  s.write('packed.gz', gzipSync('127.0.0.1 localhost\n0.0.0.0 arcade.test\n'));
  s.write('pages.zst', zstdCompressSync(Buffer.from('portal.test/games\n')));
  mkdirSync(join(s.listsDir, 'ut1/gambling'), { recursive: true });
  s.write('ut1/gambling/domains.gz', gzipSync('bets.test\npoker.test\n'));
  s.write('ut1/gambling/urls', 'portal.test/poker\n');
  s.write('ut1/gambling/expressions', '(casino|poker)\n^bet\n');
  s.write('ut1/gambling/usage', 'black\n');
  const summary = await s.build();
  t.match(summary, {
    lists: [
      { id: 'plain', entries: 4, accepted: 2, duplicates: 1, rejected: 1, fromLastGood: false, problems: [] },
      { id: 'packed', entries: 1, accepted: 1, duplicates: 0, rejected: 0 },
      { id: 'zst', entries: 1, accepted: 1 },
      { id: 'folder', entries: 5, accepted: 5, loadedAt: '2026-11-23T08:00:00.000Z' },
    ],
    index: { domains: 4, urls: 2, ranges: 0, expressions: 2 },
    alarms: [],
    hasIllegalList: false,
  });
  t.match(summary.lists[0]!.rejectedSamples, [
    { file: join(s.listsDir, 'plain.txt'), line: 5, reason: /public suffix/ },
  ]);
  t.same(s.lists('m.bets.test'), ['folder', 'plain']);
  t.same(s.lists('last.test'), ['plain'], 'a last line without its end');
  const index = loadCurrentIndex(s.layout);
  t.same(index.match('portal.test', '/games/x').categories, ['games']);
  t.equal(index.sha256, summary.index.sha256);
  t.same(
    index.lists.map((list) => list.id),
    ['plain', 'packed', 'zst', 'folder'],
  );
});

await t.test('the same inputs give the same bytes, at any time and in any folder', async (t) => {
  const built: string[] = [];
  for (const day of [0, 1]) {
    await t.test(`day ${day}`, async (t) => {
      const s = school(
        t,
        row('plain', './plain.txt') +
          row('more', './more.txt', 'games') +
          row('rules', './rules.txt', 'gambling', 'adblock') +
          row('ranges', './ranges.txt', 'games', 'cidr') +
          row('folder', './ut1', 'gambling', 'ut1'),
      );
      s.write('plain.txt', names(500));
      s.write('rules.txt', '||rules.test^\n@@||good.rules.test^\n');
      s.write('ranges.txt', '9.9.9.0/24\n9.8.0.0/16\n2001:db8::/32\n');
      mkdirSync(join(s.listsDir, 'ut1'));
      s.write('ut1/expressions', 'casino\npoker\n');
      s.write('more.txt', names(200));
      for (const hour of [0, 1]) built.push((await s.build(MONDAY + day * DAY + hour * 3_600_000)).index.sha256);
      s.write('more.txt', names(201));
      t.not((await s.build()).index.sha256, built[0], 'other inputs give others');
    });
  }
  t.equal(new Set(built).size, 1, built.join(' '));
});

await t.test('what is read of each format, and what is refused with its place', async (t) => {
  const table: [format: string, text: string, counts: number[], refused: RegExp][] = [
    ['wildcard', '*.bets.test\nbets.test\n*\n', [3, 1, 1, 1], /names\.txt:3: would match every site/],
    [
      'adblock',
      '[Adblock Plus 2.0]\n! x\n||bets.test^\n@@||a.bets.test^\n@@||a.bets.test^\n||com^\n',
      [4, 2, 1, 1],
      /:6: is a public/,
    ],
    [
      'dnsmasq',
      'address=/bets.test/#\nserver=/bets.test/poker.test/\naddress=/#/\n',
      [4, 2, 1, 1],
      /:3: would match every/,
    ],
    ['cidr', '9.9.9.0/24\n9.9.9.7/24\n9.9.9.9\n0.0.0.0/0\n', [4, 2, 1, 1], /:4: is wider than/],
    ['urls', 'bets.test/x\nbets.test/x/\nco.uk/x\n', [3, 1, 1, 1], /:3: is a public suffix/],
  ];
  const dir = 'names.txt';
  for (const [format, text, [entries, accepted, duplicates, rejected], refused] of table) {
    await t.test(format, async (t) => {
      const s = school(t, row('one', `./${dir}`, 'gambling', format));
      s.write(dir, `\ufeff${text.replaceAll('\n', '\r\n')}`);
      const summary = await s.build();
      t.match(summary, { alarms: [], lists: [{ entries, accepted, duplicates, rejected }] });
      t.match(summary.lists[0]!.rejectedSamples.map(formatProblem), [refused]);
      s.write(dir, '');
      t.match(await s.build(), { lists: [{ fromLastGood: true, accepted }] });
      t.equal(
        s.lists(format === 'cidr' ? '9.9.9.1' : 'bets.test').length,
        format === 'urls' ? 0 : 1,
        'from the copy, too',
      );
    });
  }
});

await t.test('expressions count as entries, and those of lists that cost too much together are left out', async (t) => {
  const rows = [1, 2, 3].map((i) => row(`folder-${i}`, `./ut1-${i}`, 'gambling', 'ut1')).join('');
  const s = school(t, rows);
  for (const i of [1, 2, 3]) {
    mkdirSync(join(s.listsDir, `ut1-${i}`));
    s.write(`ut1-${i}/domains`, `own-${i}.test\n`);
    s.write(`ut1-${i}/expressions`, `word${i}\nword${i}\n(\n${String.fromCharCode(96 + i)}{900}(b{900})\n`);
  }
  const summary = await s.build();
  t.match(
    summary.lists,
    [1, 2, 3].map(() => ({ entries: 5, accepted: 3, duplicates: 1, rejected: 1 })),
  );
  t.match(summary.alarms, [/^List "folder-3": its expressions are not searched for/]);
  t.equal(summary.index.expressions, 4);
  t.same(s.lists('word1.test'), ['folder-1']);
  t.same(s.lists('word3.test'), []);
  t.same(s.lists('own-3.test'), ['folder-3'], 'its names are');
});

await t.test('a rebuild is asked for when, and only when, something changed', async (t) => {
  const s = school(t, row('plain', './plain.txt'));
  s.write('plain.txt', names(10));
  const isCurrent = (): Promise<boolean> => isIndexCurrent(s.listsDir, s.layout);
  t.notOk(await isCurrent(), 'nothing was built');
  await s.build();
  t.ok(await isCurrent());
  s.write('plain.txt', names(11));
  t.notOk(await isCurrent(), 'a list changed');
  await s.build();
  s.write('catalogue.yaml', `lists:\n${row('plain', './plain.txt', 'games')}`);
  t.notOk(await isCurrent(), 'the catalogue changed');
  const { index } = await s.build();
  t.ok(await isCurrent());
  const bytes = readFileSync(index.path);
  bytes[100]! ^= 1;
  writeFileSync(index.path, bytes);
  t.notOk(await isCurrent(), 'the index is damaged');
  t.throws(() => loadCurrentIndex(s.layout), { code: 'index_unusable' });
  writeFileSync(join(s.layout.index, 'current.json'), '{');
  t.notOk(await isCurrent(), 'its manifest is damaged');
  t.throws(() => loadCurrentIndex(s.layout), { code: 'index_unusable' });
  await s.build();
  t.ok(await isCurrent(), 'a build mends both');
});

await t.test('nothing built yet', async (t) => {
  const s = school(t, '');
  t.throws(() => loadCurrentIndex(s.layout), { code: 'no_index', message: /lists build/ });
});

await t.test('the index before stays for those that still read it, older ones go', async (t) => {
  const s = school(t, row('plain', './plain.txt'));
  const built: string[] = [];
  for (let i = 10; i < 14; i++) {
    s.write('plain.txt', names(i));
    built.push(`index-${(await s.build()).index.sha256}.sgi`);
  }
  const left = readdirSync(s.layout.index).filter((name) => name.endsWith('.sgi'));
  t.same(left.sort(), built.slice(-2).sort());
});

await t.test('last good copies', async (t) => {
  const cases: [what: string, spoil: (s: School) => void, reason: RegExp][] = [
    ['missing', (s) => rmSync(join(s.listsDir, 'plain.gz')), /does not exist/],
    ['empty', (s) => s.write('plain.gz', gzipSync('')), /no entry that can be used as "domains"/],
    ['only comments', (s) => s.write('plain.gz', gzipSync('# moved\n')), /no entry that can be used/],
    ['another format', (s) => s.write('plain.gz', gzipSync('0.0.0.0 a.test\n')), /no entry that can be used/],
    ['no archive', (s) => s.write('plain.gz', '<html>404</html>'), /cannot be read/],
    ['cut off', (s) => s.write('plain.gz', gzipSync(names(100)).subarray(0, -9)), /cannot be read/],
    ['shrunk', (s) => s.write('plain.gz', gzipSync(names(79))), /shrank from 100 to 79 entries/],
  ];
  for (const [what, spoil, reason] of cases) {
    await t.test(what, async (t) => {
      const s = school(t, row('plain', './plain.gz') + row('other', './other.txt', 'games'));
      s.write('plain.gz', gzipSync(names(100)));
      s.write('other.txt', 'arcade.test\n');
      await s.build();
      spoil(s);
      s.write('other.txt', 'arcade.test\nnew.test\n');
      const summary = await s.build(MONDAY + 3 * DAY);
      t.match(summary.lists, [
        { fromLastGood: true, accepted: 100, loadedAt: '2026-11-23T08:00:00.000Z', problems: [{ line: 2, reason }] },
        { fromLastGood: false, accepted: 2, problems: [] },
      ]);
      t.match(summary.alarms, [/List "plain".*last good copy, 3 days old with 100 entries, stands in/]);
      t.same(readManifest(s.layout)!.alarms, summary.alarms);
      t.same(s.lists('m.bets-99.test'), ['plain'], 'its names are still filtered');
      t.same(s.lists('new.test'), ['other'], 'the others are updated');
      await s.build(MONDAY + 9 * DAY);
      t.match(readManifest(s.layout)!.alarms, [/9 days old/], 'a stand-in never becomes younger');
    });
  }
});

await t.test('a file that cannot even be opened', async (t) => {
  const s = school(t, row('folder', './ut1', 'gambling', 'ut1'));
  mkdirSync(join(s.listsDir, 'ut1'));
  s.write('ut1/domains', names(3));
  await s.build();
  rmSync(join(s.listsDir, 'ut1/domains'));
  mkdirSync(join(s.listsDir, 'ut1/domains'));
  t.match(await s.build(), { lists: [{ fromLastGood: true, accepted: 3, problems: [{ reason: /cannot be read/ }] }] });
  t.ok(await isIndexCurrent(s.listsDir, s.layout), 'building again would change nothing');
});

await t.test('what is not taken for a broken update', async (t) => {
  await t.test('20 % less', async (t) => {
    const s = school(t, row('plain', './plain.txt'));
    s.write('plain.txt', names(100));
    await s.build();
    s.write('plain.txt', names(80));
    t.match(await s.build(), { lists: [{ accepted: 80, fromLastGood: false }], alarms: [] });
  });
  await t.test('another source', async (t) => {
    const s = school(t, row('plain', './plain.txt'));
    s.write('plain.txt', names(100));
    await s.build();
    s.write('small.txt', names(3));
    s.write('catalogue.yaml', `lists:\n${row('plain', './small.txt')}`);
    t.match(await s.build(), { lists: [{ accepted: 3, fromLastGood: false }], alarms: [] });
  });
  await t.test('a shorter list that a person accepted, and no other', async (t) => {
    const s = school(t, row('plain', './plain.txt'));
    s.write('plain.txt', names(100));
    await s.build();
    s.write('plain.txt', names(3));
    t.match((await s.build()).alarms, [/npx schoolgate lists accept plain/]);
    const [held] = readManifest(s.layout)!.held;
    t.match(held, { id: 'plain', entries: 3, before: 100, path: join(s.listsDir, 'plain.txt') });
    acceptContent(s.layout.lastGoodLists, 'plain', held!.sha256);
    s.write('plain.txt', names(2));
    t.match(await s.build(), { lists: [{ accepted: 100, fromLastGood: true }] }, 'another content was not accepted');
    s.write('plain.txt', `# the same entries\n${names(3)}`);
    t.match(await s.build(), { lists: [{ accepted: 3, fromLastGood: false }], alarms: [] });
    t.strictSame(readManifest(s.layout)!.held, []);
  });
});

await t.test('no last good copy to be had', async (t) => {
  await t.test('the other lists are built and the lack is said', async (t) => {
    const s = school(t, row('plain', './plain.txt') + row('other', './other.txt', 'games'));
    s.write('other.txt', 'arcade.test\n');
    const summary = await s.build();
    t.match(summary.alarms, [/List "plain".*does not exist.*no last good copy, so nothing is filtered by it/]);
    t.match(summary.lists, [
      { id: 'plain', entries: 0, problems: [{ line: 2 }] },
      { id: 'other', entries: 1 },
    ]);
    t.same(s.lists('arcade.test'), ['other']);
  });
  await t.test('a damaged copy is none', async (t) => {
    const s = school(t, row('plain', './plain.txt'));
    s.write('plain.txt', names(5));
    await s.build();
    const copy = lastGoodPath(s.layout.lastGoodLists, 'plain');
    const bytes = readFileSync(copy);
    for (const at of [0, 64, 70, bytes.length - 1]) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1;
      writeFileSync(copy, flipped);
      s.write('plain.txt', '');
      t.match((await s.build()).alarms, [/its last good copy is damaged/], `byte ${at}`);
    }
  });
  await t.test('a locked list that never loaded: no index, the old one stays', async (t) => {
    const s = school(t, row('plain', './plain.txt'));
    s.write('plain.txt', names(5));
    const before = await s.build();
    const illegal = row('illegal', './illegal.txt', 'csam', 'illegal-urls');
    s.write('catalogue.yaml', `lists:\n${row('plain', './plain.txt')}${illegal}`);
    const refusal: unknown = await s.build().catch((error: unknown) => error);
    t.type(refusal, InvalidInputError);
    t.match(refusal, { problems: [{ line: 3, reason: /"illegal".*cannot be read \(ENOENT\), and it never loaded/ }] });
    t.equal(loadCurrentIndex(s.layout).sha256, before.index.sha256);
    s.write('illegal.txt', 'listed.test\n');
    t.ok((await s.build()).hasIllegalList);
    rmSync(join(s.listsDir, 'illegal.txt'));
    t.match(await s.build(), { hasIllegalList: true, alarms: [/"illegal".*stays enforced/] });
  });
});

await t.test('a file that changes while it is read stops the build', async (t) => {
  const s = school(t, row('plain', './plain.txt'));
  s.write('plain.txt', names(5));
  const [list] = loadCatalogue(s.listsDir).lists;
  const options = { catalogueFile: 'catalogue.yaml', folder: s.layout.lastGoodLists, now: MONDAY, maxRejected: 20 };
  const expected = new Map([[list!.path!, 'the hash of what it was']]);
  await t.rejects(takeList(list!, { ...options, expected, onEntries: () => {} }), { code: 'lists_changed' });
  t.notOk(existsSync(lastGoodPath(s.layout.lastGoodLists, 'plain')), 'it does not become the last good copy');
});

await t.test('rejected lines are kept up to a bound, progress is told, rubbish is survived', async (t) => {
  const s = school(t, row('plain', './plain.txt'));
  s.write('plain.txt', `${'com\n'.repeat(30)}${names(25_000)}${'x'.repeat(3_000_000)}\n\u0000\u0001\n`);
  const seen: [string, number][] = [];
  const summary = await buildIndex({
    listsDir: s.listsDir,
    layout: s.layout,
    clock: () => MONDAY,
    onProgress: (id, entries) => seen.push([id, entries]),
  });
  t.match(summary.lists, [{ entries: 25_032, accepted: 25_000, rejected: 32 }]);
  t.equal(summary.lists[0]!.rejectedSamples.length, 20);
  t.same(seen, [['plain', 20_000]]);
  const all = await buildIndex({ listsDir: s.listsDir, layout: s.layout, clock: () => MONDAY, maxRejected: 1000 });
  t.match(all.lists[0]!.rejectedSamples.slice(-2), [
    { line: 25_031, reason: /too long/ },
    { line: 25_032, reason: /neither a host name/ },
  ]);
});
