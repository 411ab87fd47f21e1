import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { isIP } from 'node:net';
import { InvalidInputError, type Problem } from '../kernel/errors.ts';
import { Secret } from './secret.ts';

/** Where a process runs; what the school decides lives in `policies/`. The contract describes each variable. */
export interface Environment {
  readonly proxyHost: string;
  readonly proxyPort: number;
  /** Null: the TLS listener is off. */
  readonly httpsProxyPort: number | null;
  readonly consoleHost: string;
  readonly consolePort: number;
  readonly frontHost: string;
  readonly frontPort: number;
  readonly publicUrl: string | null;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly workers: number;
  /** Absolute folders. */
  readonly dataDir: string;
  readonly policyDir: string;
  readonly listsDir: string;
  /** Where a backup is kept each day; null: nowhere. */
  readonly backupDir: string | null;
  /** File to which the end of the audit chain is written each night; null: in the data folder. */
  readonly auditAnchor: string | null;
  /** Who is mailed it; null: nobody. */
  readonly auditAnchorMail: string | null;
  readonly redisUrl: Secret | null;
  readonly redisPrefix: string;
  readonly smtpUrl: Secret | null;
  readonly mailFrom: string;
  /** What webhooks are signed with. */
  readonly webhookSecret: Secret | null;
  /** Asked every few minutes while all is well; whoever waits there for that tells the school when it stays away. */
  readonly heartbeatUrl: Secret | null;
  /** `ip` or `ip:port` as Node's Resolver takes them; empty: the system's resolver. */
  readonly dnsServers: readonly string[];
  readonly upstreamProxy: {
    readonly host: string;
    readonly port: number;
    readonly authorization: Secret | null;
  } | null;
}

/** Every variable there is, without its `SCHOOLGATE_`. */
export const KNOWN = [
  'PROXY_HOST',
  'PROXY_PORT',
  'HTTPS_PROXY_PORT',
  'CONSOLE_HOST',
  'CONSOLE_PORT',
  'FRONT_HOST',
  'FRONT_PORT',
  'PUBLIC_URL',
  'TLS_CERT',
  'TLS_KEY',
  'WORKERS',
  'DATA_DIR',
  'POLICY_DIR',
  'LISTS_DIR',
  'BACKUP_DIR',
  'AUDIT_ANCHOR',
  'AUDIT_ANCHOR_MAIL',
  'REDIS_URL',
  'REDIS_PREFIX',
  'SMTP_URL',
  'MAIL_FROM',
  'WEBHOOK_SECRET',
  'HEARTBEAT_URL',
  'DNS_SERVERS',
  'UPSTREAM_PROXY',
] as const;
type Name = (typeof KNOWN)[number];

