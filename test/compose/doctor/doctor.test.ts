import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import t from 'tap';
import { backupFinding, canaryFinding, judgeCanaries, retentionFinding } from '../../../src/compose/doctor/content.ts';
import { lookAt } from '../../../src/compose/doctor/finding.ts';
import {
  certificate,
  clockFinding,
  nodeVersion,
  openFiles,
  spaceFinding,
} from '../../../src/compose/doctor/machine.ts';
import { healthFinding, parentFinding, redisFinding } from '../../../src/compose/doctor/reach.ts';
import { createDataFolders, dataLayout } from '../../../src/config/data-layout.ts';
import { keepRecipient, makeRecoveryKey } from '../../../src/backup/recovery-key.ts';
import { SchoolgateError } from '../../../src/kernel/errors.ts';
import { openRecord } from '../../../src/store/database.ts';
import { createAuthority } from '../../helpers/certificates.ts';
import { START } from '../../helpers/control-plane.ts';
import { startNameServer } from '../../helpers/dns.ts';
import { journey } from '../../helpers/journey.ts';
import { RedisServer } from '../../helpers/redis-server.ts';
import { asStaff, joinBoth, MANAGER } from '../../helpers/staff.ts';
import { Stack } from '../../helpers/stack.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const GB = 2 ** 30;
const DAY = 86_400_000;

void t.test('what is judged from facts', async (t) => {
  const at = (ms: number): string => new Date(ms).toISOString();
  const health = { status: 'ok', console: 'up', workers: [{ up: true }], alarms: [] } as const;
  const table: [string, { status: string; text: string }, string, RegExp?][] = [
    ['our Node', nodeVersion('v24.21.0'), 'ok'],
    ['an old Node', nodeVersion('v20.1.0'), 'failed', /npm ci/],
    ['enough files', openFiles('Max open files            65536                1048576 files'), 'ok'],
    ['no limit', openFiles('Max open files            unlimited            unlimited files'), 'ok'],
    ['few files', openFiles('Max open files            1024                 4096     files'), 'warning', /LimitNOFILE/],
    ['another system', openFiles(null), 'ok'],
    ['a full disk', spaceFinding('/data', 0.4 * GB, 100 * GB), 'failed', /0\.4 GB free in \/data: make room/],
    ['a filling disk', spaceFinding('/data', 4 * GB, 100 * GB), 'warning'],
    ['a small disk', spaceFinding('/data', 4 * GB, 20 * GB), 'ok'],
    ['the clock', clockFinding(START, START - 1), 'ok'],
    ['a clock set back', clockFinding(START - 60_000, START), 'failed', /60 s before/],
    ['all is well', healthFinding(health), 'ok', /1 of 1 workers, console up/],
    [
      'an alarm',
      healthFinding({ ...health, alarms: [{ at: 'then', code: 'list-grew' }] }),
      'warning',
      /list-grew at then/,
    ],
    ['no console', healthFinding({ ...health, status: 'degraded', console: 'down' }), 'warning', /filtering goes on/],
    ['failing', healthFinding({ ...health, status: 'failing' }), 'failed'],
    ['no illegal list', judgeCanaries([], {}, START), 'ok'],
    ['never asked', judgeCanaries(['a'], {}, START), 'warning'],
    ['refused', judgeCanaries(['a'], { a: { checkedAt: at(START - 60_000), refused: true } }, START), 'ok'],
    [
      'let through',
      judgeCanaries(['a'], { a: { checkedAt: at(START), refused: false } }, START),
      'failed',
      /not enforcing/,
    ],
    [
      'long ago',
      judgeCanaries(['a'], { a: { checkedAt: at(START - 3 * 3_600_000), refused: true } }, START),
      'warning',
    ],
  ];
  for (const [name, found, status, text] of table) {
    t.equal(found.status, status, name);
    if (text !== undefined) t.match(found.text, text, name);
  }
});

void t.test('what a check throws is a failure with its sentence, and no stack', async (t) => {
  const own = new SchoolgateError('x', 'us', 'The thing is broken; mend it.');
  t.same(await lookAt({ name: 'a', look: () => Promise.reject(own) }), {
    name: 'a',
    status: 'failed',
    text: 'The thing is broken; mend it.',
  });
  t.match(
    await lookAt({
      name: 'a',
      look: () => {
        throw new TypeError('odd');
      },
    }),
    { status: 'failed', text: 'odd' },
  );
});

