// From requests to the weekly report and the pages of the history: what went through the gateway stands in HTML and CSV, counted right, and so does what is missing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { convertHistory } from '../../src/history/convert-history.ts';
import { localInput } from '../../src/kernel/local-time.ts';
import { journey } from '../helpers/journey.ts';
import { Stack } from '../helpers/stack.ts';
import { HEAD, joinBoth, MANAGER, pagesOf, signIn } from '../helpers/staff.ts';
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

/** Tables of what was counted. */
const COUNTED = ['figures', 'days', 'levels', 'categories', 'sites', 'refused-sites', 'reasons', 'volumes'];

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

  // The hourly conversion, by hand: the same week out of Parquet, for the report and for whoever looks into it.
  const { files, problems } = await convertHistory(stack.layout.history, Date.now() + 60_000);
  t.ok(files > 0);
  t.same(problems, []);
  const again = await stack.run(['report', 'weekly', ...period, '--csv', csv]);
  t.equal(again.code, 0, again.stderr);
  const counted = (text: string): string[][] => COUNTED.map((name) => table(text, name));
  t.same(counted(readFileSync(csv, 'utf8')), counted(text), 'the same numbers');
  const explained = await stack.run(['report', 'weekly', ...period, '--explain']);
  t.match(explained.stdout, /^CREATE TABLE sums\.visits /m);
  const pages = await pagesOf(stack, MANAGER);
  const local = (instant: number): string => localInput(instant, 'Europe/London');
  const asking = { site: 'casino.test', from: local(Date.parse(from) - 60_000), until: local(Date.now() + 60_000) };
  const path = `/history?${new URLSearchParams(asking).toString()}`;
  const subject = 'history:casino.test';
  await pages.post('/purpose', { subject, back: path, purpose: 'safeguarding', note: '' }, path, path);
  const shown = await pages.get(path);
  for (const told of ['casino.test', 'www.casino.test', '127.0.0.1', 'Refused']) t.match(shown, told);
  t.notMatch(shown, 'encyclopaedia.test');
});
