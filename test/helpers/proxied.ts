import { connectThrough, dial, request } from './raw-client.ts';
import type { RawResponse } from './raw-response.ts';

/** GET of an http address through the proxy, over a connection of its own. */
export async function getThrough(proxyPort: number, url: string, more: readonly string[] = []): Promise<RawResponse> {
  return await request(proxyPort, [`GET ${url} HTTP/1.1`, `Host: ${new URL(url).host}`, 'Connection: close', ...more]);
}

/** The status that CONNECT is answered with. */
export async function connectStatus(proxyPort: number, authority: string): Promise<number> {
  const { connection, response } = await connectThrough(proxyPort, authority);
  await connection.close();
  return response.status;
}

/**
 * Clients that ask for sites of which each must be refused, every name once, half of them over http and half with CONNECT,
 * until told to stop. What they are not answered, because something was killed, they do not ask again.
 */
export class RefusedLoad {
  /** Names whose refusal a client has seen to its end. */
  readonly seen = new Set<string>();
  /** Names that got no answer. */
  readonly unanswered = new Set<string>();
  /** Answers that were no refusal. */
  readonly strange: number[] = [];
  readonly #proxyPort: () => number;
  readonly #under: string;
  readonly #clients: Promise<void>[] = [];
  #next = 0;
  #stopped = false;

  /** `under`: a blocked name; what is asked for are names under it. */
  constructor(proxyPort: () => number, under: string, clients = 4) {
    this.#proxyPort = proxyPort;
    this.#under = under;
    for (let client = 0; client < clients; client++) this.#clients.push(this.#ask());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #ask(): Promise<void> {
    while (!this.#stopped) {
      const number = this.#next++;
      const name = `n${number}.${this.#under}`;
      try {
        const status = await (number % 2 === 0 ? this.#http(name) : connectStatus(this.#proxyPort(), `${name}:443`));
        if (status === 403) this.seen.add(name);
        else this.strange.push(status);
      } catch {
        this.unanswered.add(name);
        // A port that nobody listens on refuses at once: no need to ask it a thousand times.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async #http(name: string): Promise<number> {
    await using connection = await dial(this.#proxyPort());
    await connection.send(`GET http://${name}/ HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    return (await connection.readResponse()).status;
  }
}
