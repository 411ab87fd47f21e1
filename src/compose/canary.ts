// supervisor ── GET http://canary-….invalid/ ──► its own proxy port ──► 403 that names the list, or an alarm
import { get } from 'node:http';
import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { readManifest } from '../categories/current-index.ts';
import { readIllegalKeys } from '../categories/illegal-key-file.ts';
import { canaryName } from '../categories/illegal-keys.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { AlarmCode } from '../events/catalogue.ts';
import { type CanaryFindings, writeFindings } from '../categories/canary-findings.ts';
import { type Clock, isoTime, MINUTE_MS, HOUR_MS } from '../kernel/clock.ts';

export interface CanaryOptions {
  readonly layout: DataLayout;
  readonly clock: Clock;
  /** Where the proxy listens; `0.0.0.0` and `::`: everywhere. */
  readonly host: string;
  readonly port: () => number;
  readonly onAlarm: (code: AlarmCode, text: string) => void;
  /** Has workers look at their lists again: what kept one from being enforced may have gone, as a key that was not here. */
  readonly renew: () => void;
  /** Pause before a canary that was let through is asked for again, ms. */
  readonly againMs?: number;
}

/** Whoever has just copied a key does not want to wait for long. */
const UNSEEN_MS = 10_000;
const AGAIN_MS = 1_000;
/** Workers take a new list within this many looks. */
const LOOKS = 4;
const ANSWER_MS = 5_000;

/**
 * Asks every hour, as a client would, for the made-up name of each illegal list: that lists were loaded once does not prove that a request
 * is still held against them. Every minute while one is not refused, more often while nobody can tell. What comes of it is kept apart from all records.
 */
export class CanaryWatch {
  readonly #options: CanaryOptions;
  readonly #failing = new Set<string>();
  /** Why the canaries could not be looked at; empty: they could. */
  #unseen = '';
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** Lists whose canary was not refused, or could not be asked for, at the last look. */
  get failing(): readonly string[] {
    return [...this.#failing];
  }

  /** Looks now, and from now on by itself. Never rejects. */
  look(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#running ??= this.#lookAtAll().finally(() => {
      this.#running = null;
      if (this.#stopped) return;
      const ms = this.#unseen !== '' ? UNSEEN_MS : this.#failing.size > 0 ? MINUTE_MS : HOUR_MS;
      this.#timer = setTimeout(() => void this.look(), ms);
    });
    return this.#running;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #lookAtAll(): Promise<void> {
    if (this.#failing.size > 0) this.#options.renew();
    try {
      const findings: Record<string, CanaryFindings[string]> = {};
      for (const [id, name] of this.#canaries()) {
        const refused = await this.#isRefused(id, name);
        if (this.#stopped) return;
        findings[id] = { checkedAt: isoTime(this.#options.clock()), refused };
        this.#note(id, refused);
      }
      for (const id of this.#failing) if (findings[id] === undefined) this.#failing.delete(id);
      writeFindings(this.#options.layout, findings);
      this.#unseen = '';
    } catch (error) {
      this.#noteUnseen((error as Error).message);
    }
  }

  /** A list whose canary cannot be known is as good as not enforced: the key of the lists is not here, or is another's. */
  #noteUnseen(why: string): void {
    for (const id of this.#lists()) this.#failing.add(id);
    if (why !== this.#unseen) {
      this.#options.onAlarm('canary-not-refused', `The canaries could not be looked at: ${why}`);
    }
    this.#unseen = why;
  }

  #lists(): readonly string[] {
    try {
      return (readManifest(this.#options.layout)?.illegal?.lists ?? []).map(({ id }) => id);
    } catch {
      return ['unknown'];
    }
  }

  #canaries(): [string, string][] {
    const lists = readManifest(this.#options.layout)?.illegal?.lists ?? [];
    if (lists.length === 0) return [];
    const keys = readIllegalKeys(this.#options.layout.illegalKey);
    return lists.map(({ id }) => [id, canaryName(keys, id)]);
  }

  async #isRefused(id: string, name: string): Promise<boolean> {
    for (let look = 1; look <= LOOKS && !this.#stopped; look++) {
      if (await isRefusedBy(this.#options.host, this.#options.port(), id, name)) return true;
      if (look < LOOKS) await pause(this.#options.againMs ?? AGAIN_MS);
    }
    return false;
  }

  #note(id: string, refused: boolean): void {
    if (refused) return void this.#failing.delete(id);
    if (this.#failing.has(id)) return;
    this.#failing.add(id);
    const text = `The canary of illegal list "${id}" was not refused: requests are not held against this list. Run "npx schoolgate lists build" and restart; until then take this gateway out of use.`;
    this.#options.onAlarm('canary-not-refused', text);
  }
}

/** Asks from each address of this machine until one is served: the school may let clients in by ranges that leave loopback out. */
async function isRefusedBy(host: string, port: number, id: string, name: string): Promise<boolean> {
  const isAny = host === '0.0.0.0' || host === '::';
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const address of isAny ? ['127.0.0.1', ...own.map((one) => one.address)] : [host]) {
    const answer = await ask(address, port, name);
    if (answer !== null) return answer.status === 403 && answer.proxyStatus.includes(`details="canary ${id}"`);
  }
  return false;
}

/** Null when nothing answered. */
function ask(host: string, port: number, name: string): Promise<{ status: number; proxyStatus: string } | null> {
  return new Promise((resolve) => {
    const options = { host, port, path: `http://${name}/`, headers: { host: name }, agent: false, timeout: ANSWER_MS };
    const request = get(options, (response) => {
      response.resume();
      resolve({ status: response.statusCode!, proxyStatus: String(response.headers['proxy-status'] ?? '') });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(null));
  });
}
