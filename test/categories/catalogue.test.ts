import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadCatalogue, previewCatalogue } from '../../src/categories/catalogue.ts';
import { InvalidInputError } from '../../src/kernel/errors.ts';

const CATEGORIES = `categories:
  - { id: gambling, title: Gambling, description: Betting, uksic: Gambling, locked: false, flag: true }
  - { id: csam, title: Abuse, description: Illegal, uksic: Illegal, locked: true, flag: true }
`;

const LISTS = `lists:
  - id: starter-gambling
    category: gambling
    format: domains
    source: ./starter/gambling.txt
    enabled: true
  - id: far
    category: gambling
    format: adblock
    source: https://lists.example/gambling.txt
    enabled: false
    refresh: "17 3 * * *"
    licence: CC-BY-SA-4.0
`;

/** Every problem as `file:line reason`, with the folder left out. */
function problemsOf(dir: string): string[] {
  try {
    loadCatalogue(dir);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.problems.map(({ file, line, reason }) => `${file.slice(dir.length + 1)}:${line} ${reason}`);
  }
}

await t.test('a good catalogue', async (t) => {
  const dir = t.testdir({ 'categories.yaml': CATEGORIES, 'catalogue.yaml': LISTS });
  const catalogue = loadCatalogue(dir);
  t.strictSame(
    catalogue.categories.map(({ id, locked, flag }) => ({ id, locked, flag })),
    [
      { id: 'gambling', locked: false, flag: true },
      { id: 'csam', locked: true, flag: true },
    ],
  );
  t.strictSame(catalogue.lists, [
    {
      id: 'starter-gambling',
      category: 'gambling',
      format: 'domains',
      source: './starter/gambling.txt',
      path: join(dir, 'starter/gambling.txt'),
      fetch: null,
      fetchedAt: null,
      licence: null,
      homepage: null,
      line: 2,
    },
  ]);
  t.strictSame(catalogue.offered, [
    {
      id: 'far',
      category: 'gambling',
      source: 'https://lists.example/gambling.txt',
      licence: 'CC-BY-SA-4.0',
      homepage: null,
      line: 7,
      position: 1,
    },
  ]);
});

await t.test('every problem of both files at once', async (t) => {
  const dir = t.testdir({
    'categories.yaml': `${CATEGORIES}  - { id: gambling, title: Again, description: x, uksic: x, locked: false, flag: false }
`,
    'catalogue.yaml': `lists:
  - { id: one, category: unknown, format: domains, source: ./one.txt, enabled: true }
  - { id: one, category: gambling, format: domains, source: "https://lists.example/a.txt", enabled: true }
  - { id: three, category: gambling, format: illegal-hashes, source: ./one.txt, enabled: true }
  - { id: four, category: gambling, format: ut1, source: ./one.txt, enabled: true }
  - { id: five, category: gambling, format: hosts, source: ./folder, enabled: true }
  - { id: six, category: gambling, format: hosts, source: ./list.zip, enabled: true }
`,
    'one.txt': 'bets.test\n',
    'list.zip': '',
    folder: {},
  });
  t.strictSame(problemsOf(dir), [
    'categories.yaml:4 "gambling" is already defined in line 2',
    'catalogue.yaml:3 "one" is already defined in line 2',
    'catalogue.yaml:2 list "one": the category "unknown" is not in categories.yaml',
    'catalogue.yaml:4 list "three": "illegal-hashes" is for locked categories, and "gambling" is none',
    'catalogue.yaml:5 list "four": "format: ut1" needs a folder, and ./one.txt is a file',
    'catalogue.yaml:6 list "five": ./folder is a folder, and only "format: ut1" reads folders',
    'catalogue.yaml:7 list "six": ./list.zip must be plain, .gz or .zst',
  ]);
});

