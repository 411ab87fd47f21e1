import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { buildIndex, type BuildSummary } from '../../src/categories/build-index.ts';
import { loadCurrentIndex } from '../../src/categories/current-index.ts';
import type { CategoryIndex } from '../../src/categories/match.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { canonicalHost } from '../../src/kernel/host.ts';
import { parseUrl } from '../../src/kernel/url.ts';

// Real lists for developers lie beside the checkout; they are no part of the project.
const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const UT1 = join(DATA, 'blocklists/ut1');
const skip = existsSync(UT1) ? false : `no real lists in ${UT1}`;

const readText = (path: string): string =>
  (path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)).toString('utf8');

async function buildAll(
  root: string,
  folders: readonly string[],
): Promise<{ index: CategoryIndex; summary: BuildSummary }> {
  const categories = folders.map(
    (name) => `  - { id: ${idOf(name)}, title: x, description: x, uksic: x, locked: false, flag: true }`,
  );
  const lists = folders.map(
    (name) =>
      `  - { id: ut1-${idOf(name)}, category: ${idOf(name)}, format: ut1, source: ${join(UT1, name)}, enabled: true }`,
  );
  writeFileSync(join(root, 'categories.yaml'), ['categories:', ...categories, ''].join('\n'));
  writeFileSync(join(root, 'catalogue.yaml'), ['lists:', ...lists, ''].join('\n'));
  const layout = dataLayout(join(root, 'data'));
  createDataFolders(layout);
  const clock = (): number => Date.parse('2026-11-22T08:00:00Z');
  const summary = await buildIndex({ listsDir: root, layout, clock, maxRejected: Number.POSITIVE_INFINITY });
  return { index: loadCurrentIndex(layout), summary };
}

const idOf = (folder: string): string => folder.replaceAll('_', '-');

function filesOf(folder: string, name: string): string[] {
  return [name, `${name}.gz`].map((file) => join(UT1, folder, file)).filter((path) => existsSync(path));
}

/** The union over a name and all its parents, from a plain map. */
function plainCategories(expected: ReadonlyMap<string, ReadonlySet<string>>, name: string): Set<string> {
  const found = new Set<string>();
  const labels = name.split('.');
  for (let i = 0; i < labels.length; i++) {
    for (const category of expected.get(labels.slice(i).join('.')) ?? []) found.add(category);
  }
  return found;
}

await t.test('all of UT1', { skip, timeout: 120_000 }, async (t) => {
  const folders = readdirSync(UT1).filter((name) => name !== 'global_usage');
  const { index, summary } = await buildAll(t.testdir(), folders);
  const rejected = new Set(
    summary.lists.flatMap((list) => list.rejectedSamples.map((problem) => `${problem.file}:${problem.line}`)),
  );
  const expected = new Map<string, Set<string>>();
  const wrong: string[] = [];
  const counts = { lines: 0, rejected: 0, pages: 0 };

  for (const folder of folders) {
    const category = idOf(folder);
    const expect = (host: string, path: string | null, line: string): void => {
      if (!index.match(host, path).categories.includes(category)) wrong.push(`${folder}: ${line}`);
    };
    for (const path of filesOf(folder, 'domains')) {
      for (const [i, line] of readText(path).split('\n').entries()) {
        if (line.trim() === '') continue;
        counts.lines++;
        if (rejected.has(`${path}:${i + 1}`)) {
          counts.rejected++;
          continue;
        }
        const host = canonicalHost(line.trim())!;
        expect(host.name, null, line);
        if (host.kind === 'name') expect(`some.where.${host.name}`, '/x', line);
        const known = expected.get(host.name);
        if (known === undefined) expected.set(host.name, new Set([category]));
        else known.add(category);
      }
    }
    for (const path of filesOf(folder, 'urls')) {
      for (const [i, line] of readText(path).split('\n').entries()) {
        const url =
          line.trim() === '' || rejected.has(`${path}:${i + 1}`) ? 'malformed' : parseUrl(`http://${line.trim()}`);
        if (typeof url === 'string') continue;
        counts.pages++;
        expect(url.host.name, url.path, line);
        expect(url.host.name, `${url.path.replace(/\/$/, '')}${url.path.includes('?') ? '&' : '/'}more`, line);
      }
    }
  }
  t.same(wrong.slice(0, 20), [], 'every accepted entry and what lies below it has its category');
  t.ok(counts.lines > 600_000 && counts.pages > 30_000, JSON.stringify(counts));
  t.ok(counts.rejected < 600, `${counts.rejected} rejected`);
  for (const { entries, accepted, duplicates, rejected } of summary.lists) {
    if (entries !== accepted + duplicates + rejected) t.fail('entries = accepted + duplicates + rejected');
  }

  const popular = readText(join(DATA, 'toplist/tranco_top_100k.csv.gz'))
    .split('\n')
    .flatMap((line) => line.trim().split(',')[1] ?? []);
  const differing = popular.filter((name) => {
    const found = index.match(name, null).categories.join();
    return found !== [...plainCategories(expected, name)].sort().join();
  });
  t.ok(popular.length > 70_000);
  t.same(differing, [], 'popular sites have the categories of the lists and no others');
});
