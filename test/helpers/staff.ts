import type { Stack } from './stack.ts';

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

/** Makes an account with a link. Throws when the console does not take it. */
export async function join(link: string, userName: string): Promise<void> {
  const page = await fetch(link);
  const cookie = page.headers.getSetCookie().map((one) => one.split(';')[0]!);
  const password = { password: STAFF_PASSWORD, again: STAFF_PASSWORD };
  const csrf = /name="_csrf" value="([^"]+)"/.exec(await page.text())![1]!;
  const fields = { _csrf: csrf, userName, fullName: `Person ${userName}`, ...password };
  const joined = await fetch(link, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: cookie.join('; '), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
  if (joined.status !== 303) throw new Error(`joining was answered ${joined.status}: ${await joined.text()}`);
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
  const credentials = { userName, password: STAFF_PASSWORD };
  const { token } = await send<{ token: string }>('POST', '/api/v1/session', credentials);
  return { call: (method, path, body) => send(method, path, body, token) };
}