await t.test('what is fetched, and how', async (t) => {
  const list = (rest: string): string => `  - { category: gambling, format: domains, enabled: true, ${rest} }\n`;
  const good = t.testdir({
    'categories.yaml': CATEGORIES,
    'catalogue.yaml': `lists:\n${list('id: a, source: "https://lists.example/a.txt"')}${list(
      `id: b, source: "https://10.0.0.5:8443/b", refresh: "*/30 * * * *", maxBytes: 2048, sha256: ${'ab'.repeat(32)}, homepage: "https://lists.example/"`,
    )}`,
  });
  t.match(loadCatalogue(good).lists, [
    {
      path: null,
      fetch: { url: 'https://lists.example/a.txt', refresh: '17 3 * * *', maxBytes: 64 << 20, sha256: null },
    },
    {
      path: null,
      homepage: 'https://lists.example/',
      fetch: { url: 'https://10.0.0.5:8443/b', refresh: '*/30 * * * *', maxBytes: 2048, sha256: 'ab'.repeat(32) },
    },
  ]);
  const bad = t.testdir({
    'categories.yaml': CATEGORIES,
    'catalogue.yaml': `lists:\n${[
      'id: a, source: "http://lists.example/a.txt"',
      'id: b, source: "ftp://lists.example/a.txt"',
      'id: c, source: "https://me:secret@lists.example/a.txt"',
      'id: d, source: "https://lists.example/d.txt", refresh: "every day"',
      'id: e, source: ./e.txt, refresh: "17 3 * * *", maxBytes: 4096',
    ]
      .map(list)
      .join('')}`,
  });
  t.strictSame(problemsOf(bad), [
    'catalogue.yaml:2 list "a": http://lists.example/a.txt cannot be used: only over https is it sure who sent it; give its https address, or download it and name the file',
    'catalogue.yaml:3 list "b": ftp://lists.example/a.txt cannot be used: only over https is it sure who sent it; give its https address, or download it and name the file',
    'catalogue.yaml:4 list "c": an address must not hold a user name or password; name a file with them as "credentials"',
    'catalogue.yaml:5 list "d": "refresh: every day" is not five-field cron',
    'catalogue.yaml:6 list "e": "refresh" is for https sources; ./e.txt is read where it lies',
    'catalogue.yaml:6 list "e": "maxBytes" is for https sources; ./e.txt is read where it lies',
  ]);
});

await t.test('headings of the definitions', async (t) => {
  const dir = t.testdir({
    'categories.yaml': `version: "1"\nheadings: [Gambling, Drugs]\n${CATEGORIES}`,
    'catalogue.yaml': 'lists: []\n',
  });
  t.strictSame(problemsOf(dir), [
    'categories.yaml:5 category "csam": "Illegal" is not among the headings; write "other"',
    'categories.yaml:2 no category stands under "Drugs"',
  ]);
});

await t.test('what does not fit the schema', async (t) => {
  const dir = t.testdir({
    'categories.yaml':
      'categories:\n  - { id: Gam bling, title: x, description: x, uksic: x, locked: no-idea, flag: true }\n',
    'catalogue.yaml': `lists:
  - { id: a, category: gambling, format: csv, source: x, enabled: true }
  - { id: b, category: gambling, format: hosts, source: x, enabled: true, colour: red }
  - { id: c, category: gambling, format: hosts }
`,
  });
  const problems = problemsOf(dir);
  for (const expected of [
    /categories\.yaml:2 "categories\.0\.id"/,
    /categories\.yaml:2 "categories\.0\.locked"/,
    /catalogue\.yaml:2 "lists\.0\.format" must be one of domains, .*ut1/,
    /catalogue\.yaml:3 "lists\.1\.colour" is not a known setting/,
    /catalogue\.yaml:4 "lists\.2\.source" is missing/,
    /catalogue\.yaml:4 "lists\.2\.enabled" is missing/,
  ]) {
    t.ok(
      problems.some((problem) => expected.test(problem)),
      `${expected} in ${problems.join('\n')}`,
    );
  }
});

