import type { FastifyInstance } from 'fastify';
import { createConsoleApp } from '../../src/console/app.ts';
import type { Lists, UpdateReport } from '../../src/categories/service.ts';
import { needsSecondFactor } from '../../src/identity/permissions.ts';
import type { Role } from '../../src/identity/roles.ts';
import type { DropFolder } from '../../src/identity/directory/import-routes.ts';
import { CONFIRMED_MS } from '../../src/identity/accounts.ts';
import { createPasswords } from '../../src/identity/passwords.ts';
import { insertPerson, insertSession, storePassword } from '../../src/identity/repository.ts';
import { storeRoles } from '../../src/identity/staff/repository.ts';
import { newToken, tokenHash } from '../../src/identity/token.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { addApp, appCode } from './authenticator.ts';
import { type ControlPlane, type ControlPlaneOptions, controlPlane } from './control-plane.ts';

export const PASSWORD = 'three random words';

/** A console with a published policy and an account for each role, to be asked with `inject`. */
export interface TestConsole extends ControlPlane {
  readonly app: FastifyInstance;
  readonly browser: (userName: string | null) => Promise<TestBrowser>;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What a browser does without scripts: keeps cookies, reads a page's token and sends its forms. */
export interface TestBrowser {
  get(url: string): Promise<Answer>;
  /** Loads `page`, then posts the fields with the token found there. `csrf` null: without one. */
  post(page: string, action: string, fields: Record<string, string | string[]>, csrf?: string | null): Promise<Answer>;
  readonly cookies: Map<string, string>;
}

export interface TestConsoleOptions {
  readonly requestsPerMinute?: number;
  readonly listUpdates?: Lists;
  readonly siteCheck?: ControlPlane['siteCheck'];
  /** Where an index lies; default: nowhere. */
  readonly dataDir?: string;
  readonly dropFolder?: DropFolder;
  readonly policyFiles?: NonNullable<ControlPlaneOptions['policyFiles']>;
}

const DONE = async (): Promise<UpdateReport> => ({ fetched: [], changes: [], alarms: [] });

/** No lists at all. */
export const NO_LISTS: Lists = {
  status: () => [],
  offered: () => [],
  update: DONE,
  refresh: DONE,
  enable: DONE,
  accept: DONE,
  watch: async () => {},
  stop: async () => {},
};

export async function testConsole(options: TestConsoleOptions = {}): Promise<TestConsole> {
  const { dataDir, policyFiles } = options;
  const plane = controlPlane({ ...(dataDir && { dataDir }), ...(policyFiles && { policyFiles }) });
  plane.policy.look();
  const inForce = () => plane.policy.published()?.snapshot ?? null;
  const app = await createConsoleApp({
    ...plane,
    newId: createIdMaker(plane.clock),
    policyInForce: inForce,
    levelTitle: (level) => inForce()?.levels[level]?.title ?? level,
    timeZone: () => 'Europe/London',
    school: () => inForce()?.school ?? null,
    dropFolder: () => options.dropFolder ?? { folder: '/srv/data/roster-drop', files: [], refused: null },
    listUpdates: options.listUpdates ?? NO_LISTS,
    siteCheck: options.siteCheck ?? plane.siteCheck,
    examine: async () => [{ name: 'disk', status: 'ok', text: '12 GB free' }],
    machine: () => ({ sendsMail: false, hasIllegalList: false, hasTraffic: false }),
    lists: () => ({ names: 1234, lists: [], illegalListLoaded: false, problem: null }),
    log: createLogger('console', 'silent'),
    tls: null,
    requestsPerMinute: options.requestsPerMinute ?? 10_000,
  });
  const browser = async (userName: string | null): Promise<TestBrowser> => {
    const made = testBrowser(app);
    if (userName !== null)
      await made.post('/sign-in', '/sign-in', { userName, password: PASSWORD, code: appCode(plane) });
    return made;
  };
  return Object.assign(plane, {
    app,
    browser,
    close: async () => {
      await app.close();
      await plane.publishing.close();
      plane.record.close();
    },
  });
}

/** Adds somebody who can sign in with `PASSWORD` and, where their roles need one, the code of an app (`appCode`). */
export async function addPerson(plane: ControlPlane, userName: string, roles: readonly Role[]): Promise<void> {
  const hash = await createPasswords().hash(PASSWORD);
  const id = `01J000000000000000000${String(plane.accounts.people().length).padStart(5, '0')}`;
  plane.record.write((tx) => {
    insertPerson(tx, { id, userName, fullName: `Person ${userName}` }, userName, plane.clock());
    const held = roles.map((role) => ({ role, endsAt: null }));
    storeRoles(tx, id, held, plane.clock());
    storePassword(tx, id, hash, plane.clock());
  });
  if (needsSecondFactor(roles)) addApp(plane, id);
}

/** The id of an account, or of somebody in the directory. */
export function personIdOf(plane: ControlPlane, userName: string): string {
  return String(plane.record.read((tx) => tx.get('SELECT id FROM people WHERE user_name = ?', userName))!['id']);
}

/** A browser that is signed in, without the work of signing in. */
export function signedIn(console: TestConsole, userName: string): TestBrowser {
  const browser = testBrowser(console.app);
  browser.cookies.set('schoolgate-session', openSession(console, userName));
  return browser;
}

/** A session without the work of a sign-in; gives its token. */
export function openSession(plane: ControlPlane, userName: string): string {
  const token = newToken();
  const personId = personIdOf(plane, userName);
  const at = plane.clock();
  const times = { openedAt: at, seenAt: at, confirmedUntil: at + CONFIRMED_MS };
  plane.record.write((tx) =>
    insertSession(tx, { tokenHash: tokenHash(token), personId, address: '127.0.0.1', ...times }),
  );
  return token;
}

/** Says why the data of `subject` is looked at, as the page that asks for it does. */
export async function sayPurpose(browser: TestBrowser, subject: string): Promise<void> {
  await browser.post('/permissions', '/purpose', { subject, back: '/', purpose: 'safeguarding', note: '' });
}

export function testBrowser(app: FastifyInstance): TestBrowser {
  const cookies = new Map<string, string>();
  const send = async (method: 'GET' | 'POST', url: string, form?: URLSearchParams): Promise<Answer> => {
    const headers: Record<string, string> = { cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') };
    if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
    const response = await app.inject({
      method,
      url,
      headers,
      ...(form === undefined ? {} : { payload: form.toString() }),
    });
    for (const { name, value } of response.cookies) {
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const { statusCode, body } = response;
    return { status: statusCode, body, location: response.headers.location, headers: response.headers };
  };
  return {
    cookies,
    get: (url) => send('GET', url),
    async post(page, action, fields, csrf) {
      const token = csrf === undefined ? csrfOf((await send('GET', page)).body) : csrf;
      const form = new URLSearchParams();
      if (token !== null) form.append('_csrf', token);
      for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) form.append(name, one);
      return send('POST', action, form);
    },
  };
}

export function csrfOf(page: string): string {
  const token = /name="_csrf" value="([^"]+)"/.exec(page)?.[1];
  if (token === undefined) throw new Error('the page has no form token');
  return token;
}
