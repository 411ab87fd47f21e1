// The self-test of the filter through the real processes: console → its own proxy port → worker → console.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { Stack } from '../helpers/stack.ts';
import { joinBoth, MANAGER, pagesOf } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const { makeSchool } = await journey(t);
const LISTS = {
  adult: ['nudity.testcategory.com'],
  gambling: ['own.test'],
  'known-good': ['help.test'],
  'search-engines': ['google.com'],
};
const school = makeSchool('school', { lists: LISTS });
const file = join(school.policyDir, 'school.yaml');
const settings = JSON.parse(readFileSync(file, 'utf8')) as object;
writeFileSync(
  file,
  JSON.stringify({ ...settings, checks: { refused: { gambling: 'own.test' }, open: ['help.test'] } }),
);
const stack = await new Stack({ school, env: { SCHOOLGATE_CONSOLE_PORT: String(await freePort()) } }).start();
t.teardown(() => stack.stop());

interface Tried {
  readonly host: string;
  readonly result: string;
}

const samplesOf = (level: string): Tried[] =>
  stack
    .rows(`SELECT samples FROM checks WHERE kind = 'self' AND level = ? ORDER BY id DESC LIMIT 1`, level)
    .flatMap(({ samples }) => JSON.parse(String(samples)) as Tried[]);
const resultOf = (level: string, host: string): string | undefined =>
  samplesOf(level).find((sample) => sample.host === host)?.result;

void t.test('every level is tried through the proxy, as that level, and makes no concern', async (t) => {
  await joinBoth(stack);
  const pages = await pagesOf(stack, MANAGER);
  await pages.post('/checks/self-test', {}, '/checks?done=testing', '/checks');
  await until('the log has it', () => samplesOf('staff').length > 0, 60_000);
  for (const level of ['ks1', 'ks4', 'staff']) {
    t.equal(resultOf(level, 'nudity.testcategory.com'), 'passed', `${level}: refused by the lists`);
    t.equal(resultOf(level, 'own.test'), 'passed', `${level}: the school’s own sample`);
    t.equal(resultOf(level, 'help.test'), 'not-tried', `${level}: let through, and nothing listens there`);
    t.equal(resultOf(level, 'stormfront.org'), 'failed', `${level}: on no list, and not tried`);
  }
  t.equal(resultOf('staff', 'www.google.com'), 'not-tried', 'staff may search');
  t.equal(resultOf('ks1', 'www.google.com'), undefined, 'the youngest may not');
  t.strictSame(stack.rows('SELECT id FROM concerns'), []);
  t.strictSame(stack.rows('SELECT * FROM flagged_counts'), [], 'and nothing is flagged');
  t.equal(stack.rows(`SELECT 1 FROM audit WHERE action = 'check.self-tested'`).length, 1);
  const told = stack.rows(`SELECT content FROM deliveries WHERE about LIKE 'check:%'`);
  t.match(String(told[0]?.['content']), 'stormfront.org', 'what failed is mailed');
});

void t.test('a console that was started again knows the proxy’s port', async (t) => {
  const before = stack.rows('SELECT id FROM checks').length;
  const [pid] = stack.pids('console');
  process.kill(pid!, 'SIGKILL');
  await until('another console runs', () => stack.pids('console').some((found) => found !== pid));
  await until('it answers', async () => (await stack.health()).status === 'ok', 60_000);
  const pages = await pagesOf(stack, MANAGER);
  await pages.post('/checks/self-test', {}, '/checks?done=testing', '/checks');
  await until('the log has another', () => stack.rows('SELECT id FROM checks').length > before, 60_000);
  t.equal(resultOf('ks1', 'nudity.testcategory.com'), 'passed');
});
