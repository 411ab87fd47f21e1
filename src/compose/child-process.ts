import { type ProcessLink, processLink } from './process-link.ts';

/**
 * The frame of every process that the supervisor starts: waits for its orders, runs, and dies loudly when it cannot. Signals
 * of a terminal reach the whole group, but only the supervisor decides who stops when.
 */
export function childProcess(run: (orders: unknown, link: ProcessLink) => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const link = processLink(process);
  link.onMessage((message) => {
    if (message.type !== 'orders') return;
    run(message['orders'], link).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    });
  });
}
