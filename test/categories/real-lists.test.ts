import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Command } from 'commander';
import t from 'tap';
import { buildIndex, type BuildSummary } from '../../src/categories/build-index.ts';
import { loadCurrentIndex } from '../../src/categories/current-index.ts';
import type { CategoryIndex } from '../../src/categories/match.ts';
import { registerCheck } from '../../src/cli/check.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { canonicalHost } from '../../src/kernel/host.ts';
import { parseUrl } from '../../src/kernel/url.ts';
import type { Verdict } from '../../src/policy/verdict.ts';
import { CATEGORIES, FILES } from '../policy/small-school.ts';

// Real lists for developers lie beside the checkout; they are no part of the project.
const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const LISTS = join(DATA, 'blocklists');
const skip = existsSync(LISTS) ? false : `no real lists in ${LISTS}`;
const MONDAY = Date.parse('2026-11-22T08:00:00Z');
/** Of longer files every so many-th line is asked for, so that the whole stays within seconds. */
const STEP_FROM = 30_000;
const STEP = 7;

/** A list of the collection; its category has the list's own id. */
interface RealList {
  readonly id: string;
  readonly format: string;
  readonly source: string;
}

const readText = (path: string): string =>
  (path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)).toString('utf8');

const idOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/(?:\.txt|\.gz|\.netset)+$/, '')
    .replace(/[^a-z0-9]+/g, '-');

function files(folder: string, format: string): RealList[] {
  return readdirSync(join(LISTS, folder)).map((name) => oneFile(folder, name, format));
}

function oneFile(folder: string, name: string, format: string): RealList {
  return { id: idOf(`${folder}-${name}`), format, source: join(LISTS, folder, name) };
}

