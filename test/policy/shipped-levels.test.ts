import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { TSchema } from 'typebox';
import { buildIndex } from '../../src/categories/build-index.ts';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import { loadCurrentIndex } from '../../src/categories/current-index.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { prepareIdentity } from '../../src/identity/identify.ts';
import { formatProblem } from '../../src/kernel/errors.ts';
import { dateAfter } from '../../src/kernel/local-time.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { NETWORK_DEFAULTS } from '../../src/policy/compile-network.ts';
import { decide } from '../../src/policy/decide.ts';
import { LevelSchema, RulesSchema, SchoolSchema } from '../../src/policy/document.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { NO_LIVE, preparePolicy } from '../../src/policy/prepare.ts';
import { readPolicy } from '../../src/policy/read.ts';
import { SafeguardingSchema } from '../../src/policy/safeguarding-document.ts';
import { isTermTime } from '../../src/policy/schedule.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import type { Decision } from '../../src/policy/verdict.ts';
import { at, match, request, who } from './small-school.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const { categories } = loadCatalogue(join(ROOT, 'blocklists'));
const shipped = compileShipped();
const policy = preparePolicy(shipped);
const LEVELS = ['ks1', 'ks2', 'ks3', 'ks4', 'sixth-form', 'guest', 'staff'];

function compileShipped(): PolicySnapshot {
  const loaded = loadPolicy(join(ROOT, 'policies'));
  const compiled = 'documents' in loaded ? compilePolicy(loaded.documents, categories) : loaded;
  if ('problems' in compiled) throw new Error(compiled.problems.map(formatProblem).join('\n'));
  return compiled.snapshot;
}

function ask(level: string, host: string, path: string | null, ...of: string[]): Decision {
  return decide(
    policy,
    NO_LIVE,
    request(host, { path, who: who({ level }), match: match(...of) }),
    at('2026-11-23T10:00:00Z'),
  );
}

// a allowed, m allowed and watched, w open after a warning, B blocked; a letter for each level in the order of LEVELS, youngest first.
const EXPECTED: Readonly<Record<string, string>> = {
  'known-good': 'a a a a a a a',
  adult: 'B B B B B B B',
  'self-harm': 'B B B B B B B',
  'eating-disorders': 'B B B B B B B',
  violence: 'B B B B B B B',
  hate: 'B B B B B B B',
  discrimination: 'B B B B B B B',
  extremism: 'B B B B B B B',
  gambling: 'B B B B B B B',
  dating: 'B B B B B B B',
  social: 'B B B B B B B',
  piracy: 'B B B B B B B',
  malware: 'B B B B B B B',
  phishing: 'B B B B B B B',
  'vpn-proxy': 'B B B B B B B',
  adverts: 'B B B B B B B',
  trackers: 'B B B B B B B',
  weapons: 'B B B B B B m',
  drugs: 'B B B B B B w',
  hacking: 'B B B B B B m',
  'remote-control': 'B B B B B B m',
  'unsafe-search': 'B B B B B B w',
  'alcohol-tobacco': 'B B B B B B a',
  games: 'B B B B B B a',
  'file-sharing': 'B B B B B B a',
  'ai-images': 'B B B B B B a',
  chat: 'B B B B B a a',
  'ai-chat': 'B B B B m m a',
  misinformation: 'B B B B w w a',
  shopping: 'B B B B a a a',
  webmail: 'B B B B a a a',
  newsgroups: 'B B B B a a a',
  streaming: 'B B B a a a a',
  'image-search': 'B B B a a a a',
  'search-engines': 'B B a a a a a',
  celebrity: 'B B a a a a a',
  jobs: 'B B a a a a a',
  'url-shorteners': 'B B a a a a a',
  news: 'B a a a a a a',
  'child-search': 'a a a a a a a',
};

