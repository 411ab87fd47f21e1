import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { type Environment, readEnvironment } from '../../src/config/environment.ts';
import { Secret } from '../../src/config/secret.ts';
import { formatProblem, InvalidInputError } from '../../src/kernel/errors.ts';
import { createAuthority } from '../helpers/certificates.ts';

/** A folder as a school's, with what an environment may name. */
function school(t: Pick<Test, 'testdir'>): string {
  const { cert, key } = createAuthority().issue(['proxy.test']);
  return t.testdir({
    policies: {},
    blocklists: {},
    'cert.pem': cert,
    'key.pem': key,
    'no-cert.pem': 'not a certificate',
    'redis-url': 'redis://:hush@redis.test:6379\n',
  });
}

function problems(env: Record<string, string>, cwd: string): string[] {
  try {
    readEnvironment(env, cwd);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(formatProblem);
    throw error;
  }
  return [];
}

void t.test('nothing set: the contract’s defaults', async (t) => {
  const cwd = school(t);
  t.match(readEnvironment({ PATH: '/bin', SCHOOLGATE_WORKERS: '' }, cwd), {
    proxyHost: '0.0.0.0',
    proxyPort: 3128,
    httpsProxyPort: null,
    consoleHost: '127.0.0.1',
    consolePort: 8800,
    frontHost: '0.0.0.0',
    frontPort: 8801,
    publicUrl: null,
    tls: null,
    dataDir: join(cwd, 'data'),
    policyDir: join(cwd, 'policies'),
    listsDir: join(cwd, 'blocklists'),
    redisUrl: null,
    redisPrefix: 'schoolgate:',
    smtpUrl: null,
    dnsServers: [],
    upstreamProxy: null,
  });
  t.ok(Object.isFrozen(readEnvironment({}, cwd)));
});

void t.test('every variable', async (t) => {
  const cwd = school(t);
  const environment = readEnvironment(
    {
      SCHOOLGATE_PROXY_HOST: '::',
      SCHOOLGATE_PROXY_PORT: '0',
      SCHOOLGATE_HTTPS_PROXY_PORT: '3129',
      SCHOOLGATE_CONSOLE_PORT: '65535',
      SCHOOLGATE_PUBLIC_URL: 'https://filter.school.example/',
      SCHOOLGATE_TLS_CERT: 'cert.pem',
      SCHOOLGATE_TLS_KEY: join(cwd, 'key.pem'),
      SCHOOLGATE_WORKERS: '4',
      SCHOOLGATE_DATA_DIR: '/somewhere/else',
      SCHOOLGATE_REDIS_URL_FILE: 'redis-url',
      SCHOOLGATE_SMTP_URL: 'smtps://user:hush@mail.test',
      SCHOOLGATE_MAIL_FROM: 'filter@school.example',
      SCHOOLGATE_DNS_SERVERS: '127.0.0.1:5353, ::1 [::1]:53',
      SCHOOLGATE_UPSTREAM_PROXY: 'http://us%40er:p%3Aw@parent.test:3128',
    },
    cwd,
  );
  t.match(environment, {
    proxyHost: '::',
    proxyPort: 0,
    httpsProxyPort: 3129,
    publicUrl: 'https://filter.school.example',
    tls: { certFile: join(cwd, 'cert.pem'), keyFile: join(cwd, 'key.pem') },
    workers: 4,
    dataDir: '/somewhere/else',
    mailFrom: 'filter@school.example',
    dnsServers: ['127.0.0.1:5353', '::1', '[::1]:53'],
    upstreamProxy: { host: 'parent.test', port: 3128 },
  });
  t.equal(environment.redisUrl?.reveal(), 'redis://:hush@redis.test:6379');
  t.equal(environment.upstreamProxy?.authorization?.reveal(), `Basic ${Buffer.from('us@er:p:w').toString('base64')}`);
  const printed = [
    JSON.stringify(environment),
    inspect(environment, { depth: 9 }),
    String(environment.redisUrl),
  ].join();
  t.notMatch(printed, /hush|cDp3|p:w/);
});

void t.test('everything that is wrong is told at once, each with what it must be', async (t) => {
  const cwd = school(t);
  const bad = {
    SCHOOLGATE_PROXY_HOST: 'a b',
    SCHOOLGATE_PROXY_PORT: '65536',
    SCHOOLGATE_CONSOLE_PORT: '-1',
    SCHOOLGATE_FRONT_PORT: '80.5',
    SCHOOLGATE_PUBLIC_URL: 'ftp://x',
    SCHOOLGATE_WORKERS: '0',
    SCHOOLGATE_POLICY_DIR: 'nowhere',
    SCHOOLGATE_LISTS_DIR: 'cert.pem',
    SCHOOLGATE_REDIS_URL: 'http://redis.test',
    SCHOOLGATE_REDIS_PREFIX: 'a b',
    SCHOOLGATE_SMTP_URL: 'mail.test',
    SCHOOLGATE_MAIL_FROM: 'A <a@b>',
    SCHOOLGATE_DNS_SERVERS: '1.1.1.1,dns.test',
    SCHOOLGATE_UPSTREAM_PROXY: 'https://parent.test',
    SCHOOLGATE_TLS_CERT: 'cert.pem',
    SCHOOLGATE_PROXYPORT: '1',
    SCHOOLGATE_: 'x',
    OTHER: 'x',
  };
  const told = problems(bad, cwd);
  const expected = Object.keys(bad).filter((name) => name.startsWith('SCHOOLGATE_') && name !== 'SCHOOLGATE_TLS_CERT');
  for (const name of [...expected, 'SCHOOLGATE_TLS_KEY']) {
    t.equal(told.filter((line) => line.startsWith(`${name}: `)).length, 1, name);
  }
  t.equal(told.length, expected.length + 1);
});

