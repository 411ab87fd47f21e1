import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { Command } from 'commander';
import t, { type Test } from 'tap';
import { registerCheck } from '../../src/cli/check.ts';
import { type CliContext, UsageError } from '../../src/cli/context.ts';
import { registerPolicy } from '../../src/cli/policy.ts';
import { readLines } from '../../src/cli/read-lines.ts';
import { type DataLayout, createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import type { SnapshotBodies, SnapshotKind } from '../../src/events/bus.ts';
import { loadOrCreateKeys, signSnapshot } from '../../src/events/signing.ts';
import { SchoolgateError } from '../../src/kernel/errors.ts';
import type { Verdict } from '../../src/policy/verdict.ts';
import { CATEGORIES, FILES, JUNIOR, SCHOOL, at, grant, snapshotOf } from '../policy/small-school.ts';

const MONDAY = at('2026-11-23T09:00:00Z');

const CATEGORIES_YAML = `categories:\n${CATEGORIES.map(
  ({ id, title, locked, flag }) =>
    `  - { id: ${id}, title: ${title}, description: d, uksic: u, locked: ${locked}, flag: ${flag} }\n`,
).join('')}`;

const CATALOGUE = `lists:
  - { id: bets, category: gambling, format: domains, source: ./bets.txt, enabled: true }
  - { id: pages, category: adult, format: urls, source: ./pages.txt, enabled: true }
  - { id: locked, category: csam, format: illegal-urls, source: ./locked.txt, enabled: true }
`;

interface Shell {
  readonly root: string;
  readonly layout: DataLayout;
  /** What the command printed on standard output; rejects with what it threw. */
  run(...args: string[]): Promise<string>;
  verdict(...args: string[]): Promise<Verdict>;
  publish<K extends SnapshotKind>(kind: K, serial: number, body: SnapshotBodies[K]): void;
}

function shell(t: Test): Shell {
  const root = t.testdir({
    policies: { levels: {} },
    blocklists: {
      'categories.yaml': CATEGORIES_YAML,
      'catalogue.yaml': CATALOGUE,
      'bets.txt': 'bets.test\nboth.test\n',
      'pages.txt': 'pages.test/bad\n',
      'locked.txt': 'locked.test\nboth.test\n',
    },
  });
  for (const [name, text] of Object.entries(FILES)) write(join(root, 'policies', name), text);
  const layout = dataLayout(join(root, 'data'));
  const run: Shell['run'] = async (...args) => {
    const stdout = new PassThrough({ highWaterMark: 1 << 30 }) as unknown as NodeJS.WriteStream & PassThrough;
    const stderr = new PassThrough() as unknown as NodeJS.WriteStream;
    const context: CliContext = { env: {}, cwd: root, clock: () => MONDAY, stdin: process.stdin, stdout, stderr };
    const program = new Command('schoolgate').exitOverride();
    registerCheck(program, context);
    registerPolicy(program, context);
    try {
      await program.parseAsync(['node', 'schoolgate', ...args]);
    } catch (error) {
      throw Object.assign(error as Error, { printed: String(stdout.read() ?? '') });
    }
    return String(stdout.read() ?? '');
  };
  return {
    root,
    layout,
    run,
    verdict: async (...args) => JSON.parse(await run('check', ...args, '--json')) as Verdict,
    publish: (kind, serial, body) => {
      createDataFolders(layout);
      const { privateKey } = loadOrCreateKeys(layout);
      const signed = signSnapshot(privateKey, {
        kind,
        serial,
        at: new Date(MONDAY).toISOString(),
        body: JSON.stringify(body),
      });
      write(join(layout.lastGoodSnapshots, `${kind}.json`), JSON.stringify(signed));
    },
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

await t.test('check says where the person is asked first', async (t) => {
  const s = shell(t);
  const warns = JUNIOR.replace('uncategorised: allow', 'uncategorised: warn');
  write(join(s.root, 'policies', 'levels/junior.yaml'), warns);
  const text = await s.run('check', 'http://unknown.test/', '--level', 'junior');
  t.match(text, /^WARNED {3}http:\/\/unknown\.test\/$/m);
  t.match(text, /For staff .*action warn: the person is asked first/);
  t.match(text, /Said to the person .*Read the warning/);
});

await t.test('check explains itself to a person at a terminal', async (t) => {
  const s = shell(t);
  const text = await s.run('check', 'http://www.BETS.test/', '--level', 'senior');
  t.match(text, /^BLOCKED {2}http:\/\/www\.bets\.test\/$/m);
  t.match(text, /Said to the person {2}This site is closed because it belongs to “Gambling”/);
  t.match(text, /For staff .*rule levels\/junior\.yaml#categories\.gambling; on list bets/);
  t.match(text, /On lists +bets: bets\.test and everything under it$/m);
  t.match(text, /Policy .*none is published here yet/);
  t.notMatch(text, /no path/, 'plain http is judged as a whole');
  const https = await s.run('check', 'https://pages.test/bad');
  t.match(https, /^ALLOWED/);
  t.match(https, /over https a gateway sees no path/);
  t.match(await s.run('check', 'a.test', '--from', '10.1.2.3'), /Level +senior$[^]*address range/m);
  t.match(await s.run('check', 'a.test', '--user', 'Zoe'), /directory knows zoe.*strictest/);
  t.notMatch(await s.run('check', 'a.test'), /On lists|ranges of addresses/);
  write(join(s.root, 'policies/levels/junior.yaml'), JUNIOR.replace('block: [', 'block: [93.184.216.0/24, '));
  t.match(await s.run('check', 'a.test'), /^ALLOWED[^]*the policy’s ranges of addresses were not asked/);
  const literal = await s.run('check', 'http://93.184.216.7/');
  t.match(literal, /^BLOCKED[^]*rule levels\/junior\.yaml#block\.93\.184\.216\.0\/24/);
  t.notMatch(literal, /were not asked/);
});

await t.test('check gives the verdict of a gateway', async (t) => {
  const s = shell(t);
  const table: [string[], string, string][] = [
    [['http://bets.test/'], 'block category gambling junior null', 'http://bets.test/'],
    [['bets.test'], 'block category gambling junior null', 'https://bets.test/'],
    [['bets.test:443'], 'block category gambling junior null', 'https://bets.test/'],
    [['http://pages.test/BAD/x'], 'block category adult junior null', 'http://pages.test/BAD/x'],
    [['https://pages.test/bad/x'], 'allow uncategorised null junior null', 'https://pages.test/bad/x'],
    [['http://a.test/x.exe'], 'block block-list null junior null', 'http://a.test/x.exe'],
    [['https://a.test/x.exe'], 'allow uncategorised null junior null', 'https://a.test/x.exe'],
    [['private.example', '--user', 'ANN'], 'block person null junior ann', 'https://private.example/'],
    [['bets.test', '--user', 'Ann'], 'allow group gambling junior ann', 'https://bets.test/'],
    [['a.test', '--user', 'ann', '--at', '2026-11-23T11:30'], 'block lesson null junior ann', 'https://a.test/'],
    [
      ['a.test', '--level', 'evening', '--at', '2026-06-22T07:30:00Z'],
      'allow uncategorised null evening null',
      'https://a.test/',
    ],
    [
      ['a.test', '--level', 'evening', '--at', '2026-06-22T16:30+01:00'],
      'block schedule null evening null',
      'https://a.test/',
    ],
    [['http://a.test:81/'], 'block port null junior null', 'http://a.test:81/'],
    [['https://a.test:80/'], 'block port null junior null', 'https://a.test:80/'],
    [['http://192.168.1.1/'], 'block destination null junior null', 'http://192.168.1.1/'],
    [['http://0x7f.1/'], 'block destination null junior null', 'http://127.0.0.1/'],
    [['ftp://a.test/'], 'block protocol null junior null', 'null'],
    [['mailto:a@b.test'], 'block protocol null junior null', 'null'],
    [['http://user@a.test/'], 'block malformed null junior null', 'null'],
    [['http://'], 'block malformed null junior null', 'null'],
    [[''], 'block malformed null junior null', 'null'],
  ];
  for (const [args, expected, canonical] of table) {
    const { verdict, reason, category, level, user, canonical: found } = await s.verdict(...args);
    t.equal([verdict, reason, category, level, user].map(String).join(' '), expected, args.join(' '));
    t.equal(String(found), canonical, args.join(' '));
  }
});

await t.test('check says which entry of which list matched', async (t) => {
  const s = shell(t);
  const list = (id: string, format: string, source: string): string =>
    `  - { id: ${id}, category: gambling, format: ${format}, source: ./${source}, enabled: true }\n`;
  const catalogue =
    CATALOGUE +
    list('rules', 'adblock', 'rules.txt') +
    list('fire', 'cidr', 'fire.txt') +
    list('folder', 'ut1', 'folder');
  write(join(s.root, 'blocklists', 'catalogue.yaml'), catalogue);
  write(join(s.root, 'blocklists', 'rules.txt'), '||bets.test^\n@@||good.bets.test^\n');
  write(join(s.root, 'blocklists', 'fire.txt'), '9.9.9.0/24\n');
  write(join(s.root, 'blocklists', 'folder', 'domains'), 'poker.test\n');
  write(join(s.root, 'blocklists', 'folder', 'expressions'), `casino\n^(${'x'.repeat(200)}|www\\.bets)\n`);
  const table: [url: string, matched: object[], text: RegExp | null][] = [
    [
      'http://www.bets.test/',
      [
        { list: 'bets', category: 'gambling', form: 'host', entry: 'bets.test' },
        { list: 'rules', category: 'gambling', form: 'host', entry: 'bets.test' },
        {
          list: 'folder',
          category: 'gambling',
          form: 'expression',
          entry: `^(${'x'.repeat(200)}|www\\.bets)`,
          number: 2,
        },
      ],
      /On lists +bets: bets\.test and everything under it\n {22}rules: .*\n {22}folder: expression no\. 2, \^\(x+…\n/,
    ],
    [
      'http://good.bets.test/',
      [
        { list: 'rules', category: 'gambling', form: 'exception', entry: 'good.bets.test' },
        { list: 'bets', category: 'gambling', form: 'host', entry: 'bets.test' },
      ],
      /On lists +rules: not on this list, which excepts good\.bets\.test\n {22}bets: bets\.test and/,
    ],
    [
      'http://pages.test/bad/x',
      [{ list: 'pages', category: 'adult', form: 'url', entry: 'pages.test/bad' }],
      /pages: pages\.test\/bad$/m,
    ],
    ['https://pages.test/bad/x', [], null],
    [
      'http://9.9.9.7/',
      [{ list: 'fire', category: 'gambling', form: 'range', entry: '9.9.9.0/24' }],
      /fire: 9\.9\.9\.0\/24$/m,
    ],
    ['http://locked.test/', [], null],
    ['http://both.test/', [{ list: 'bets', category: 'gambling', form: 'host', entry: 'both.test' }], null],
    ['http://192.168.1.1/', [], null],
    ['ftp://bets.test/', [], null],
  ];
  for (const [url, matched, text] of table) {
    const { matched: found } = (await s.verdict(url)) as Verdict & { matched: unknown };
    t.strictSame(found, matched, url);
    if (text !== null) t.match(await s.run('check', url), text, url);
  }
});

await t.test('a list of illegal material is never consulted', async (t) => {
  const s = shell(t);
  const hidden = await s.verdict('http://locked.test/');
  t.strictSame([hidden.reason, hidden.categories, hidden.lists, hidden.locked], ['uncategorised', [], [], false]);
  const both = await s.verdict('http://both.test/');
  t.strictSame([both.reason, both.categories, both.lists], ['category', ['gambling'], ['bets']]);
});

await t.test('a misused check says what to do', async (t) => {
  const s = shell(t);
  const table: [string[], RegExp][] = [
    [['check'], /Name an address/],
    [['check', 'a.test', '--level', 'ks9'], /"ks9" is not a level; there are evening, junior, senior/],
    [['check', 'a.test', '--level', 'junior', '--user', 'ann'], /either a person or a level/],
    [['check', 'a.test', '--from', 'here'], /"here" is not an IP address/],
    [['check', 'a.test', '--at', 'noon'], /"noon" is not a time/],
    [['check', 'a.test', '--batch', 'x'], /--batch stands alone/],
    [['check', '--batch', 'nowhere.ndjson'], /nowhere\.ndjson cannot be read \(ENOENT\)/],
    [['check', '--batch', 'policies'], /policies cannot be read \(it is a folder\)/],
  ];
  for (const [args, message] of table) t.match(await misuse(s.run(...args)), message, args.join(' '));
});

async function misuse(running: Promise<unknown>): Promise<string> {
  const error = await running.catch((thrown: unknown) => thrown);
  return error instanceof UsageError ? error.message : `not a misuse: ${String(error)}`;
}

await t.test('a batch is answered line by line, and a bad line does not stop it', async (t) => {
  const s = shell(t);
  const lines = [
    '{"url":"http://bets.test/","level":"senior"}',
    '{"url":"bets.test","user":"ann","from":"10.1.0.1","at":"2026-11-23T09:00:00Z"}',
    'not json',
    '',
    '{"url":"a.test","level":"ks9"}',
    '{"url":"a.test","colour":"red"}',
    '{"url":7}',
    '{"level":"junior"}',
    '["a.test"]',
    '{"url":"http://münchen.test/\u2028x"}',
  ];
  writeFileSync(join(s.root, 'batch.ndjson'), `\ufeff${lines.join('\r\n')}`);
  const error = await s.run('check', '--batch', 'batch.ndjson').catch((error: unknown) => error);
  t.match(error, { code: 'batch', message: '6 of 10 lines could not be checked' });
  const answers = (error as { printed: string }).printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict & { error?: string; line?: number });
  t.match(answers, [
    { verdict: 'block', level: 'senior' },
    { verdict: 'allow', user: 'ann', at: '2026-11-23T09:00:00.000Z' },
    { error: 'The line is not JSON.', line: 3 },
    { error: /"ks9" is not a level/, line: 5 },
    { error: /has a field "colour"/, line: 6 },
    { error: /"url" that is not a text/, line: 7 },
    { error: /has no "url"/, line: 8 },
    { error: /is not a JSON object/, line: 9 },
    { canonical: /^http:\/\/xn--mnchen-3ya\.test\/%E2%80%A8x$/ },
  ]);
  t.equal(answers.length, 9);
});

await t.test('a batch of many lines is answered completely and in order', async (t) => {
  const s = shell(t);
  const urls = Array.from({ length: 5000 }, (_, i) => `http://h${i}.${i % 2 === 0 ? 'bets' : 'free'}.test/`);
  writeFileSync(join(s.root, 'batch.ndjson'), urls.map((url) => `{"url":"${url}"}\n`).join(''));
  const answers = (await s.run('check', '--batch', 'batch.ndjson'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict);
  t.strictSame(
    answers.map(({ canonical, verdict }) => [canonical, verdict]),
    urls.map((url, i) => [url, i % 2 === 0 ? 'block' : 'allow']),
  );
});

await t.test('check uses the policy in force here, with its unblocks, and else the files', async (t) => {
  const s = shell(t);
  t.equal((await s.verdict('closed.example')).serial, 0);
  const published = snapshotOf({ 'levels/junior.yaml': JUNIOR.replace('gambling: block', 'gambling: allow') });
  s.publish('policy', 7, published);
  const found = await s.verdict('bets.test');
  t.strictSame([found.verdict, found.serial, found.policy], ['allow', 7, published.hash]);
  t.match(await s.run('check', 'bets.test'), /Policy +serial 7, in force/);
  s.publish('live', 3, { grants: [grant({ hosts: ['closed.example'], ranges: ['10.9.0.0/24'] })] });
  t.equal((await s.verdict('closed.example')).reason, 'block-list');
  t.equal((await s.verdict('closed.example', '--from', '10.9.0.5')).reason, 'unblock');
  t.equal(
    (await s.verdict('closed.example', '--from', '10.9.0.5', '--at', '2026-11-23T10:00:00Z')).reason,
    'block-list',
  );
});

await t.test('a policy that somebody tampered with is refused', async (t) => {
  const s = shell(t);
  s.publish('policy', 7, snapshotOf());
  const path = join(s.layout.lastGoodSnapshots, 'policy.json');
  writeFileSync(
    path,
    JSON.stringify({
      kind: 'policy',
      serial: 8,
      at: '2026-11-23T09:00:00.000Z',
      body: JSON.stringify(snapshotOf()),
      signature: 'AAAA',
    }),
  );
  await t.rejects(s.run('check', 'a.test'), { code: 'snapshot_unusable' });
  rmSync(path);
  t.equal((await s.verdict('a.test')).serial, 0);
});

await t.test('policy validate tells every problem, and touches nothing', async (t) => {
  const s = shell(t);
  t.match(
    await s.run('policy', 'validate'),
    /^The policy is valid: levels evening, junior, senior; 3 people; 3 groups\. Hash [0-9a-f]{64}\.\nThese lines change/,
  );
  t.match(await s.run('policy', 'validate'), /^ {2}levels\/evening\.yaml:2: nobody can get level "evening"/m);
  const idle = { file: 'rules.yaml', line: 9, reason: /nobody is in group "idle"/ };
  const valid = JSON.parse(await s.run('policy', 'validate', '--json')) as { warnings: object[] };
  t.match(valid, { valid: true, hash: /^[0-9a-f]{64}$/, errors: [] });
  t.match(
    valid.warnings.filter((one) => JSON.stringify(one).includes('idle')),
    [idle],
  );
  write(join(s.root, 'policies', 'levels', 'junior.yaml'), JUNIOR.replace('adult: block', 'csam: allow'));
  write(join(s.root, 'policies', 'school.yaml'), SCHOOL.replace('junior', 'ks9'));
  const error = await s.run('policy', 'validate').catch((error: unknown) => error);
  t.ok(error instanceof SchoolgateError && error.code === 'invalid_input');
  t.match(error, { message: /school\.yaml:8: "ks9" is not a level[^]*levels\/junior\.yaml:8: "csam" is locked/ });
  const printed = await s.run('policy', 'validate', '--json').catch((failed: { printed: string }) => failed.printed);
  t.match(JSON.parse(printed), {
    valid: false,
    hash: null,
    errors: [{ file: 'school.yaml', line: 8 }, {}],
    warnings: [],
  });
  t.notOk(existsSync(s.layout.root), 'no data folder is made');
  t.strictSame(readdirSync(join(s.root, 'policies')).sort(), ['levels', 'rules.yaml', 'school.yaml']);
});

await t.test('policy show prints a level with inheritance resolved', async (t) => {
  const s = shell(t);
  const text = await s.run('policy', 'show', 'evening');
  t.match(
    text,
    /^Evening \(evening\); pages speak to: child\nOpen Mon Tue Wed Thu Fri 08:00–16:00 \(levels\/evening\.yaml#hours\)\n/,
  );
  t.match(text, /^gambling +block +levels\/junior\.yaml#categories\.gambling$/m);
  t.match(text, /^always\.example +allow +levels\/evening\.yaml#allow\.always\.example$/m);
  t.match(text, /^mixed\.example +block +/m);
  t.match(text, /^\*\.exe on plain http +block +levels\/junior\.yaml#downloads$/m);
  t.match(await s.run('policy', 'show', 'junior'), /^Open at all times$/m);
  const times = 'times: [{ name: Lunch, when: [weekends], categories: { games: allow } }]\n';
  write(join(s.root, 'policies', 'levels', 'junior.yaml'), JUNIOR + times);
  const row = /^weekends: games +allow +levels\/junior\.yaml#times\.Lunch\.categories\.games$/m;
  t.match(await s.run('policy', 'show', 'evening'), row, 'what holds at certain times, also where it is inherited');
  const term = 'calendar: { terms: [{ name: Autumn, from: 2026-09-01, to: 2026-12-18 }] }\n';
  write(join(s.root, 'policies', 'school.yaml'), SCHOOL + term);
  t.match(await s.run('policy', 'validate'), /; 3 groups; terms up to 2026-12-18\. Hash/);
  t.match(await misuse(s.run('policy', 'show', 'constructor')), /"constructor" is not a level/);
});

await t.test('policy diff compares the files with what is in force', async (t) => {
  const s = shell(t);
  t.match(await s.run('policy', 'diff'), /^No policy has been published here yet/);
  s.publish('policy', 7, snapshotOf());
  t.equal(await s.run('policy', 'diff'), 'The files on disk are policy 7, which is in force on this machine.\n');
  write(
    join(s.root, 'policies', 'levels', 'senior.yaml'),
    FILES['levels/senior.yaml']!.replace('games: allow', 'games: block, chat: allow'),
  );
  t.equal(
    await s.run('policy', 'diff'),
    [
      'The files on disk would change policy 7, which is in force on this machine ("+" may open something for pupils):',
      '+ Senior: Chat is now allowed (was open after a warning)',
      '  Senior: Games is now blocked (was allowed)',
      '',
    ].join('\n'),
  );
  write(
    join(s.root, 'policies', 'levels', 'senior.yaml'),
    FILES['levels/senior.yaml']!.replace('games: allow', 'games: allow, adult: block'),
  );
  t.match(await s.run('policy', 'diff'), /^The files on disk only order or place rules differently/);
});

await t.test('lines are read whole however the bytes arrive', async (t) => {
  const text = '\ufeffone\r\ntwé\n\nfour';
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].filter((piece) => piece.length > 0);
    const lines = await allOf(readLines(Readable.from(pieces)));
    t.strictSame(lines, ['one', 'twé', '', 'four'], `cut at ${cut}`);
  }
  const endless = Readable.from([Buffer.alloc(700_000, 97), Buffer.alloc(700_000, 97)]);
  await t.rejects(allOf(readLines(endless)), { code: 'line_too_long' });
});

async function allOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
