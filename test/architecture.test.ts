// The shape of src/, checked on its import graph against the tables of helpers/allowed-imports.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  CONTROL_PLANE,
  NEIGHBOURS,
  NOT_IMPORTED,
  PACKAGE_HOMES,
  PLAIN_NODE,
  PURE_TO_THE_GROUND,
  REACH_OUT,
  ROOMS,
  TOOLS,
  WALLS,
} from './helpers/allowed-imports.ts';
import * as rules from './helpers/source-rules.ts';
import { type Sources, cyclesOf, importsOf, readSources, roomOf, usesOf, waysTo } from './helpers/source-tree.ts';

const ROOT = join(import.meta.dirname, '..');
const sources = readSources(join(ROOT, 'src'));
const imports = importsOf(sources);
const files = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(ROOT, folder).length + 1))
    .sort();
const rooms = [...new Set([...sources.keys()].map(roomOf))].filter((room) => !room.endsWith('.ts'));

/** A made-up tree, to see each check fail once. */
function tree(texts: Readonly<Record<string, string>>): Sources {
  return new Map(Object.entries(texts));
}

void t.test('no process reaches what it must not', async (t) => {
  const broken = tree({
    'gateway/a.ts': "import { b } from './b.ts'; import type { Tx } from '../store/database.ts';",
    'gateway/b.ts': "export * from '../policy/c.ts';",
    'policy/c.ts': "const d = await import('../store/database.ts'); type T = import('../console/app.ts').T;",
  });
  t.strictSame(
    rules.waysThrough(broken.keys(), importsOf(broken), { from: ['gateway/*', 'x.ts'], never: CONTROL_PLANE }),
    [
      'x.ts is nowhere',
      'gateway/a.ts → gateway/b.ts → policy/c.ts → store/database.ts',
      'gateway/b.ts → policy/c.ts → store/database.ts',
    ],
  );
  for (const wall of WALLS) t.strictSame(rules.waysThrough(sources.keys(), imports, wall), [], wall.why);
});

void t.test('pure files reach out of the process by nothing', async (t) => {
  const broken = tree({
    'policy/a.ts': "import { readFileSync } from 'node:fs'; import type { Socket } from 'node:net';",
    'policy/b.ts': "import { createHash } from 'node:crypto'; import { lookup } from 'node:dns/promises';",
  });
  const allowed = [
    { where: 'policy/b.ts', why: '' },
    { where: 'policy/c.ts', why: '' },
  ];
  t.strictSame(rules.impure(importsOf(broken), PLAIN_NODE, allowed), [
    'policy/a.ts is a pure file and imports node:fs',
    'policy/c.ts may reach out and does not',
  ]);
  t.strictSame(rules.impure(imports, PLAIN_NODE, REACH_OUT), []);
});

void t.test('what decides, reads and counts reaches out by nothing it imports either', async (t) => {
  const isOutward = (to: string): boolean => to.startsWith('node:') && !PLAIN_NODE.includes(to);
  const broken = tree({ 'a.ts': "import './b.ts';", 'b.ts': "import 'node:net';" });
  t.strictSame(waysTo(importsOf(broken), 'a.ts', isOutward), ['a.ts → b.ts → node:net']);
  for (const file of PURE_TO_THE_GROUND) {
    t.ok(sources.has(file), `${file} is there`);
    t.strictSame(waysTo(imports, file, isOutward), [], file);
  }
});

void t.test('each package has one home, and is declared and used', async (t) => {
  const broken = tree({
    'a/x.ts': "import { Redis } from 'ioredis'; import type { Y } from '@yes/yes/deep';",
    'b/x.ts': "import 'ioredis/built'; import 'left-pad';",
  });
  const homes = { ioredis: ['a/*'], '@yes/yes': ['a/x.ts', 'c/*'], 'left-pad': ['b/x.ts'] };
  const declared = ['ioredis', '@yes/yes', 'idle', 'styles'];
  t.strictSame(rules.strayPackages(importsOf(broken), { homes, declared, otherwise: ['styles'] }), [
    'b/x.ts imports ioredis, whose home is elsewhere',
    'b/x.ts imports left-pad, which is not declared',
    '@yes/yes is not imported by c/*',
    'idle is declared and imported nowhere',
  ]);
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = { homes: PACKAGE_HOMES, declared: Object.keys(dependencies), otherwise: NOT_IMPORTED };
  t.strictSame(rules.strayPackages(imports, packages), []);
  const inTests = importsOf(readSources(join(ROOT, 'test'))).filter(({ kind }) => kind === 'package');
  const known = new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
  t.strictSame(
    inTests.filter(({ to }) => !known.has(to)),
    [],
    'what tests import is declared',
  );
  const idle = Object.keys(devDependencies).filter(
    (name) => !TOOLS.test(name) && !inTests.some(({ to }) => to === name),
  );
  t.strictSame(idle, [], 'what is declared for tests is imported by one');
});

