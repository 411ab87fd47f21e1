import { execFile } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { type Listening, listen } from '../helpers/listening.ts';
import { Figures } from './figures.ts';
import { createNames } from './lists/names.ts';
import type { Job, Route } from './load/jobs.ts';
import { runJob } from './load/run-job.ts';
import { readOptions } from './options.ts';
import { PAGE, PIECE } from './payload.ts';
import { cpuSeconds, parseStat, residentBytes } from './process-tree.ts';
import type { Report } from './report.ts';
import { judgeTargets } from './targets.ts';

void t.test('the process table is read although a name may hold spaces and brackets', async (t) => {
  const text = '12 (a ) b) S 3 4 4 0 -1 4194560 1 0 0 0 100 20 3 4 20 0 1 0 99 0 0';
  t.same(parseStat(12, text), { pid: 12, parent: 3, group: 4, ticks: 127 });
});

void t.test('CPU and memory of a process that runs are counted, of one that does not are an error', async (t) => {
  const before = cpuSeconds(process.pid);
  for (const end = performance.now() + 100; performance.now() < end;);
  t.ok(cpuSeconds(process.pid) > before, 'burnt CPU shows');
  t.ok(residentBytes(process.pid) > 10 * 2 ** 20, 'Node holds more than 10 MB');
  t.throws(() => cpuSeconds(2 ** 22 + 1), /has ended/);
});

void t.test('figures are medians, and ratios are taken round by round', async (t) => {
  const figures = new Figures();
  const rounds = { squid: [100, 400, 100], schoolgate: [120, 480, 90] };
  for (const value of rounds.squid) figures.add('http.cpu', 'squid', value);
  for (const value of rounds.schoolgate) figures.add('http.cpu', 'schoolgate', value);
  t.equal(figures.value('http.cpu', 'schoolgate'), 120);
  t.equal(figures.value('http.cpu', 'direct'), null);
  t.equal(
    figures.paired(['http.cpu', 'schoolgate'], ['http.cpu', 'squid'], (a, b) => a / b),
    1.2,
  );
});

void t.test('a target is met at its limit, not met above, and open where nothing was measured', async (t) => {
  const figures = new Figures();
  figures.add('idle.fresh', 'schoolgate', 25);
  figures.add('idle.used', 'schoolgate', 45.1);
  const met = new Map(judgeTargets(figures).map((target) => [target.title, target.met]));
  t.equal(met.get('memory of an idle tunnel, fresh'), true);
  t.equal(met.get('memory of an idle tunnel, after 1 MB'), false);
  t.equal(met.get('plain HTTP: CPU against Squid'), null);
});

void t.test('the command line is strict', async (t) => {
  const options = readOptions(['--only', 'http, bulk', '--proxies', 'squid', '--quick']);
  t.same([[...options.only], [...options.proxies], options.quick], [['http', 'bulk'], ['squid'], true]);
  t.throws(() => readOptions(['--only', 'htp']), { message: /"htp" is none of http, connect/ });
  t.throws(() => readOptions(['--proxies', '']), TypeError);
  t.throws(() => readOptions(['--fast']), TypeError);
});

void t.test('a wrong answer fails the job, whatever is wrong with it', async (t) => {
  const spoilt = Buffer.from(PAGE);
  spoilt[1000]! ^= 1;
  const spoiltPiece = Buffer.from(PIECE);
  spoiltPiece[5000]! ^= 1;
  const sends =
    (status: number, body: Buffer): RequestListener =>
    (_request, response) =>
      void response.writeHead(status, { 'content-length': body.length }).end(body);
  const table: [string, RequestListener, (route: Route) => Job, RegExp | null][] = [
    ['right page', sends(200, PAGE), page, null],
    ['wrong status', sends(502, PAGE), page, /was 502, not 200/],
    ['wrong byte', sends(200, spoilt), page, /not its own/],
    ['short page', sends(200, PAGE.subarray(1)), page, /not its own/],
    ['cut connection', (request) => request.socket.destroy(), page, /before the answer/],
    ['right refusal', sends(403, Buffer.from('no')), refused, null],
    ['page instead of a refusal', sends(200, PAGE), refused, /was 200, not 403/],
    ['page called a refusal', sends(403, PAGE), refused, /although it was to be refused/],
    ['right bulk', sends(200, PIECE), bulk, null],
    ['wrong byte in bulk', sends(200, spoiltPiece), bulk, /wrong bytes/],
    ['short bulk', sends(200, PIECE.subarray(1)), bulk, /without its length/],
  ];
  for (const [what, answer, job, wrong] of table) {
    await using origin = await listen(createServer(answer));
    const end = runJob(job(routeTo(origin)), { route: null, tunnels: [] });
    if (wrong === null) await t.resolves(end, what);
    else await t.rejects(end, { message: wrong }, what);
    t.equal(origin.accepted() > 0, true, `${what}: it was asked`);
  }
});

void t.test('a short run ends well, writes its figures and leaves no folder behind', async (t) => {
  const folder = t.testdir({ tmp: {} });
  const json = join(folder, 'out.json');
  const args = [
    join(import.meta.dirname, 'run.ts'),
    '--quick',
    '--only',
    'latency',
    '--proxies',
    'direct',
    '--json',
    json,
  ];
  const env = { ...process.env, TMPDIR: join(folder, 'tmp') };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  t.match(stdout, /one GET in an open tunnel: median +ms +\d/);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  t.equal(report.metrics.find(({ id }) => id === 'single.p50')?.values.direct?.length, 1);
  t.same(readdirSync(join(folder, 'tmp')), []);
});

void t.test('names for lists are many, different, and the same again', async (t) => {
  const names = createNames();
  const taken = names.take(300_000, 5);
  t.equal(new Set(taken).size, 300_000);
  t.same(names.take(2, 300_003), taken.slice(299_998));
  t.notOk(
    taken.some((name) => !/^[a-z0-9-]+\.[a-z]+$/.test(name)),
    'two labels each: none lies under another',
  );
});

void t.test('lists are built, loaded and searched', async (t) => {
  const json = join(t.testdir(), 'out.json');
  const args = ['--quick', '--only', 'lists', '--proxies', 'schoolgate', '--json', json];
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'run.ts'), ...args]);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  const value = (id: string): number => report.metrics.find((metric) => metric.id === id)!.values.schoolgate![0]!;
  t.ok(value('lists.disk') > 8 && value('lists.disk') < 11, `${value('lists.disk')} bytes a name`);
  for (const id of ['memory', 'ready', 'build', 'hit', 'miss']) t.ok(value(`lists.${id}`) > 0, id);
});

void t.test('a run that cannot be says so and writes nothing', async (t) => {
  const json = join(t.testdir(), 'out.json');
  const args = [join(import.meta.dirname, 'run.ts'), '--only', 'nothing', '--json', json];
  await t.rejects(promisify(execFile)(process.execPath, args), { code: 2, stderr: /"nothing" is none of/ });
  t.notOk(existsSync(json));
});

function routeTo(origin: Listening): Route {
  return { proxyPort: null, host: 'localhost', keepAlive: true, httpPort: origin.port, tlsPort: origin.port, ca: '' };
}

function page(route: Route): Job {
  return { kind: 'requests', route, count: 3, concurrency: 1, refusal: null };
}

function refused(route: Route): Job {
  return { kind: 'requests', route, count: 1, concurrency: 1, refusal: 403 };
}

function bulk(route: Route): Job {
  return { kind: 'bulk', route, bytes: PIECE.length, tunnel: false };
}
