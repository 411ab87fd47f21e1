import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { buildIndex, type BuildSummary } from '../../src/categories/build-index.ts';
import {
  isIndexCurrent,
  loadCurrentIllegal,
  loadCurrentIndex,
  readManifest,
} from '../../src/categories/current-index.ts';
import { readIllegalKeys } from '../../src/categories/illegal-key-file.ts';
import { canaryName } from '../../src/categories/illegal-keys.ts';
import { createDataFolders, dataLayout, type DataLayout } from '../../src/config/data-layout.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import type { InvalidInputError } from '../../src/kernel/errors.ts';

const MONDAY = Date.parse('2026-11-23T08:00:00Z');
const DAY = 86_400_000;

const CATEGORIES = `categories:
  - { id: gambling, title: Gambling, description: Betting, uksic: Gambling }
  - { id: csam, title: Abuse, description: Illegal, uksic: Illegal, locked: true }
  - { id: terrorism, title: Terror, description: Illegal, uksic: Illegal, locked: true }
`;
const OPEN = '  - { id: plain, category: gambling, format: domains, source: ./plain.txt, enabled: true }\n';
const URLS = '  - { id: urls, category: csam, format: illegal-urls, source: ./urls.txt, enabled: true }\n';
const HASHES = '  - { id: hashes, category: terrorism, format: illegal-hashes, source: ./hashes.gz, enabled: true }\n';

interface School {
  readonly listsDir: string;
  readonly layout: DataLayout;
  build(now?: number): Promise<BuildSummary>;
  catalogue(...rows: string[]): void;
  write(name: string, content: string | Uint8Array): void;
  isListed(host: string, path?: string | null): boolean;
}

function school(t: Test): School {
  const root = tempFolder(t);
  const listsDir = join(root, 'lists');
  const layout = dataLayout(join(root, 'data'));
  mkdirSync(listsDir, { recursive: true });
  createDataFolders(layout);
  const write: School['write'] = (name, content) => writeFileSync(join(listsDir, name), content);
  write('categories.yaml', CATEGORIES);
  write('plain.txt', 'bets.test\n');
  return {
    listsDir,
    layout,
    write,
    build: (now = MONDAY) => buildIndex({ listsDir, layout, clock: () => now, maxRejected: 5 }),
    catalogue: (...rows) => write('catalogue.yaml', `lists:\n${rows.join('')}`),
    isListed: (host, path = null) => (loadCurrentIllegal(layout)?.match(host, path) ?? null) !== null,
  };
}

const names = (count: number): string => Array.from({ length: count }, (_, i) => `listed-${i}.test\n`).join('');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Every file of the data folder that holds one of the texts. */
function holding(layout: DataLayout, ...texts: string[]): string[] {
  return readdirSync(layout.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => texts.some((text) => readFileSync(path).includes(text)));
}

void t.test('illegal lists have a file of their own, in which nothing can be read', async (t) => {
  const s = school(t);
  s.catalogue(OPEN, URLS, HASHES);
  s.write('urls.txt', 'http://marker-host.test/\nshared.test/marker-page\nmarker bad line\nshared.test/marker-page/\n');
  s.write('hashes.gz', gzipSync(`${sha256('hashed.test/')}\nmarker-in-clear.test\n`));
  const summary = await s.build();
  t.same(summary.alarms, []);
  t.match(summary.illegal, [
    { id: 'urls', category: 'csam', entries: 4, accepted: 2, duplicates: 1, rejected: 1 },
    { id: 'hashes', category: 'terrorism', entries: 2, accepted: 1, duplicates: 0, rejected: 1 },
  ]);
  t.same(summary.illegal[0]!.rejectedSamples, [{ file: './urls.txt', line: 3, reason: 'is not an entry' }]);
  t.match(readManifest(s.layout)!.illegal!.lists, [
    { id: 'urls', enforced: 2, pages: 1, catalogued: true },
    { id: 'hashes', enforced: 1, pages: null },
  ]);
  t.match(
    ['marker-host.test', 'shared.test', 'www.hashed.test', 'bets.test'].map((host) => s.isListed(host)),
    [true, false, true, false],
  );
  t.ok(s.isListed('shared.test', '/marker-page/1'));
  t.same(loadCurrentIndex(s.layout).match('marker-host.test', '/').categories, [], 'not in the category index');
  t.same(
    loadCurrentIndex(s.layout).lists.map(({ id }) => id),
    ['plain'],
  );
  t.same(holding(s.layout, 'marker', sha256('hashed.test/')), []);
  t.equal(statSync(s.layout.illegalKey).mode & 0o777, 0o600);
  t.ok(await isIndexCurrent(s.listsDir, s.layout));
});

void t.test('the same lists under the same key are the same bytes; another installation’s differ', async (t) => {
  const [s, other] = [school(t), school(t)];
  const files: string[] = [];
  for (const one of [s, s, other]) {
    one.catalogue(URLS);
    one.write('urls.txt', names(50));
    await one.build(MONDAY + files.length * DAY);
    files.push(readManifest(one.layout)!.illegal!.file);
  }
  t.equal(files[0], files[1]);
  t.not(files[0], files[2]);
  t.match(readManifest(s.layout)!.illegal!.lists, [{ enforcedSince: '2026-11-23T08:00:00.000Z' }]);
});