await t.test('what is illegal stays apart and locked', async (t) => {
  const list = (id: string, category: string, format: string): string =>
    `  - { id: ${id}, category: ${category}, format: ${format}, source: ./x.txt, enabled: true }\n`;
  const rows =
    list('a', 'csam', 'domains') + list('b', 'gambling', 'illegal-urls') + list('c', 'gambling', 'illegal-hashes');
  t.strictSame(problemsOf(t.testdir({ 'categories.yaml': CATEGORIES, 'catalogue.yaml': `lists:\n${rows}` })), [
    'catalogue.yaml:2 list "a": a list of the locked category "csam" needs "illegal-urls" or "illegal-hashes"',
    'catalogue.yaml:3 list "b": "illegal-urls" is for locked categories, and "gambling" is none',
    'catalogue.yaml:4 list "c": "illegal-hashes" is for locked categories, and "gambling" is none',
  ]);
  for (const open of ['locked: false, flag: true', 'flag: true']) {
    const categories = CATEGORIES.replace(/locked: true, flag: true/, open);
    const found = problemsOf(t.testdir({ 'categories.yaml': categories, 'catalogue.yaml': 'lists: []\n' }));
    t.strictSame(found, ['categories.yaml:3 "csam" is always locked; write "locked: true"'], open);
  }
  const dir = t.testdir({
    'categories.yaml': CATEGORIES,
    'catalogue.yaml': `lists:\n${list('a', 'csam', 'illegal-urls')}`,
  });
  t.match(loadCatalogue(dir), { lists: [], illegal: [{ id: 'a', format: 'illegal-urls', line: 2 }] });
  const far = (more: string): string =>
    `lists:\n  - { id: a, category: csam, format: illegal-urls, source: "https://lists.example/a", enabled: true, ${more} }\n`;
  const fetched = t.testdir({ 'categories.yaml': CATEGORIES, 'catalogue.yaml': far('credentials: /etc/members.txt') });
  t.match(loadCatalogue(fetched).illegal, [
    { path: null, fetched: null, fetch: { url: 'https://lists.example/a', credentials: '/etc/members.txt' } },
  ]);
  for (const credentials of ['members.txt', 'name:password', join(fetched, 'members.txt')]) {
    writeFileSync(join(fetched, 'catalogue.yaml'), far(`credentials: "${credentials}"`));
    t.match(problemsOf(fetched), [/"credentials" names a file outside this folder by its whole path/], credentials);
  }
});

await t.test('missing and empty files', async (t) => {
  const empty = t.testdir({ 'catalogue.yaml': '' });
  t.match(problemsOf(empty), [/categories\.yaml.*cannot be read/, /catalogue\.yaml.*"lists" is missing/]);
});

await t.test('the catalogue that is shipped', async (t) => {
  const { version, categories, lists, offered } = loadCatalogue(join(import.meta.dirname, '../../blocklists'));
  t.match(version, /^\d{4}\.\d+$/);
  const covered = new Set([...lists, ...offered].map(({ category }) => category));
  t.strictSame(
    categories.filter(({ id, locked }) => !locked && !covered.has(id)).map(({ id }) => id),
    [],
    'there is a list for every category that is not locked',
  );
  t.ok(
    lists.every(({ fetch }) => fetch === null),
    'nothing is fetched that nobody switched on',
  );
  for (const { id, source, licence, homepage } of offered) {
    t.ok(URL.parse(source)?.protocol === 'https:' && licence !== null && homepage !== null, id);
    const on = previewCatalogue(join(import.meta.dirname, '../../blocklists'), enabledText(id));
    t.ok(
      on.lists.some((list) => list.id === id && list.fetch?.url === source),
      `${id} can be switched on`,
    );
  }
});

function enabledText(id: string): string {
  const text = readFileSync(join(import.meta.dirname, '../../blocklists/catalogue.yaml'), 'utf8');
  const at = text.indexOf('enabled: false', text.indexOf(`- id: ${id}\n`));
  return `${text.slice(0, at)}enabled: true${text.slice(at + 'enabled: false'.length)}`;
}