/**
 * Reads `SCHOOLGATE_*` strictly; relative folders count from `cwd`. Every problem is listed at once in an InvalidInputError:
 * unknown variables, malformed values, unreadable files. A variable may be given as `…_FILE` instead.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>, cwd: string): Environment {
  const problems: Problem[] = [];
  const values = collectValues(env, cwd, problems);
  const read = reader(values, problems);
  const environment: Environment = {
    proxyHost: read('PROXY_HOST', host, '0.0.0.0'),
    proxyPort: read('PROXY_PORT', port, 3128),
    httpsProxyPort: read('HTTPS_PROXY_PORT', port, null),
    consoleHost: read('CONSOLE_HOST', host, '127.0.0.1'),
    consolePort: read('CONSOLE_PORT', port, 8800),
    frontHost: read('FRONT_HOST', host, '0.0.0.0'),
    frontPort: read('FRONT_PORT', port, 8801),
    publicUrl: read('PUBLIC_URL', webUrl, null),
    tls: readTls(read, cwd, problems),
    workers: read('WORKERS', workerCount, availableParallelism()),
    dataDir: read('DATA_DIR', folder(cwd), resolve(cwd, 'data')),
    policyDir: read('POLICY_DIR', existingFolder(cwd), resolve(cwd, 'policies')),
    listsDir: read('LISTS_DIR', existingFolder(cwd), resolve(cwd, 'blocklists')),
    backupDir: read('BACKUP_DIR', existingFolder(cwd), null),
    auditAnchor: read('AUDIT_ANCHOR', folder(cwd), null),
    auditAnchorMail: read('AUDIT_ANCHOR_MAIL', mailAddress, null),
    redisUrl: read('REDIS_URL', secretUrl(['redis:', 'rediss:']), null),
    redisPrefix: read('REDIS_PREFIX', word, 'schoolgate:'),
    smtpUrl: read('SMTP_URL', secretUrl(['smtp:', 'smtps:']), null),
    mailFrom: read('MAIL_FROM', mailAddress, 'schoolgate@localhost'),
    webhookSecret: read('WEBHOOK_SECRET', longSecret, null),
    heartbeatUrl: read('HEARTBEAT_URL', secretUrl(['https:']), null),
    dnsServers: read('DNS_SERVERS', dnsServers, []),
    upstreamProxy: read('UPSTREAM_PROXY', parentProxy, null),
  };
  if (environment.httpsProxyPort !== null && environment.tls === null) {
    problems.push(variable('HTTPS_PROXY_PORT', 'needs SCHOOLGATE_TLS_CERT and SCHOOLGATE_TLS_KEY as well'));
  }
  if (problems.length > 0) throw new InvalidInputError('The environment is not usable', problems);
  return Object.freeze(environment);
}

/** A parser gives the value, or a string with what the value must be. */
class Refusal {
  readonly must: string;

  constructor(must: string) {
    this.must = must;
  }
}
type Parser<T> = (text: string) => T | Refusal;
type Reader = <T, D>(name: Name, parse: Parser<T>, fallback: D) => T | D;

function variable(name: string, reason: string): Problem {
  return { file: `SCHOOLGATE_${name}`, reason };
}

function collectValues(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  problems: Problem[],
): Map<Name, string> {
  const values = new Map<Name, string>();
  for (const [key, text] of Object.entries(env)) {
    if (!key.startsWith('SCHOOLGATE_') || text === undefined || text === '') continue;
    const short = key.slice('SCHOOLGATE_'.length);
    const name = KNOWN.find((known) => short === known || short === `${known}_FILE`);
    if (name === undefined) {
      problems.push(variable(short, 'is not a variable Schoolgate knows; correct its name or remove it'));
    } else if (values.has(name)) {
      problems.push(variable(name, 'is given both directly and as _FILE; keep one'));
    } else if (short === name) {
      values.set(name, text);
    } else {
      readValueFile(name, resolve(cwd, text), values, problems);
    }
  }
  return values;
}

function readValueFile(name: Name, path: string, values: Map<Name, string>, problems: Problem[]): void {
  try {
    values.set(name, readFileSync(path, 'utf8').replace(/\r?\n$/, ''));
  } catch {
    problems.push(variable(`${name}_FILE`, `names ${path}, which cannot be read`));
  }
}

function reader(values: ReadonlyMap<Name, string>, problems: Problem[]): Reader {
  return (name, parse, fallback) => {
    const text = values.get(name);
    if (text === undefined) return fallback;
    const parsed = parse(text);
    if (!(parsed instanceof Refusal)) return parsed;
    problems.push(variable(name, `must be ${parsed.must}`));
    return fallback;
  };
}

const host: Parser<string> = (text) =>
  isIP(text) !== 0 || /^[a-z0-9.-]+$/i.test(text) ? text : new Refusal('an IP address or host name to listen on');

const port: Parser<number> = (text) => {
  const value = Number(text);
  return /^\d{1,5}$/.test(text) && value <= 65_535
    ? value
    : new Refusal('a port number from 0 to 65535 (0: any free one)');
};

const workerCount: Parser<number> = (text) => {
  const value = Number(text);
  return /^\d{1,3}$/.test(text) && value >= 1 && value <= 128
    ? value
    : new Refusal('a number of processes from 1 to 128');
};

const word: Parser<string> = (text) =>
  /^[\w:.-]+$/.test(text) ? text : new Refusal('letters, digits and : . - _ only');

