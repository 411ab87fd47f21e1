// From requests to the weekly report: what went through the gateway stands in HTML and CSV, counted right, and so does what is missing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { Stack } from '../helpers/stack.ts';
import { HEAD, joinBoth, MANAGER, signIn } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const { connectStatus, folder, httpStatus, makeSchool, openTunnel } = await journey(t);
const school = makeSchool();
school.writeSettings({ ranges: [{ cidr: '127.0.0.0/8', level: 'ks3', name: 'Library' }] });
const stack = await new Stack({ school, workers: 1 }).start();
t.teardown(() => stack.stop());

/** How often each was asked for, each time with its own record. */
const OPEN = 5;
const TUNNELS = 4;
const REFUSED_PAGES = 3;
const REFUSED_TUNNELS = 2;

/** The lines of a table in the CSV file, without their first cell. */
function table(csv: string, name: string): string[] {
  const lines = csv.split('\r\n').filter((line) => line.startsWith(`${name},`));
  return lines.map((line) => line.slice(name.length + 1));
}

/** Records that no segment was closed over yet; a tunnel's opening line is none. */
function recordsOnDisk(): number {
  const { spoolOpen } = stack.layout;
  const lines = readdirSync(spoolOpen).flatMap((file) => readFileSync(join(spoolOpen, file), 'utf8').split('\n'));
  return lines.filter((line) => line !== '' && !line.startsWith('{"opening"')).length;
}

void t.test('a week of the running product', async (t) => {
  const from = new Date().toISOString();
  for (let n = 0; n < OPEN; n++) t.equal(await httpStatus(stack, 'open.test'), 200);
  for (let n = 0; n < TUNNELS; n++) await (await openTunnel(stack, 'encyclopaedia.test')).close();
  for (let n = 0; n < REFUSED_PAGES; n++) t.equal(await httpStatus(stack, 'casino.test'), 403);
  for (let n = 0; n < REFUSED_TUNNELS; n++) t.equal(await connectStatus(stack, 'www.casino.test'), 403);

  await joinBoth(stack);
  const [manager, head] = [await signIn(stack, MANAGER), await signIn(stack, HEAD)];
  const end = new Date(Date.now() + 600_000).toISOString();
  const terms = { topic: 'Probability', reason: 'Year 9', hosts: ['games.test'], levels: ['ks3'], until: end };
  const { id } = await manager.call<{ id: string }>('POST', '/api/v1/unblocks', terms);
  await head.call('POST', `/api/v1/unblocks/${id}/approve`, {});
  let games = 0;
  await until('it is open', async () => {
    games++;
    return (await httpStatus(stack, 'games.test')) === 200;
  });

  const asked = OPEN + TUNNELS + REFUSED_PAGES + REFUSED_TUNNELS + games;
  await until('all of it is on the disk', () => recordsOnDisk() === asked);
  process.kill(stack.pids('worker')[0]!, 'SIGKILL');
  await until('the gap is on record', () => stack.rows('SELECT * FROM history_gaps')[0]);
  // A stop closes the segments of this hour; what runs next brings them into the history.
  await stack.stop();
  await stack.start();

  const [html, csv] = [join(folder, 'week.html'), join(folder, 'week.csv')];
  const period = ['--from', from, '--until', new Date(Date.now() + 1000).toISOString()];
  const made = await until('every request is in the history', async () => {
    const ran = await stack.run(['report', 'weekly', ...period, '--html', html, '--csv', csv]);
    const requests = table(readFileSync(csv, 'utf8'), 'figures').find((line) => line.startsWith('Requests,'));
    return Number(requests!.split(',')[1]) >= asked ? ran : null;
  });
  t.equal(made.code, 0, made.stderr);
  const text = readFileSync(csv, 'utf8');
  const requests = (name: string, row: string): string | undefined =>
    table(text, name)
      .find((line) => line.startsWith(`${row},`))
      ?.split(',')[3];
  t.match(table(text, 'figures'), [/^Figure,/, new RegExp(`^Requests,${asked},`)]);
  t.equal(requests('categories', 'In no list'), String(OPEN + TUNNELS));
  t.equal(requests('categories', 'Gambling'), String(REFUSED_PAGES + REFUSED_TUNNELS));
  t.equal(requests('categories', 'Games'), String(games));
  t.equal(requests('levels', 'ks3'), String(asked));
  const [, unblock, ...more] = table(text, 'unblocks');
  t.match(unblock, /^Probability: games\.test,.*"n\.manager, h\.teacher",active,$/);
  t.same(more, []);
  const missing = table(text, 'missing').join('\n');
  t.match(missing, 'No illegal-content list is loaded');
  t.match(missing, /^A worker was killed,.*worker 1/m);
  t.match(made.stdout, 'Missing: A worker was killed.');
  const page = readFileSync(html, 'utf8');
  t.match(page, /^<!doctype html>/i);
  for (const told of ['Journey School', 'Probability: games.test', 'encyclopaedia.test', 'A worker was killed']) {
    t.match(page, told);
  }
});
