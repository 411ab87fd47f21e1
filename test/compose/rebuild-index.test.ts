// Building on the console's behalf: looked at when a list is saved, never twice at once, ended with the console.
import { appendFileSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadCurrentIndex, readManifest } from '../../src/categories/current-index.ts';
import { watchLists } from '../../src/categories/watch-lists.ts';
import { IndexShelf, indexMark } from '../../src/compose/index-shelf.ts';
import { createRebuilder, type IndexRebuilder } from '../../src/compose/rebuild-index.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { childrenOf, isRunning } from '../helpers/processes.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';

interface Site {
  readonly school: TestSchool;
  readonly layout: DataLayout;
  readonly rebuilder: IndexRebuilder;
  /** Hashes of the indexes that were in force when something was published. */
  readonly published: string[];
  readonly knows: (name: string) => boolean;
}

function site(t: Test): Site {
  const school = new TestSchool(tempFolder(t));
  const layout = dataLayout(school.dataDir);
  createDataFolders(layout);
  const published: string[] = [];
  const rebuilder = createRebuilder({
    listsDir: school.listsDir,
    layout,
    publish: async () => void published.push(readManifest(layout)!.sha256),
  });
  t.teardown(() => rebuilder.close());
  const knows = (name: string): boolean => loadCurrentIndex(layout).match(name, null).lists.length > 0;
  return { school, layout, rebuilder, published, knows };
}

const builds = (): number[] =>
  childrenOf(process.pid).flatMap(({ pid, module }) => (module === 'main.ts' ? [pid] : []));

void t.test('what has changed is built and published, what has not is left alone', async (t) => {
  const { school, layout, rebuilder, published, knows } = site(t);
  t.same(await rebuilder.rebuild(), []);
  t.equal(published.length, 1);
  const { builtAt } = readManifest(layout)!;
  t.same(await rebuilder.rebuild(), []);
  t.equal(readManifest(layout)!.builtAt, builtAt, 'not built again');
  school.addToList('games', 'fresh.test');
  t.same(await rebuilder.rebuild(), []);
  t.ok(knows('fresh.test'));
  t.equal(published.length, 2);
});

void t.test('what a build complains of comes back in sentences, and the index before it stays', async (t) => {
  const { school, layout, rebuilder, knows } = site(t);
  await rebuilder.rebuild();
  const games = join(school.listsDir, 'games.txt');
  const good = readFileSync(games);
  rmSync(games);
  const [missing] = await rebuilder.rebuild();
  t.match(missing, /"test-games".*last good copy/);
  t.ok(knows('games.test'));
  writeFileSync(games, good);
  writeFileSync(join(school.listsDir, 'catalogue.yaml'), 'lists: [');
  const before = readManifest(layout);
  t.match(await rebuilder.rebuild(), [
    /^The lists could not be built; the index built last stays in use\. .*catalogue\.yaml/s,
  ]);
  t.same(readManifest(layout), before);
});

void t.test('wishes while it builds make one more run together, and never two at once', async (t) => {
  const { school, rebuilder, published, knows } = site(t);
  let most = 0;
  const counting = setInterval(() => (most = Math.max(most, builds().length)), 5);
  t.teardown(() => clearInterval(counting));
  const first = rebuilder.rebuild();
  await until('it builds', () => builds().length === 1);
  school.addToList('games', 'later.test');
  const wishes = [rebuilder.rebuild(), rebuilder.rebuild(), rebuilder.rebuild()];
  await Promise.all([first, ...wishes]);
  t.equal(most, 1);
  t.ok(knows('later.test'), 'what was saved during the first run is in the second');
  t.ok(published.length <= 2);
});

void t.test('a build that is killed is started again', async (t) => {
  const { rebuilder, knows } = site(t);
  const built = rebuilder.rebuild();
  const [pid] = await until('it builds', () => (builds().length > 0 ? builds() : null));
  process.kill(pid!, 'SIGKILL');
  t.same(await built, []);
  t.ok(knows('games.test'));
});

// Once the console closed when its build was told to end (by SIGTERM, too) and not when it had gone; under load it was still there.
void t.test('the end of the console is the end of its build', async (t) => {
  const { school, rebuilder, layout, published } = site(t);
  writeFileSync(join(school.listsDir, 'games.txt'), Array.from({ length: 100_000 }, (_, i) => `n${i}.test\n`).join(''));
  const built = rebuilder.rebuild();
  const [pid] = await until('it builds', () => (builds().length > 0 ? builds() : null));
  // So that it cannot be done first, however busy the machine is.
  process.kill(pid!, 'SIGSTOP');
  await rebuilder.close();
  t.notOk(isRunning(pid!), 'it has gone when the console has');
  t.same(await built, []);
  t.same(builds(), []);
  t.notOk(existsSync(join(layout.index, 'current.json')));
  t.same([await rebuilder.rebuild(), published], [[], []], 'nothing begins after it');
});

void t.test('a save of any list file is heard, and one that changes nothing is not', async (t) => {
  const { school } = site(t);
  let heard = 0;
  t.teardown(watchLists(school.listsDir, () => heard++));
  const hears = async (what: string, change: () => void): Promise<void> => {
    const before = heard;
    change();
    await until(what, () => heard === before + 1);
  };
  const games = join(school.listsDir, 'games.txt');
  await hears('a line more', () => appendFileSync(games, 'more.test\n'));
  await hears('the same bytes, saved again', () => utimesSync(games, new Date(), new Date(1)));
  await hears('gone', () => rmSync(games));
  await hears('back', () => writeFileSync(games, 'back.test\n'));
  const catalogue = join(school.listsDir, 'catalogue.yaml');
  const good = readFileSync(catalogue, 'utf8');
  await hears('a catalogue that is not valid', () => writeFileSync(catalogue, 'lists: ['));
  await hears('and mended', () => writeFileSync(catalogue, good));
  await hears('after which lists are heard again', () => appendFileSync(games, 'more.test\n'));
  writeFileSync(join(school.listsDir, 'notes.txt'), 'not a list');
  await hears('nothing but the next', () => appendFileSync(games, 'last.test\n'));
});

void t.test('the shelf holds what was last in force and whole', async (t) => {
  const { school, layout, rebuilder } = site(t);
  const shelf = new IndexShelf(layout);
  t.equal(await shelf.look(), false, 'nothing yet');
  t.equal(indexMark(layout), '');
  await rebuilder.rebuild();
  t.same(await Promise.all([shelf.look(), shelf.look()]), [true, false], 'told once');
  const { current, files } = shelf.snapshot!;
  t.same(current, readManifest(layout));
  t.same(
    files.map(({ name }) => name),
    [current.file],
  );
  const mark = indexMark(layout);
  school.addToList('games', 'other.test');
  await rebuilder.rebuild();
  t.not(indexMark(layout), mark);
  writeFileSync(join(layout.index, readManifest(layout)!.file), 'damaged');
  await t.rejects(shelf.look(), { code: 'index_unusable' });
  t.same(shelf.snapshot!.current, current, 'the one before stays');
});