const mailAddress: Parser<string> = (text) =>
  /^[^\s<>@]+@[^\s<>@]+$/.test(text) ? text : new Refusal('one plain mail address');

function folder(cwd: string): Parser<string> {
  return (text) => resolve(cwd, text);
}

function existingFolder(cwd: string): Parser<string> {
  return (text) =>
    isReadableFolder(resolve(cwd, text))
      ? resolve(cwd, text)
      : new Refusal(`a folder that exists and can be read, and ${text} is none`);
}

function isReadableFolder(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function parseUrlText(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

const webUrl: Parser<string> = (text) => {
  const url = parseUrlText(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search === ''
    ? url.href.replace(/\/$/, '')
    : new Refusal('an http or https address such as https://filter.school.example');
};

function secretUrl(protocols: readonly string[]): Parser<Secret> {
  return (text) => {
    const url = parseUrlText(text);
    return url !== null && protocols.includes(url.protocol)
      ? new Secret(text)
      : new Refusal(`an address that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`);
  };
}

const longSecret: Parser<Secret> = (text) =>
  text.length >= 32 ? new Secret(text) : new Refusal('a secret of at least 32 characters');

const dnsServers: Parser<readonly string[]> = (text) => {
  const servers = text.split(/[\s,]+/).filter((server) => server !== '');
  const isServer = (server: string): boolean => {
    const withPort = /^(?:\[(.+)\]|([\d.]+)):(\d+)$/.exec(server);
    const address = withPort === null ? server : (withPort[1] ?? withPort[2])!;
    const port = withPort === null ? 53 : Number(withPort[3]);
    return isIP(address) !== 0 && port >= 1 && port <= 65_535;
  };
  return servers.length > 0 && servers.every(isServer)
    ? servers
    : new Refusal('a list of DNS servers as ip or ip:port, with commas between them');
};

const parentProxy: Parser<NonNullable<Environment['upstreamProxy']>> = (text) => {
  const url = parseUrlText(text);
  const port = url === null || url.port === '' ? 80 : Number(url.port);
  const credentials = url === null ? null : credentialsOf(url);
  const isPlain = url !== null && url.protocol === 'http:' && url.hostname !== '' && port !== 0;
  if (!isPlain || credentials === null || url.pathname + url.search + url.hash !== '/') {
    return new Refusal(
      'the parent proxy as http://host:port or http://user:password@host:port, special characters escaped',
    );
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    authorization: url.username === '' ? null : new Secret(`Basic ${Buffer.from(credentials).toString('base64')}`),
  };
};

/** `user:password` as they are; null where an escape in them is broken. */
function credentialsOf(url: URL): string | null {
  try {
    return `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    return null;
  }
}

function readTls(read: Reader, cwd: string, problems: Problem[]): Environment['tls'] {
  const certFile = read('TLS_CERT', folder(cwd), null);
  const keyFile = read('TLS_KEY', folder(cwd), null);
  if (certFile === null && keyFile === null) return null;
  if (certFile === null || keyFile === null) {
    problems.push(variable(certFile === null ? 'TLS_CERT' : 'TLS_KEY', 'is missing: certificate and key go together'));
    return null;
  }
  const cert = readPart('TLS_CERT', certFile, 'no certificate', (pem) => new X509Certificate(pem), problems);
  const key = readPart('TLS_KEY', keyFile, 'no private key without a password', createPrivateKey, problems);
  if (cert !== null && key !== null && !cert.checkPrivateKey(key)) {
    problems.push(variable('TLS_KEY', `names ${keyFile}, which does not belong to the certificate`));
  }
  return { certFile, keyFile };
}

function readPart<T>(
  name: string,
  path: string,
  what: string,
  read: (pem: Buffer) => T,
  problems: Problem[],
): T | null {
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch {
    problems.push(variable(name, `names ${path}, which cannot be read`));
    return null;
  }
  try {
    return read(pem);
  } catch {
    problems.push(variable(name, `names ${path}, which holds ${what} (PEM)`));
    return null;
  }
}