await t.test('the seven levels are shipped, and whoever is not identified gets the youngest', async (t) => {
  t.strictSame(Object.keys(shipped.levels).sort(), [...LEVELS].sort());
  t.equal(shipped.strictestLevel, 'ks1');
  t.equal(shipped.identity.mode, 'open');
  t.equal(prepareIdentity(shipped)('10.0.0.1', null).level, 'ks1');
  t.strictSame(
    { ...shipped.network, clients: shipped.network.clients.toSorted() },
    { ...NETWORK_DEFAULTS, clients: NETWORK_DEFAULTS.clients.toSorted() },
    'school.yaml writes out the defaults',
  );
});

await t.test('each category at each age', async (t) => {
  const letters = { allow: 'a', monitor: 'm', warn: 'w', block: 'B' };
  for (const [category, expected] of Object.entries(EXPECTED)) {
    const found = LEVELS.map((level) => letters[ask(level, 'a.test', null, category).action]).join(' ');
    t.equal(found, expected, category);
  }
  const unlocked = categories.filter(({ locked }) => !locked).map(({ id }) => id);
  t.strictSame(Object.keys(EXPECTED).sort(), unlocked.sort(), 'no category of the catalogue is left out');
});

await t.test('no category is left to the default, and a locked one is refused to everybody', async (t) => {
  for (const level of LEVELS) {
    for (const { id, locked } of categories) {
      const { verdict, step } = ask(level, 'a.test', null, id);
      t.equal(step, locked ? 'illegal' : 'level', `${level} ${id}`);
      if (locked) t.equal(verdict, 'block', `${level} ${id}`);
    }
  }
});

await t.test('helplines pass for everybody, whatever the lists say of them', async (t) => {
  const worst = ['malware', 'phishing', 'self-harm', 'adult', 'chat'];
  for (const level of LEVELS) {
    for (const host of [
      'www.childline.org.uk',
      'samaritans.org',
      'www.ceop.police.uk',
      'giveusashout.org',
      'talktofrank.com',
    ]) {
      t.equal(ask(level, host, null, ...worst).verdict, 'allow', `${level} ${host}`);
    }
  }
});

await t.test('games that teach pass, games that only play do not', async (t) => {
  t.equal(ask('ks2', 'a.test', null, 'games', 'known-good').verdict, 'allow');
  t.equal(ask('ks2', 'a.test', null, 'games').verdict, 'block');
});

await t.test(
  'with the starter lists, young children search where search is made for them, and find no open picture search',
  async (t) => {
    const layout = dataLayout(t.testdir());
    createDataFolders(layout);
    await buildIndex({ listsDir: join(ROOT, 'blocklists'), layout, clock: () => at('2026-11-23T08:00:00Z') });
    const index = loadCurrentIndex(layout);
    const search = (level: string, host: string): Decision =>
      decide(
        policy,
        NO_LIVE,
        request(host, { who: who({ level }), match: index.match(host, null) }),
        at('2026-11-23T10:00:00Z'),
      );
    const forChildren = ['www.kiddle.co', 'swiggle.org.uk', 'www.kidzsearch.com', 'safesearchkids.com'];
    const open = [
      'www.google.com',
      'www.google.co.uk',
      'www.bing.com',
      'duckduckgo.com',
      'search.brave.com',
      'yandex.com',
    ];
    const pictures = [
      'images.google.com',
      'images.google.co.uk',
      'lens.google.com',
      'encrypted-tbn0.gstatic.com',
      'mm.bing.net',
      'th.bing.com',
      'external-content.duckduckgo.com',
      'imgs.search.brave.com',
      'giphy.com',
      'www.pinterest.co.uk',
    ];
    const unsafe = ['search.yahoo.com', 'startpage.com', 'lite.qwant.com', 'searx.be'];
    for (const level of ['ks1', 'ks2']) {
      for (const host of forChildren) t.equal(search(level, host).verdict, 'allow', `${level} ${host}`);
      for (const host of [...open, ...pictures, ...unsafe]) {
        t.match(search(level, host), { verdict: 'block', action: 'block', reason: 'category' }, `${level} ${host}`);
      }
      t.match(shipped.levels[level], { safeSearch: { value: 'on' }, youtube: { value: 'strict' } }, level);
    }
    for (const host of open) t.equal(search('ks3', host).verdict, 'allow', `ks3 ${host}`);
    for (const host of pictures) t.equal(search('ks3', host).verdict, 'block', `ks3 ${host}`);
    for (const host of unsafe) t.match(search('staff', host), { action: 'warn' }, `staff ${host}`);
  },
);

