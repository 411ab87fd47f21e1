// What our documents name is there: commands, options, variables, scripts, links, paths.
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { KNOWN } from '../src/config/environment.ts';
import { appointsMarkdown, permissionsMarkdown } from '../src/identity/permissions.ts';
import { retentionMarkdown } from '../src/policy/retention-rules.ts';
import * as check from './helpers/documents.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const exists = (path: string): boolean => existsSync(join(ROOT, path));
const documents = globSync('**/*.md', { cwd: ROOT, exclude: ['node_modules/**', 'data/**', '.tap/**'] });
const deployed = globSync('deploy/**/*', { cwd: ROOT, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.svg'))
  .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));

void t.test('links lead somewhere', async (t) => {
  const text = '# One *two*\n[a](b.md) [c](gone.md) [d](#one-two) [e](b.md#three) [f](https://example.org/)';
  t.strictSame(
    check.deadLinks(
      'x/a.md',
      text,
      (path) => path !== 'x/gone.md',
      () => '## Four',
    ),
    ['x/a.md links to x/gone.md, which is nowhere', 'x/a.md links to b.md#three, which has no such heading'],
  );
  for (const file of documents) t.strictSame(check.deadLinks(file, read(file), exists, read), [], file);
});

void t.test('paths are there', async (t) => {
  const there = new Set(['src', 'src/a.ts', 'docs/helpers', 'docs/helpers/b.ts']);
  const text = '`src/a.ts`, `src/a`, `helpers/b.ts`, `helpers/c.ts`, `text/html`, `data/reports/`, `src/gone/`';
  t.strictSame(
    check.deadPaths('docs/x.md', text, (path) => there.has(path.replace(/\/$/, ''))),
    ['docs/x.md names helpers/c.ts, which is nowhere', 'docs/x.md names src/gone/, which is nowhere'],
  );
  for (const file of documents) t.strictSame(check.deadPaths(file, read(file), exists), [], file);
});

void t.test('the README names every variable, and nothing names another', async (t) => {
  const text = 'SCHOOLGATE_ONE, SCHOOLGATE_TWO_FILE, SCHOOLGATE_THREE and `SCHOOLGATE_*`';
  t.strictSame(check.strayVariables('x.md', text, ['ONE', 'TWO', 'FOUR'], true), [
    'x.md names SCHOOLGATE_THREE, which is not known',
    'x.md does not name SCHOOLGATE_TWO',
    'x.md does not name SCHOOLGATE_FOUR',
  ]);
  for (const file of [...documents, ...deployed]) {
    t.strictSame(check.strayVariables(file, read(file), KNOWN, file === 'README.md'), [], file);
  }
});

void t.test('the README shows who may do what as the console has it', async (t) => {
  t.ok(
    read('README.md').includes(permissionsMarkdown()),
    `the table of permissions must be:\n${permissionsMarkdown()}`,
  );
  t.ok(read('README.md').includes(appointsMarkdown()), `who appoints whom must be:\n${appointsMarkdown()}`);
});

void t.test('the README of the policies shows how long data is kept as the code has it', async (t) => {
  const text = read('policies/README.md');
  t.ok(text.includes(retentionMarkdown()), `the table must be:\n${retentionMarkdown()}`);
});

void t.test('scripts are there', async (t) => {
  t.strictSame(check.strayScripts('x.md', 'npm start, npm test, npm run gone', ['start']), [
    'x.md names npm run test',
    'x.md names npm run gone',
  ]);
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
  for (const file of documents) t.strictSame(check.strayScripts(file, read(file), scripts), [], file);
});

void t.test('the README shows the commands there are, and nothing shows another', async (t) => {
  const program = check.commandLine();
  const text = [
    '`npx schoolgate lists build --rejected`',
    '`npx schoolgate COMMAND --help`',
    'npx schoolgate lists burn',
    'npx schoolgate check --brief http://example.org/',
    'npx schoolgate begin # at once',
  ].join('\n');
  t.strictSame(check.strayCommands('x.md', text, program), [
    'x.md: npx schoolgate lists burn: there is no burn',
    'x.md: npx schoolgate check --brief http://example.org/: there is no --brief',
    'x.md: npx schoolgate begin: there is no begin',
  ]);
  for (const file of [...documents, ...deployed])
    t.strictSame(check.strayCommands(file, read(file), program), [], file);

  const section = /^## Commands\n(.*?)^## /ms.exec(read('README.md'))![1]!;
  const cells = [...section.matchAll(/^\| (`.*?) \|/gm)].map((match) => match[1]!);
  const shown = cells.flatMap((cell) => [...cell.matchAll(/`([a-z ]+)(?: [A-Z]+)?`/g)].map((match) => match[1]!));
  t.strictSame(shown.toSorted(), check.leavesOf(program).toSorted(), 'the table and the command line are the same');

  const { stdout } = await promisify(execFile)(process.execPath, ['bin/schoolgate.mjs', '--help'], { cwd: ROOT });
  const offered = [...stdout.split('Commands:')[1]!.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1]!);
  const known = program.commands.map((command) => command.name());
  t.strictSame(offered.toSorted(), [...known, 'help'].toSorted(), 'the program offers what was looked at here');
});