void t.test('one wrong value at a time', async (t) => {
  const cwd = school(t);
  const table: [string, string, RegExp][] = [
    ['PROXY_PORT', '08o80', /a port number/],
    ['PROXY_PORT', ' 80', /a port number/],
    ['PROXY_PORT', '1e3', /a port number/],
    ['WORKERS', '129', /1 to 128/],
    ['WORKERS', '2.0', /1 to 128/],
    ['UPSTREAM_PROXY', 'parent.test:3128', /http:\/\/host:port/],
    ['UPSTREAM_PROXY', 'http://parent.test/path', /http:\/\/host:port/],
    ['UPSTREAM_PROXY', 'http://', /http:\/\/host:port/],
    ['UPSTREAM_PROXY', 'http://parent.test:0', /http:\/\/host:port/],
    ['UPSTREAM_PROXY', 'http://parent.test:3128/?x=1', /http:\/\/host:port/],
    ['UPSTREAM_PROXY', 'http://%zz:pw@parent.test:3128', /http:\/\/host:port/],
    ['UPSTREAM_PROXY', 'http://user:100%@parent.test:3128', /http:\/\/host:port/],
    ['PUBLIC_URL', 'https://user@filter.test', /http or https/],
    ['PUBLIC_URL', 'https://filter.test/?x', /http or https/],
    ['DNS_SERVERS', '1.1.1.1:99999', /ip:port/],
    ['DNS_SERVERS', '1.1.1.1:0', /ip:port/],
    ['DNS_SERVERS', ',', /ip:port/],
    ['TLS_CERT_FILE', 'nowhere', /cannot be read/],
    ['REDIS_URL_FILE', 'policies', /cannot be read/],
    ['HTTPS_PROXY_PORT', '3129', /needs SCHOOLGATE_TLS_CERT/],
    ['POLICY_DIR', 'redis-url', /a folder that exists/],
  ];
  for (const [name, value, expected] of table) {
    const told = problems({ [`SCHOOLGATE_${name}`]: value }, cwd);
    t.equal(told.length, 1, `${name}=${value}`);
    t.match(told[0], expected, `${name}=${value}`);
  }
});

void t.test('certificate and key', async (t) => {
  const cwd = school(t);
  const read = (cert: string, key: string): string[] =>
    problems({ SCHOOLGATE_TLS_CERT: cert, SCHOOLGATE_TLS_KEY: key }, cwd);
  t.same(read('cert.pem', 'key.pem'), []);
  t.match(read('nowhere.pem', 'key.pem'), [/TLS_CERT: names .*cannot be read/]);
  t.match(read('no-cert.pem', 'key.pem'), [/TLS_CERT: names .*no certificate/]);
  t.match(read('cert.pem', 'no-cert.pem'), [/TLS_KEY: names .*no private key/]);
  const other = createAuthority().issue(['proxy.test']);
  writeFileSync(join(cwd, 'other.pem'), other.key);
  t.match(read('cert.pem', 'other.pem'), [/TLS_KEY: .*does not belong to the certificate/]);
});

void t.test('a variable and its _FILE do not go together', async (t) => {
  const cwd = school(t);
  const both = { SCHOOLGATE_REDIS_URL: 'redis://a', SCHOOLGATE_REDIS_URL_FILE: 'redis-url' };
  t.match(problems(both, cwd), [/given both directly and as _FILE/]);
  t.match(problems(Object.fromEntries(Object.entries(both).toReversed()), cwd), [/given both directly and as _FILE/]);
  writeFileSync(join(cwd, 'port'), '3130\r\n');
  t.equal(readEnvironment({ SCHOOLGATE_PROXY_PORT_FILE: 'port' }, cwd).proxyPort, 3130);
  mkdirSync(join(cwd, 'elsewhere'));
  const moved: Environment = readEnvironment({ SCHOOLGATE_POLICY_DIR: 'elsewhere' }, cwd);
  t.equal(moved.policyDir, join(cwd, 'elsewhere'));
});

void t.test('a secret shows itself only on purpose', async (t) => {
  const secret = new Secret('hush');
  const shown = [
    String(secret),
    secret.toString(),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ a: [secret] }, { showHidden: true, depth: 9 }),
    JSON.stringify(Object.entries(secret)),
  ];
  for (const text of shown) t.notMatch(text, /hush/);
  t.equal(secret.reveal(), 'hush');
});
