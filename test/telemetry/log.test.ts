import { execFileSync } from 'node:child_process';
import t from 'tap';

/** What a logger writes to standard error when a process of its own runs `code`. */
function logged(code: string): Record<string, unknown>[] {
  const url = new URL('../../src/telemetry/log.ts', import.meta.url);
  const script = `import { createLogger } from '${url.href}'; const log = createLogger('test'); ${code}`;
  const output = execFileSync('sh', [
    '-c',
    'exec "$0" --input-type=module-typescript -e "$1" 2>&1 >/dev/null',
    process.execPath,
    script,
  ]);
  const lines = output
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

void t.test('what could hold a secret or a person’s reading is not written', async (t) => {
  const [first, second, third] = logged(`
    log.info({ password: 'hush1', headers: { cookie: 'hush2' }, token: 'hush3' }, 'told');
    log.warn({ request: { authorization: 'hush4', url: 'http://hush5.test/', target: 'hush6' } }, 'told');
    log.debug('not told at this level');
    log.error({ err: new Error('broken') }, 'told');
  `);
  t.match(first, { name: 'test', level: 'info', msg: 'told', password: '*****', token: '*****' });
  t.notMatch(JSON.stringify([first, second]), /hush/);
  t.match(first!['time'], /^\d{4}-\d\d-\d\dT/);
  t.match(second, { level: 'warn' });
  t.match(third, { level: 'error', err: { message: 'broken' } }, 'a line at debug level is left out');
});