void t.test('what was loaded stays enforced, whatever becomes of its source', async (t) => {
  const table: [string, (s: School) => void, RegExp][] = [
    ['deleted', (s) => rmSync(join(s.listsDir, 'urls.txt')), /cannot be read \(ENOENT\); what was loaded on/],
    ['emptied', (s) => s.write('urls.txt', ''), /no usable entry; what was loaded on/],
    ['comments only', (s) => s.write('urls.txt', '# nothing\n'), /no usable entry/],
    ['shrunk', (s) => s.write('urls.txt', `${names(70)}new.test\n`), /more than 20 % of its entries are gone/],
    ['as many others', (s) => s.write('urls.txt', names(100).replaceAll('listed', 'other')), /more than 20 %/],
    ['taken out of the catalogue', (s) => s.catalogue(OPEN), /not in the catalogue any more.*lists remove urls/],
    ['switched off', (s) => s.catalogue(OPEN, URLS.replace('true', 'false')), /switched off there/],
  ];
  for (const [what, happen, alarm] of table) {
    const s = school(t);
    s.catalogue(OPEN, URLS);
    s.write('urls.txt', names(100));
    t.same((await s.build()).alarms, [], what);
    happen(s);
    for (const day of [1, 2]) {
      const { alarms } = await s.build(MONDAY + day * DAY);
      t.match(alarms, [alarm], what);
      t.notMatch(alarms.join(), /listed-\d/, 'an alarm names no entry');
      t.ok(s.isListed('listed-99.test'), `${what}, day ${day}`);
    }
    if (what === 'shrunk') t.ok(s.isListed('new.test'), 'and so is what is new');
    t.match(readManifest(s.layout)!.illegal!.lists, [{ id: 'urls', enforcedSince: '2026-11-23T08:00:00.000Z' }], what);
  }
  const s = school(t);
  s.catalogue(URLS);
  s.write('urls.txt', names(100));
  await s.build();
  s.write('urls.txt', names(90));
  t.same((await s.build()).alarms, [], 'a few less are no alarm');
  t.notOk(s.isListed('listed-99.test'));
});

void t.test('a list that never loaded, or is lost for good, stops the build', async (t) => {
  const s = school(t);
  s.catalogue(OPEN);
  await s.build();
  const before = readManifest(s.layout);
  t.equal(before!.illegal, undefined);
  t.notOk(existsSync(s.layout.illegalKey), 'no key where there is no such list');
  s.catalogue(OPEN, URLS);
  for (const content of [null, '', 'marker bad line\n']) {
    if (content !== null) s.write('urls.txt', content);
    const refusal = (await s.build().catch((error: unknown) => error)) as InvalidInputError;
    t.match(refusal.message, /locked category never loaded/);
    t.notMatch(refusal.message, 'marker');
    t.same(readManifest(s.layout), before);
  }
  s.write('urls.txt', names(10));
  await s.build();
  s.catalogue(OPEN);
  const file = join(s.layout.index, readManifest(s.layout)!.illegal!.file);
  const bytes = readFileSync(file);
  bytes[200]! ^= 1;
  writeFileSync(file, bytes);
  t.throws(() => loadCurrentIllegal(s.layout), { code: 'illegal_unusable' });
  await t.rejects(s.build(), /"urls" was enforced.*cannot be read/);
  s.catalogue(OPEN, URLS);
  await s.build();
  t.ok(s.isListed('listed-1.test'), 'its source can bring it back');
});

void t.test('without current.json, or with one that is damaged, what was enforced stays so', async (t) => {
  const s = school(t);
  s.catalogue(OPEN, URLS);
  s.write('urls.txt', names(10));
  await s.build();
  s.catalogue(OPEN);
  const manifest = join(s.layout.index, 'current.json');
  for (const happen of [() => writeFileSync(manifest, '{'), () => rmSync(manifest)]) {
    happen();
    t.match((await s.build()).alarms, [/"urls".*not in the catalogue any more/]);
    t.ok(s.isListed('listed-3.test'));
  }
});

void t.test('every list holds a canary that only the key tells', async (t) => {
  const s = school(t);
  s.catalogue(URLS, HASHES);
  s.write('urls.txt', names(3));
  s.write('hashes.gz', gzipSync(sha256('hashed.test/')));
  await s.build();
  const keys = readIllegalKeys(s.layout.illegalKey);
  for (const id of ['urls', 'hashes']) {
    const name = canaryName(keys, id);
    t.match(name, /^canary-[0-9a-f]{24}\.invalid$/);
    t.match(loadCurrentIllegal(s.layout)!.match(name, '/'), { isCanary: true, lists: [id] });
    t.same(holding(s.layout, name), []);
  }
  t.match(loadCurrentIllegal(s.layout)!.match('listed-1.test', '/'), { isCanary: false });
});

// A build and a fetch that both found no key made one each, and what the first had keyed could not be read any more.
void t.test('two processes that are the first at once have one key', async (t) => {
  const { layout } = school(t);
  const module = join(import.meta.dirname, '../../src/categories/illegal-key-file.ts');
  const code = `const { loadOrCreateIllegalKeys } = await import(${JSON.stringify(module)});
    process.stdout.write(loadOrCreateIllegalKeys(${JSON.stringify(layout.illegalKey)}).check.toString('hex'));`;
  const run = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const args = ['--input-type=module', '-e', code];
      execFile(process.execPath, args, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
    });
  const found = await Promise.all([run(), run(), run()]);
  t.equal(new Set(found).size, 1);
  t.equal(found[0], readIllegalKeys(layout.illegalKey).check.toString('hex'));
  t.same(readdirSync(dirname(layout.illegalKey)), ['illegal.key']);
});
