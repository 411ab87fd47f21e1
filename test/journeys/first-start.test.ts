// One command on an empty folder, with the policies and lists as they are shipped: what it prints is true when typed.
import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { isRunning, listensOn } from '../helpers/processes.ts';
import { request } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/raw-response.ts';
import { PROJECT, Stack } from '../helpers/stack.ts';
import { HEAD, join as joinAs } from '../helpers/staff.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { until } from '../helpers/until.ts';

const school = {
  dataDir: join(tempFolder(t), 'data'),
  policyDir: join(PROJECT, 'policies'),
  listsDir: join(PROJECT, 'blocklists'),
  dnsServer: null,
};
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());

const through = (url: string, proxyPort = stack.proxyPort): Promise<RawResponse> =>
  request(proxyPort, [`GET ${url} HTTP/1.1`, `Host: ${new URL(url).host}`, 'Connection: close']);

void t.test('the printed curl line shows the block page', async (t) => {
  const [, proxy, url] = /curl -x http:\/\/127\.0\.0\.1:(\d+) (\S+)/.exec(stack.stdout)!;
  const answer = await through(url!, Number(proxy));
  t.equal(answer.status, 403);
  t.equal(answer.header('proxy-status'), 'schoolgate; error=http_request_denied');
  t.equal(answer.header('cache-control'), 'no-store');
  t.match(answer.body.toString(), 'www.bet365.com');
  t.match(answer.body.toString(), 'Alder Vale School');
});

void t.test(
  'the printed check line explains the same verdict, and the level printed for the unidentified is the one used',
  async (t) => {
    const [, url] = /npx schoolgate check (\S+)/.exec(stack.stdout)!;
    const [, level] = /^Whoever is not identified gets level (\S+)\.$/m.exec(stack.stdout)!;
    const { code, stdout } = await stack.run(['check', url!, '--json']);
    t.equal(code, 0);
    t.match(JSON.parse(stdout), { verdict: 'block', reason: 'category', category: 'gambling', level, flagged: true });
    await through(url!.replace('https:', 'http:'));
    const row = await until('the refusal is on record', () => stack.rows('SELECT level, host FROM flagged')[0]);
    t.same({ ...row }, { level, host: 'www.bet365.com' });
  },
);

void t.test('the line about lists counts what is in force and says that no illegal-content list is', async (t) => {
  const [, count] = /^STARTER LISTS ONLY: ([\d,]+) names; no illegal-content list is loaded\. Next: /m.exec(
    stack.stdout,
  )!;
  const { code, stdout } = await stack.run(['lists', 'status']);
  t.equal(code, 0);
  t.match(stdout, 'No illegal-content list is loaded.');
  t.ok(Number(count!.replaceAll(',', '')) > 500, `${count} names`);
});

void t.test('console, front desk and the line for another machine lead where they say', async (t) => {
  const console = `http://127.0.0.1:${stack.consolePort}/`;
  const home = await fetch(console);
  t.match(home.url, /\/sign-in/, 'the console asks who one is');
  t.match(stack.stdout, `ssh -L ${stack.consolePort}:127.0.0.1:${stack.consolePort} `);
  t.match(stack.stdout, `@${hostname()}`);
  const [, pac] = /devices: (\S+)\)/.exec(stack.stdout)!;
  const script = await fetch(pac!);
  t.equal(script.status, 200);
  t.equal(script.headers.get('content-type')?.split(';')[0], 'application/x-ns-proxy-autoconfig');
  t.match(await script.text(), `:${stack.proxyPort}`);
  t.equal((await fetch(pac!.replace('proxy.pac', 'wpad.dat'))).status, 200);
  const inside = /through the proxy (\S+)/.exec(stack.stdout)![1]!;
  t.equal((await through(inside)).status, 200);
});

void t.test('"why was I blocked?" shows the last refusals of whoever asks, through the proxy', async (t) => {
  await through('http://www.bet365.com/only-this-page');
  const why = await until('the refusal is shown', async () => {
    const page = await through('http://schoolgate.internal/why');
    return page.body.includes('bet365') ? page : null;
  });
  t.equal(why.status, 200);
});

void t.test('each first link makes one account, once', async (t) => {
  t.same([...stack.firstLinks.keys()], ['headteacher', 'network-manager']);
  const link = stack.firstLinks.get('headteacher')!;
  t.equal((await fetch(link)).status, 200);
  await joinAs(link, HEAD);
  t.equal((await fetch(link)).status, 410);
  t.equal((await fetch(stack.firstLinks.get('network-manager')!)).status, 200, 'the other is still good');
});

void t.test('health and readiness are answered on the proxy port, and nothing else is', async (t) => {
  const health = await until('every worker has told how it is', async () => {
    const health = await stack.health();
    return health.status === 'ok' ? health : null;
  });
  t.match(health, {
    console: 'up',
    policySerial: 1,
    workers: [
      { worker: 1, up: true },
      { worker: 2, up: true },
    ],
  });
  const ready = await stack.status('/ready');
  t.equal(ready.status, 200);
  t.same(JSON.parse(ready.body.toString()), { ready: true });
  t.equal((await stack.status('/')).status, 400);
});

void t.test('metrics are the sum over all workers, whichever answers', async (t) => {
  const name = 'schoolgate_requests_total{carrier="http",verdict="block"}';
  const before = await stack.metric(name);
  await Promise.all(Array.from({ length: 40 }, (_, n) => through(`http://www.bet365.com/${n}`)));
  t.equal(await stack.metric(name), before + 40);
  const answers = new Set<number>();
  for (let n = 0; n < 10; n++) answers.add(await stack.metric(name));
  t.same([...answers], [before + 40]);
});

void t.test('state is for nobody else to read', async (t) => {
  t.equal(statSync(school.dataDir).mode & 0o777, 0o700);
  for (const file of ['record.sqlite', 'keys/console.key', 'keys/audit.key']) {
    t.equal(statSync(join(school.dataDir, file)).mode & 0o077, 0, file);
  }
});

void t.test('SIGTERM ends all of it, and a second start goes on where it was', async (t) => {
  const { proxyPort } = stack;
  const workers = stack.pids('worker');
  t.equal(workers.length, 2);
  t.ok(workers.every((pid) => listensOn(pid, proxyPort)));
  stack.signal('SIGTERM');
  t.same(await stack.exited(), { code: 0, signal: null });
  await until('no worker is left', () => !workers.some(isRunning));
  await t.rejects(request(proxyPort, ['GET /ready HTTP/1.1', 'Host: x']), { code: 'ECONNREFUSED' });
  await stack.start();
  t.same([...stack.firstLinks.keys()], ['network-manager'], 'the headteacher has an account');
  t.equal((await through('http://www.bet365.com/')).status, 403);
});
