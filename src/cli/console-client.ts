import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client, type Dispatcher } from 'undici';
import { dataLayout } from '../config/data-layout.ts';
import { readEnvironment } from '../config/environment.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { type SecretPrompter, openPrompter } from './ask-secrets.ts';
import type { CliContext } from './context.ts';

type Method = 'GET' | 'POST' | 'DELETE';

/** Lists are fetched and built before the console answers, ms. */
const ANSWER_MS = 60 * 60_000;

/** The console's API, as a signed-in person. Rejects with a SchoolgateError that holds what the console said. */
export interface ConsoleClient {
  call(method: Method, path: string, body?: object): Promise<unknown>;
  /** Posts, and hands what comes to `take` as it comes; it fails where the answer breaks off. */
  download(path: string, take: (body: Readable) => Promise<void>): Promise<void>;
}

/**
 * Signs in through the console's local socket, does the work, and signs out again, however the work ends. Rejects with
 * `console_stopped` when no console answers, and with what the console says when it refuses. `work` may go on asking.
 */
export async function asPerson<T>(
  context: CliContext,
  userName: string,
  work: (client: ConsoleClient, prompter: SecretPrompter, password: string) => Promise<T>,
): Promise<T> {
  const { dataDir } = readEnvironment(context.env, context.cwd);
  const socketPath = dataLayout(dataDir).consoleSocket;
  const http = new Client('http://console', { socketPath, headersTimeout: ANSWER_MS });
  try {
    // Asked before the password is: nobody should type one for nothing.
    await call(http, null, 'GET', '/health');
    const prompter = openPrompter(context);
    try {
      const password = await prompter.ask(`Password of ${userName}: `);
      const token = await signIn(http, prompter, { userName, password });
      try {
        const client: ConsoleClient = {
          call: (method, path, body) => call(http, token, method, path, body),
          download: (path, take) => download(http, token, path, take),
        };
        return await work(client, prompter, password);
      } finally {
        await call(http, token, 'DELETE', '/api/v1/session');
      }
    } finally {
      prompter.close();
    }
  } finally {
    await http.close();
  }
}

/** The code is asked for where the console wants one. */
async function signIn(
  http: Client,
  prompter: SecretPrompter,
  credentials: { readonly userName: string; readonly password: string },
): Promise<string> {
  const open = async (body: object): Promise<string> =>
    ((await call(http, null, 'POST', '/api/v1/session', body)) as { token: string }).token;
  try {
    return await open(credentials);
  } catch (error) {
    if (!(error instanceof SchoolgateError) || error.code !== 'code_needed') throw error;
    const code = await prompter.ask(`Code of ${credentials.userName}’s authenticator app: `);
    return await open({ ...credentials, code });
  }
}

async function call(http: Client, token: string | null, method: Method, path: string, body?: object): Promise<unknown> {
  const { statusCode, text } = await send(http, token, method, path, body);
  if (statusCode < 400) return text === '' ? null : (JSON.parse(text) as unknown);
  const { error, message } = readRefusal(text);
  throw new SchoolgateError(error, 'client', message);
}

async function download(
  http: Client,
  token: string,
  path: string,
  take: (body: Readable) => Promise<void>,
): Promise<void> {
  const { statusCode, body } = await request(http, token, 'POST', path);
  if (statusCode < 400) return await take(withReason(body));
  const { error, message } = readRefusal(await body.text());
  throw new SchoolgateError(error, 'client', message);
}

/** The same bytes; where they break off, the console's log knows why. */
function withReason(body: Readable): Readable {
  const passed = new PassThrough();
  pipeline(body, passed).catch((cause: unknown) =>
    passed.destroy(
      new SchoolgateError('broken_off', 'us', 'The console broke off; its log says why. Nothing was written.', {
        cause,
      }),
    ),
  );
  return passed;
}

async function send(
  http: Client,
  token: string | null,
  method: Method,
  path: string,
  body?: object,
): Promise<{ statusCode: number; text: string }> {
  const response = await request(http, token, method, path, body);
  return { statusCode: response.statusCode, text: await response.body.text() };
}

async function request(
  http: Client,
  token: string | null,
  method: Method,
  path: string,
  body?: object,
): Promise<Dispatcher.ResponseData> {
  const headers: Record<string, string> = {};
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    return await http.request({ method, path, headers, body: body === undefined ? null : JSON.stringify(body) });
  } catch (cause) {
    throw new SchoolgateError(
      'console_stopped',
      'client',
      'The console is not running here. Start it with "npx schoolgate start" and try again.',
      { cause },
    );
  }
}

function readRefusal(text: string): { error: string; message: string } {
  try {
    return JSON.parse(text) as { error: string; message: string };
  } catch {
    return { error: 'console_fault', message: 'The console did not answer as it should; look at its log.' };
  }
}
