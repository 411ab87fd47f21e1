import { troubleMail } from '../alerts/words.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { createDelivery } from '../delivery/service.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Logger } from '../telemetry/log.ts';

export interface ConsoleDownMailOptions {
  readonly environment: Pick<Environment, 'smtpUrl' | 'mailFrom'>;
  readonly layout: Pick<DataLayout, 'outbox'>;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly policy: () => PolicySnapshot | null;
  readonly log: Logger;
  /** Before a mail that did not leave is tried again, ms. */
  readonly againMs?: number;
}

/** Mail of the supervisor's own: the console, which sends all other mail, is what is missing. */
export interface ConsoleDownMail {
  /** Tells each of them once, however long it takes to get through. */
  tell(mailboxes: readonly string[], text: string): void;
  /** The console is back, or the supervisor stops: what has not left stays where it is. */
  stop(): void;
}

const AGAIN_MS = 60_000;

export function createConsoleDownMail(options: ConsoleDownMailOptions): ConsoleDownMail {
  const { environment, layout, clock, newId, policy, log, againMs = AGAIN_MS } = options;
  const delivery = createDelivery({ ...environment, ...layout, clock, newId });
  const timers = new Set<NodeJS.Timeout>();
  const send = async (to: string, text: string, id: string): Promise<void> => {
    try {
      await delivery.send({ to, ...troubleMail(text, policy()?.alerts ?? {}) }, id);
    } catch (error) {
      log.warn({ err: error }, 'nobody could be told that the console is away; it is tried again');
      const timer = setTimeout(() => {
        timers.delete(timer);
        void send(to, text, id);
      }, againMs);
      timers.add(timer);
    }
  };
  return {
    tell: (mailboxes, text) => mailboxes.forEach((to) => void send(to, text, newId())),
    stop() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