function squidGuardFolders(folder: string): RealList[] {
  const names = readdirSync(join(LISTS, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.map(({ name }) => ({ id: idOf(`${folder}-${name}`), format: 'ut1', source: join(LISTS, folder, name) }));
}

/** Everything but unbound's configuration, which is no format of ours. */
function allLists(): RealList[] {
  const torrent = {
    'torrent.txt': 'hosts',
    'torrent-nl.txt': 'domains',
    'torrent-ags.txt': 'adblock',
    'torrent-dnsmasq.txt': 'dnsmasq',
  };
  return [
    ...squidGuardFolders('ut1'),
    ...squidGuardFolders('ut1-history'),
    ...files('sinfonietta', 'hosts'),
    ...files('stevenblack', 'hosts'),
    ...files('blocklistproject/hosts', 'hosts'),
    ...files('blocklistproject/ip', 'cidr'),
    ...Object.entries(torrent).map(([name, format]) => oneFile('blocklistproject/formats', name, format)),
    ...files('firehol', 'cidr'),
    ...['domains', 'hosts', 'adblock', 'dnsmasq', 'wildcard'].flatMap((format) => files(`hagezi/${format}`, format)),
  ];
}

interface Built {
  readonly root: string;
  readonly index: CategoryIndex;
  readonly summary: BuildSummary;
  readonly isRejected: (place: string) => boolean;
}

async function build(root: string, lists: readonly RealList[]): Promise<Built> {
  const describe = (id: string, flags: string): string =>
    `  - { id: ${id}, title: x, description: x, uksic: x, ${flags} }`;
  const categories = [
    ...CATEGORIES.map(({ id, locked, flag }) => describe(id, `locked: ${locked}, flag: ${flag}`)),
    ...lists.map(({ id }) => describe(id, 'locked: false, flag: true')),
  ];
  const rows = lists.map(
    ({ id, format, source }) =>
      `  - { id: ${id}, category: ${id}, format: ${format}, source: ${source}, enabled: true }`,
  );
  for (const [name, text] of [
    ['blocklists/categories.yaml', ['categories:', ...categories, ''].join('\n')],
    ['blocklists/catalogue.yaml', ['lists:', ...rows, ''].join('\n')],
    ...Object.entries(FILES).map(([name, text]) => [`policies/${name}`, text] as const),
  ] as const) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const layout = dataLayout(join(root, 'data'));
  createDataFolders(layout);
  const listsDir = join(root, 'blocklists');
  const summary = await buildIndex({ listsDir, layout, clock: () => MONDAY, maxRejected: Number.POSITIVE_INFINITY });
  const rejected = new Set(
    summary.lists.flatMap((list) => list.rejectedSamples.map((problem) => `${problem.file}:${problem.line}`)),
  );
  return { root, index: loadCurrentIndex(layout), summary, isRejected: (place) => rejected.has(place) };
}

/** A plain reading of a line: the host or URL it is about; null for what is no entry. */
const READERS: Readonly<Record<string, (line: string) => string | null>> = {
  domains: (line) => (line.startsWith('#') ? null : line),
  wildcard: (line) => (line.startsWith('#') ? null : line.replace(/^\*\./, '')),
  hosts: (line) => /^(?:0\.0\.0\.0|127\.0\.0\.1|::1)\s+([^#\s]+)/.exec(line)?.[1] ?? null,
  urls: (line) => line,
  adblock: (line) => /^\|\|([^^]+)\^$/.exec(line)?.[1] ?? null,
  dnsmasq: (line) => /^(?:address|server|local)=\/([^/]+)\//.exec(line)?.[1] ?? null,
  cidr: (line) => (line.startsWith('#') ? null : line.replace(/\/\d+$/, '')),
};

interface Named {
  readonly list: RealList;
  readonly host: string;
  /** Of a URL entry. */
  readonly path: string | null;
  readonly place: string;
}

/** What the lists name, read plainly: every accepted line. */
function* namedIn(lists: readonly RealList[], isRejected: Built['isRejected']): Generator<Named> {
  for (const list of lists) {
    const parts: [path: string, format: string][] =
      list.format === 'ut1'
        ? ['domains', 'domains.gz', 'urls', 'urls.gz'].map((name) => [join(list.source, name), name.replace('.gz', '')])
        : [[list.source, list.format]];
    for (const [path, format] of parts) {
      if (!existsSync(path)) continue;
      for (const [i, line] of readText(path).split('\n').entries()) {
        const text = line.trim() === '' ? null : READERS[format]!(line.trim());
        const place = `${path}:${i + 1}`;
        // Of several names on a line one may have been rejected: that line is not asked for by its place.
        const hasMore = format === 'hosts' && /\S\s+\S+\s+[^#\s]/.test(line);
        if (text === null || (isRejected(place) && !hasMore)) continue;
        const url = format === 'urls' ? parseUrl(`http://${text}`) : null;
        if (typeof url === 'string') continue;
        const host = url?.host.name ?? canonicalHost(text)?.name ?? text;
        yield { list, host, path: url === null || url.path === '/' ? null : url.path, place };
      }
    }
  }
}

const isAddress = (host: string): boolean => canonicalHost(host)?.kind !== 'name';

await t.test('all real lists together', { skip, timeout: 180_000 }, async (t) => {
  const lists = allLists();
  const built = await build(t.testdir(), lists);
  const { index, summary } = built;
  t.same(summary.alarms, []);
  t.ok(summary.index.domains > 1_400_000 && summary.index.ranges > 200, JSON.stringify(summary.index));
  for (const { id, entries, accepted, duplicates, rejected } of summary.lists) {
    if (entries !== accepted + duplicates + rejected) t.fail(`${id}: entries = accepted + duplicates + rejected`);
    if (accepted === 0) t.fail(`${id} is empty`);
  }
  const rejected = summary.lists.flatMap((list) => list.rejectedSamples);
  t.ok(rejected.length < 1500, `${rejected.length} rejected`);

  const popular = readText(join(DATA, 'toplist/tranco_top_100k.csv.gz'))
    .split('\n')
    .flatMap((line) => line.trim().split(',')[1] ?? []);
  const lineage = new Set(popular.flatMap((name) => parents(name)));
  const expected = new Map<string, Set<string>>();
  const wrong: string[] = [];
  const sample: Named[] = [];
  const counts = { lines: 0, asked: 0 };
  let ofList = { id: '', count: 0 };
  for (const named of namedIn(lists, built.isRejected)) {
    const { list, host, path } = named;
    counts.lines++;
    if (path === null && lineage.has(host)) {
      const known = expected.get(host) ?? new Set();
      expected.set(host, known.add(list.id));
    }
    if (ofList.id !== list.id) ofList = { id: list.id, count: 0 };
    const isSampled = ofList.count < STEP_FROM || ofList.count % STEP === 0;
    if (ofList.count++ < 40 || ofList.count % 20_011 === 0) sample.push(named);
    if (!isSampled) continue;
    counts.asked++;
    const below = path === null ? null : `${path.replace(/\/$/, '')}${path.includes('?') ? '&' : '/'}more`;
    const asked: [string, string | null][] = [[host, path]];
    if (path !== null) asked.push([host, below]);
    if (!isAddress(host)) asked.push([`some.where.${host}`, path ?? '/x']);
    if (asked.some((one) => !index.match(...one).categories.includes(list.id))) wrong.push(named.place);
  }
  t.same(wrong.slice(0, 20), [], 'every accepted entry and what lies below it has its category');
  t.ok(counts.lines > 2_300_000 && counts.asked > 700_000, JSON.stringify(counts));

  const differing = popular.filter((name) => {
    const plainly = new Set(parents(name).flatMap((parent) => Array.from(expected.get(parent) ?? [])));
    return index.match(name, null).categories.join() !== [...plainly].sort().join();
  });
  const unlisted = popular.filter((name) => parents(name).every((parent) => !expected.has(parent)));
  t.ok(popular.length > 70_000 && unlisted.length > 50_000, `${unlisted.length} of ${popular.length} in no list`);
  t.same(differing, [], 'popular sites have the categories of the lists and no others');

  await t.test('check --batch says the same', async (t) => {
    const urls = sample.flatMap(({ list, host, path }) => {
      const own = { url: `http://${host.includes(':') ? `[${host}]` : host}${path ?? '/'}`, id: list.id };
      return isAddress(host) ? [own] : [own, { ...own, url: own.url.replace('http://', 'http://some.where.') }];
    });
    const without = unlisted.slice(0, 5000).map((name) => ({ url: `http://${name}/`, id: null }));
    const asked = [...urls, ...without];
    const verdicts = await batch(
      built.root,
      asked.map(({ url }) => url),
    );
    t.equal(verdicts.length, asked.length);
    // An address that is not on the internet is refused before any list is asked.
    const isWrong = ({ categories, reason }: Verdict, id: string | null): boolean =>
      reason !== 'destination' && (id === null ? categories.length > 0 : !categories.includes(id));
    const wrong = asked.filter(({ id }, i) => isWrong(verdicts[i]!, id)).map(({ url, id }) => `${id}: ${url}`);
    t.same(wrong.slice(0, 20), []);
    t.ok(urls.length > 4000, `${urls.length} entries and names below them`);
  });

  await t.test('one list in several formats gives the same verdicts', async (t) => {
    const families: [name: RegExp, formats: number][] = [
      [/^hagezi-[a-z]+-doh-vpn-proxy-bypass$/, 5],
      [/^hagezi-[a-z]+-nosafesearch$/, 5],
      [/^blocklistproject-formats-torrent/, 4],
    ];
    for (const [name, formats] of families) {
      const family = lists.filter(({ id }) => name.test(id));
      const ids = family.map(({ id }) => id).sort();
      const hosts = new Set(Array.from(namedIn(family, built.isRejected), ({ host }) => host));
      const isSame = (host: string): boolean =>
        index
          .match(host, null)
          .lists.filter((id) => name.test(id))
          .join() === ids.join();
      const differing = [...hosts].flatMap((host) => [host, `www.${host}`]).filter((host) => !isSame(host));
      t.equal(ids.length, formats);
      t.ok(hosts.size > 130, `${hosts.size} hosts`);
      t.same(differing, [], ids.join());
    }
  });
});

function parents(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, i) => labels.slice(i).join('.'));
}

async function batch(root: string, urls: readonly string[]): Promise<Verdict[]> {
  writeFileSync(join(root, 'batch.ndjson'), urls.map((url) => `${JSON.stringify({ url })}\n`).join(''));
  const stdout = new PassThrough({ highWaterMark: 1 << 30 }) as unknown as NodeJS.WriteStream & PassThrough;
  const stderr = new PassThrough() as unknown as NodeJS.WriteStream;
  const program = new Command('schoolgate').exitOverride();
  registerCheck(program, { env: {}, cwd: root, clock: () => MONDAY, stdin: process.stdin, stdout, stderr });
  await program.parseAsync(['node', 'schoolgate', 'check', '--batch', 'batch.ndjson']);
  return String(stdout.read() ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict);
}