void t.test('certificates that end', async (t) => {
  const certFile = join(tempFolder(t), 'cert.pem');
  writeFileSync(certFile, createAuthority().issue(['filter.test']).cert);
  const files = { certFile, keyFile: certFile };
  const end = Date.parse(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/.exec(certificate(files, 0).text)![0]);
  t.equal(certificate(files, end - 31 * DAY).status, 'ok');
  t.match(certificate(files, end - 10 * DAY), { status: 'warning', text: /ends in 10 days/ });
  t.match(certificate(files, end + DAY), { status: 'failed', text: /renew it/ });
});

void t.test('backups that stop', async (t) => {
  const [folder, root] = [tempFolder(t), tempFolder(t)];
  const layout = dataLayout(root);
  createDataFolders(layout);
  t.match(backupFinding(layout, folder, START), { status: 'warning', text: /no recovery key/ });
  keepRecipient(layout.backupRecipient, (await makeRecoveryKey()).recipient);
  t.match(backupFinding(layout, null, START), { status: 'warning', text: /SCHOOLGATE_BACKUP_DIR/ });
  t.match(backupFinding(layout, folder, START), { status: 'warning', text: /none in/ });
  writeFileSync(join(folder, 'schoolgate-2026-11-22.age'), 'x');
  t.equal(backupFinding(layout, folder, START).status, 'ok');
  t.match(backupFinding(layout, folder, START + 5 * DAY), { status: 'failed', text: /alarms/ });
  t.equal(canaryFinding(layout, START).status, 'ok');
});

void t.test('data that is kept for too long', async (t) => {
  const layout = dataLayout(tempFolder(t));
  createDataFolders(layout);
  t.equal(retentionFinding(layout, START).status, 'ok', 'before the first start');
  openRecord(layout.record).close();
  mkdirSync(join(layout.history, '2025-11-20'));
  t.equal(retentionFinding(layout, Date.UTC(2026, 10, 20)).status, 'ok');
  t.match(retentionFinding(layout, START + DAY), { status: 'failed', text: /: Access history;/ });
});

void t.test('a parent proxy and a Redis that are there, or not', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const parent = { host: '127.0.0.1', port, authorization: null };
  t.equal((await parentFinding(parent)).status, 'ok');
  await new Promise((resolve) => server.close(resolve));
  t.match(await parentFinding(parent), { status: 'failed', text: /ECONNREFUSED/ });

  const redis = await new RedisServer(tempFolder(t)).start();
  const { url } = redis;
  t.match(await redisFinding(url, Date.now), { status: 'ok', text: /^Redis \d/ });
  t.match(await redisFinding(url, () => Date.now() + 60_000), { status: 'warning', text: /60 s apart/ });
  await redis.stop();
  await t.rejects(redisFinding(url, Date.now), /ENOENT/);
});

const around = await journey(t);

void t.test('the command, before the first start, beside a running school, and when things are wrong', async (t) => {
  const school = around.makeSchool();
  const dns = await startNameServer([['*', ['127.0.0.1']]]);
  t.teardown(() => dns.close());
  const smtp = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'] });
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  t.teardown(() => smtp.close());
  const { port } = smtp.server.address() as { port: number };
  const env = { SCHOOLGATE_SMTP_URL: `smtp://127.0.0.1:${port}`, SCHOOLGATE_DNS_SERVERS: dns.address };
  const stack = new Stack({ school, env });
  const doctor = async (...more: string[]) => await stack.run(['doctor', ...more]);
  t.match(await doctor(), { code: 0, stdout: /^warning +lists +not built yet/m, stderr: '' });

  await stack.start();
  t.teardown(() => stack.stop());
  await joinBoth(stack);
  await asStaff(stack, MANAGER, ['backup', '--new-key']);
  const beside = new Stack({ school, env: { ...env, SCHOOLGATE_PROXY_PORT: String(stack.proxyPort) } });
  const well = await beside.run(['doctor', '--json']);
  t.equal(well.code, 0, well.stdout + well.stderr);
  const found = well.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; status: string; text: string });
  const statusOf = (name: string): string | undefined => found.find((one) => one.name === name)?.status;
  for (const name of ['node', 'ports', 'policy', 'lists', 'names', 'mail', 'audit'])
    t.equal(statusOf(name), 'ok', name);
  t.match(
    found.find(({ name }) => name === 'ports'),
    { text: /2 of 2 workers, console up/ },
  );

  writeFileSync(join(school.policyDir, 'school.yaml'), 'name: [\n');
  rmSync(stack.layout.index, { recursive: true });
  await new Promise<void>((resolve) => smtp.close(resolve));
  const ill = await beside.run(['doctor']);
  t.match(ill, { code: 1, stderr: /^Not well: .*policy.*mail/m });
  t.match(ill.stdout, /^FAILED +policy +.*school\.yaml:\d/m);
  t.notMatch(ill.stdout + ill.stderr, /\n +at /, 'no stack');
});