await t.test('programs are refused to pupils and guests on plain http', async (t) => {
  for (const level of LEVELS) {
    const expected = level === 'staff' ? 'allow' : 'block';
    for (const path of ['/setup.exe', '/a/b/Tool.MSI?x=1', '/game.apk'])
      t.equal(ask(level, 'a.test', path).verdict, expected, `${level} ${path}`);
    t.equal(ask(level, 'a.test', '/report.pdf').verdict, 'allow', level);
  }
});

await t.test('sites on no list are open, and a page speaks to its reader', async (t) => {
  for (const level of LEVELS) t.equal(ask(level, 'a.test', null).reason, 'uncategorised', level);
  const voices = LEVELS.map((level) => shipped.levels[level]!.voice);
  t.strictSame(voices, ['child', 'child', 'teen', 'teen', 'teen', 'adult', 'adult']);
});

await t.test('the guide names every setting that the files may hold', async (t) => {
  const guide = readFileSync(join(ROOT, 'policies', 'README.md'), 'utf8');
  const settings = [SchoolSchema, LevelSchema, RulesSchema, SafeguardingSchema].flatMap(settingsOf);
  for (const setting of new Set(settings)) t.match(guide, new RegExp(`\`${setting}\``), setting);
});

await t.test('the guide’s examples of rules.yaml, and of times in a level, compile', async (t) => {
  const guide = readFileSync(join(ROOT, 'policies', 'README.md'), 'utf8');
  const files = ['school.yaml', ...LEVELS.map((level) => `levels/${level}.yaml`)].map(
    (file) => [file, readFileSync(join(ROOT, 'policies', file), 'utf8')] as const,
  );
  const problems = (more: readonly (readonly [string, string])[]): string[] => {
    const read = readPolicy(new Map([...files, ...more]));
    const compiled = 'documents' in read ? compilePolicy(read.documents, categories) : read;
    return 'problems' in compiled ? compiled.problems.map(formatProblem) : [];
  };
  t.strictSame(problems([['rules.yaml', /```yaml\n([^`]+)```/.exec(guide)![1]!]]), []);
  const times = /```yaml\n(times:[^`]+)```/.exec(guide)![1]!;
  const [[name, school]] = files as [readonly [string, string]];
  const placed = school.replace('places: {}', 'places: { Library: [10.20.8.0/24] }');
  t.strictSame(
    problems([
      [name, placed],
      ['levels/mine.yaml', `title: Mine\nextends: ks3\n${times}`],
    ]),
    [],
  );
});

await t.test('the shipped year has 190 days of school, and none of them is a bank holiday', async (t) => {
  const { calendar } = shipped;
  const BANK_HOLIDAYS = [
    '2026-12-25',
    '2026-12-28',
    '2027-01-01',
    '2027-03-26',
    '2027-03-29',
    '2027-05-03',
    '2027-05-31',
  ];
  for (const date of BANK_HOLIDAYS) t.equal(isTermTime(calendar, date), false, date);
  let days = 0;
  for (let date = '2026-08-01'; date < '2027-09-01'; date = dateAfter(date, 1)) {
    const isWeekend = [0, 6].includes(new Date(date).getUTCDay());
    if (!isWeekend && isTermTime(calendar, date)) days++;
  }
  t.equal(days, 190);
});

/** Every key that a schema knows, at any depth. */
function settingsOf(schema: TSchema): string[] {
  const { properties, items, anyOf } = schema as {
    properties?: Record<string, TSchema>;
    items?: TSchema;
    anyOf?: TSchema[];
  };
  const inner = [...Object.values(properties ?? {}), ...(items === undefined ? [] : [items]), ...(anyOf ?? [])];
  return [...Object.keys(properties ?? {}), ...inner.flatMap(settingsOf)];
}