void t.test('no file loads itself by a detour', async (t) => {
  const broken = tree({
    'a.ts': "import './b.ts';",
    'b.ts': "import './c.ts'; import type { A } from './a.ts';",
    'c.ts': "import { type B } from './b.ts';",
  });
  t.strictSame(cyclesOf(importsOf(broken)), ['b.ts → c.ts → b.ts']);
  t.strictSame(cyclesOf(imports), []);
});

void t.test('rooms import what the table allows', async (t) => {
  const broken = tree({
    'kernel/a.ts': "import '../policy/b.ts';",
    'policy/b.ts':
      "import '../kernel/a.ts'; import type { T } from '../console/app.ts'; import '../store/database.ts';",
    'policy/service.ts': "import '../store/database.ts'; import '../reports/week.ts';",
  });
  const where = 'policy/b.ts';
  const table: rules.Rooms = {
    mayImport: { kernel: [], policy: ['kernel'] },
    workers: { files: ['*/service.ts'], rooms: ['store'] },
    deviations: [
      { where, to: 'store/database.ts', why: '' },
      { where, to: 'jobs/*', why: '' },
    ],
  };
  t.strictSame(rules.unruly(importsOf(broken), table), [
    'kernel/a.ts may not import policy/b.ts',
    'policy/service.ts may not import reports/week.ts',
    'policy/b.ts no longer needs its leave to import jobs/*',
  ]);
  t.strictSame(rules.unruly(imports, ROOMS), []);
  t.strictSame(
    [...new Set([...sources.keys()].map(roomOf))].filter((room) => !(room in ROOMS.mayImport)),
    [],
  );
});

void t.test('nobody reaches into another room’s tables or routes, nor upwards', async (t) => {
  const broken = tree({
    'unblock/routes.ts': "import type { Row } from '../policy/repository.ts'; import './repository.ts';",
    'policy/steps.ts': "import '../unblock/routes.ts'; import type { Unblock } from '../unblock/model.ts';",
    'console/app.ts': "import '../unblock/routes.ts';",
  });
  const made = importsOf(broken);
  t.strictSame(rules.importedElsewhere(made, 'repository.ts', []), ['unblock/routes.ts imports policy/repository.ts']);
  t.strictSame(rules.importedElsewhere(made, 'routes.ts', ['console']), ['policy/steps.ts imports unblock/routes.ts']);
  t.strictSame(rules.knows(made, 'policy/*', 'unblock/model.ts'), ['policy/steps.ts knows unblock/model.ts']);

  const isPortOfJobs = (complaint: string): boolean => complaint === 'compose/console.ts imports jobs/repository.ts';
  const foreign = rules.importedElsewhere(imports, 'repository.ts', []);
  t.strictSame(
    foreign.filter((complaint) => !isPortOfJobs(complaint)),
    [],
  );
  t.ok(foreign.some(isPortOfJobs), 'the timetable is handed its last runs: jobs has no service of its own');
  t.strictSame(rules.importedElsewhere(imports, 'routes.ts', ['console', 'compose']), []);
  t.strictSame(rules.knows(imports, 'policy/*', 'unblock/*'), [], 'compose hands grants to the gateway');
  t.strictSame(rules.knows(imports, 'kernel/*', '*'), [], 'kernel knows nothing of ours');
  for (const [top, by] of [
    ['compose/*', 'cli'],
    ['cli/*', 'main.ts'],
    ['main.ts', 'nobody'],
  ] as const) {
    const others = imports.filter(({ from }) => roomOf(from) !== by);
    t.strictSame(rules.knows(others, '*', top), [], `${top} is known to ${by} alone`);
  }
});

