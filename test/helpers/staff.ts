import { keyOn, recoveryCodesOn, shownByApp } from './authenticator.ts';
import type { Ran, Stack } from './stack.ts';

export const STAFF_PASSWORD = 'seven purple walrus lanterns';

/** The two people a school begins with, by the links that the start printed. */
export const HEAD = 'h.teacher';
export const MANAGER = 'n.manager';

/** Opens both links and makes the accounts, as the page's form does it. */
export async function joinBoth(stack: Stack): Promise<void> {
  const [head, manager] = [...stack.firstLinks.values()];
  await join(head!, HEAD);
  await join(manager!, MANAGER);
}

/** Makes an account by an invitation of somebody who may give these roles. */
export async function joinInvited(stack: Stack, by: string, userName: string, roles: readonly string[]): Promise<void> {
  const inviter = await signIn(stack, by);
  const { path } = await inviter.call<{ path: string }>('POST', '/api/v1/accounts/invitations', {
    fullName: `Person ${userName}`,
    roles,
  });
  await join(`http://127.0.0.1:${stack.consolePort}${path}`, userName);
}

/** Makes an account with a link, and sets up an authenticator app. Throws when the console does not take it. */
export async function join(link: string, userName: string): Promise<void> {
  const { origin, pathname } = new URL(link);
  const pages = new ConsolePages(origin);
  const fields = { userName, fullName: `Person ${userName}`, password: STAFF_PASSWORD, again: STAFF_PASSWORD };
  await pages.post(pathname, fields, '/sign-in?joined=1');
  await pages.post('/sign-in', { userName, password: STAFF_PASSWORD }, '/');
  const code = shownByApp(keyOn(await pages.get('/account/second-factor')), Date.now());
  codesLeft.set(userName, recoveryCodesOn(await pages.post('/account/second-factor', { code })));
  await pages.signOut();
}

/** Recovery codes that were not used yet, by user name. An app's own are good once, and a new one takes half a minute. */
const codesLeft = new Map<string, string[]>();
const ENOUGH = 2;

/** A code for the next sign-in of somebody who joined by these helpers. */
export async function nextCode(stack: Pick<Stack, 'consolePort'>, userName: string): Promise<string> {
  const codes = codesLeft.get(userName)!;
  if (codes.length < ENOUGH) {
    const pages = new ConsolePages(`http://127.0.0.1:${stack.consolePort}`);
    // Used up only by a console that answers: a test may have killed it.
    await pages.post('/sign-in', { userName, password: STAFF_PASSWORD, code: codes[0]! }, '/');
    codes.shift();
    codes.push(...recoveryCodesOn(await pages.post('/account/recovery-codes', {}, null, '/account')));
    await pages.signOut();
  }
  return codes.shift()!;
}

/** A command of somebody who types what it asks for, and then `more`. */
export async function asStaff(
  stack: Stack,
  userName: string,
  args: readonly string[],
  more: readonly string[] = [],
): Promise<Ran> {
  const typed = [STAFF_PASSWORD, await nextCode(stack, userName), ...more];
  return await stack.run([...args, '--user', userName], `${typed.join('\n')}\n`);
}

/** The console's pages for somebody who joined by these helpers. */
export async function pagesOf(stack: Pick<Stack, 'consolePort'>, userName: string): Promise<ConsolePages> {
  const pages = new ConsolePages(`http://127.0.0.1:${stack.consolePort}`);
  const code = await nextCode(stack, userName);
  await pages.post('/sign-in', { userName, password: STAFF_PASSWORD, code }, '/');
  return pages;
}

/** The console's pages over HTTP, as a browser without scripts has them. */
export class ConsolePages {
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  async get(path: string): Promise<string> {
    return await (await this.#send(path)).text();
  }

  /** Sends a form to where it was loaded from, or was on `page`. Throws unless it leads to `to`; null: unless it is answered. */
  async post(path: string, fields: Record<string, string>, to: string | null = null, page = path): Promise<string> {
    const csrf = /name="_csrf" value="([^"]+)"/.exec(await this.get(page))![1]!;
    const answer = await this.#send(path, new URLSearchParams({ _csrf: csrf, ...fields }).toString());
    const text = await answer.text();
    const isRight = to === null ? answer.ok : answer.status === 303 && answer.headers.get('location') === to;
    if (!isRight) throw new Error(`POST ${path} was answered ${answer.status}: ${text}`);
    return text;
  }

  async signOut(): Promise<void> {
    await this.post('/sign-out', {}, '/sign-in', '/account');
  }

  async #send(path: string, body?: string): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(`${this.#origin}${path}`, {
      redirect: 'manual',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      ...(body !== undefined && { method: 'POST', body }),
    });
    for (const one of answer.headers.getSetCookie()) {
      const [name, value] = one.split(';')[0]!.split('=');
      this.#cookies.set(name!, value!);
    }
    return answer;
  }
}

/** Somebody signed in to the console's API. */
export interface Staff {
  /** Throws with what the console said when it refuses. */
  call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T>;
}

export async function signIn(stack: Stack, userName: string): Promise<Staff> {
  const base = `http://127.0.0.1:${stack.consolePort}`;
  const send = async <T>(method: string, path: string, body?: object, token?: string): Promise<T> => {
    const headers: Record<string, string> = {};
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const answer = await fetch(`${base}${path}`, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  };
  const credentials = { userName, password: STAFF_PASSWORD, code: await nextCode(stack, userName) };
  const { token } = await send<{ token: string }>('POST', '/api/v1/session', credentials);
  return { call: (method, path, body) => send(method, path, body, token) };
}