void t.test('time, environment and terminal come from where a process begins', async (t) => {
  const broken = tree({
    'a.ts': 'const now = Date.now(); new Date(now); console.log(process.env.HOME);',
    'b.ts': 'const at = new Date().toISOString(); performance.now();',
    'kernel/clock.ts': 'Date.now();',
  });
  const TIME = /^(?:Date\.now|new Date\(\)|performance\.now|process\.hrtime|Math\.random)$/;
  t.strictSame(rules.strayUses(usesOf(broken), TIME, ['kernel/clock.ts']), [
    'a.ts uses Date.now',
    'b.ts uses new Date()',
    'b.ts uses performance.now',
  ]);
  t.strictSame(rules.strayUses(usesOf(broken), /^console|env$/, []), [
    'a.ts uses console.log',
    'a.ts uses process.env',
  ]);

  const uses = usesOf(sources);
  t.strictSame(rules.strayUses(uses, TIME, ['kernel/clock.ts', 'telemetry/*']), [], 'clock and chance');
  const entries = [...sources.keys()].filter((path) => /^compose\/[a-z]+-process\.ts$/.test(path));
  t.strictSame(rules.strayUses(uses, /^process\.env$/, ['main.ts', ...entries]), [], 'environment');
  t.strictSame(rules.strayUses(uses, /^console\./, []), [], 'terminal');
});

void t.test('every room says what it is; files are short and evenly named', async (t) => {
  t.strictSame(rules.tooLong(tree({ 'a.md': '1\n2\n3\n', 'b.md': '1\n2\n' }), 2), ['a.md has 3 lines']);
  t.strictSame(rules.misnamed(['a/one-file.test.ts', 'a/README.md', 'a/TwoFile.ts', 'b_b/x.ts']), [
    'a/TwoFile.ts',
    'b_b/x.ts',
  ]);

  const mute = rooms.filter((room) => !existsSync(join(ROOT, 'src', room, 'README.md')));
  t.strictSame(mute, [], 'rooms without a README');
  const readmes = (folders: readonly string[]): Sources =>
    new Map(folders.map((folder) => [folder, readFileSync(join(ROOT, 'src', folder, 'README.md'), 'utf8')]));
  t.strictSame(rules.tooLong(readmes(rooms.filter((room) => !mute.includes(room))), 30), []);
  t.strictSame(rules.tooLong(readmes(['.']), 40), []);
  const map = readFileSync(join(ROOT, 'src/README.md'), 'utf8');
  t.strictSame(
    rooms.filter((room) => !map.includes(`[\`${room}/\`](${room}/README.md)`)),
    [],
    'rooms missing on the map',
  );
  t.strictSame(rules.tooLong(sources, 450), []);
  t.strictSame(rules.tooLong(readSources(join(ROOT, 'test/helpers')), 450), []);
  t.strictSame(
    rules.misnamed([...files('src'), ...files('test').filter((path) => !path.startsWith('bench/results/'))]),
    [],
  );
});

void t.test('tests stand where their sources stand', async (t) => {
  const made = ['policy/decide.ts', 'policy/words/a.ts'];
  const neighbours = {
    'policy/few.test.ts': ['policy/decide.ts', 'policy/gone.ts'],
    'policy/old.test.ts': ['policy/decide.ts'],
  };
  const tests = ['policy/decide.test.ts', 'policy/words.test.ts', 'policy/few.test.ts', 'policy/lost.test.ts'];
  t.strictSame(rules.misplacedTests(tests, made, neighbours), [
    'test/policy/few.test.ts covers policy/gone.ts, which is nowhere',
    'test/policy/lost.test.ts mirrors no source; name what it covers',
    'test/policy/old.test.ts is nowhere',
  ]);
  const inRooms = files('test').filter(
    (path) => path.endsWith('.test.ts') && !/^(?:journeys|bench)\/|^[^/]+$/.test(path),
  );
  const known = [...sources.keys(), ...files('policies').map((path) => `policies/${path}`)];
  t.strictSame(rules.misplacedTests(inRooms, known, NEIGHBOURS), []);
});
