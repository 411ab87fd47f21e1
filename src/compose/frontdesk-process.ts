import { readEnvironment } from '../config/environment.ts';
import type { ToldRecord } from '../gateway/told-refusal.ts';
import { systemClock } from '../kernel/clock.ts';
import { childProcess } from './child-process.ts';
import { devicesOver } from './front-desk-devices.ts';
import { lessonsOver } from './front-desk-lessons.ts';
import { reportsOver } from './front-desk-reports.ts';
import { wishesOver } from './front-desk-wishes.ts';
import { type FrontDeskOrders, type ProxyPorts, runFrontDesk } from './frontdesk.ts';

/** How long the workers may take to say what they refused, or to take a pass, ms. */
const ASK_MS = 3_000;

childProcess(async (orders, link) => {
  const starting = runFrontDesk(readEnvironment(process.env, process.cwd()), {
    orders: orders as FrontDeskOrders,
    clock: systemClock,
    devices: devicesOver(link),
    askLessons: lessonsOver(link),
    askWishes: wishesOver(link),
    sendReport: reportsOver(link),
    passes: { put: async (pass) => void (await link.ask({ type: 'pass', pass }, ASK_MS)) },
    recentRefusals: {
      of: async (client) => (await link.ask({ type: 'refusals', client }, ASK_MS)) as readonly ToldRecord[],
    },
  });
  const stop = async (): Promise<void> => {
    await (await starting).stop();
    process.exit(0);
  };
  // Heard from the first moment: a policy may change, and a supervisor may go, while the doors are being opened.
  link.onMessage((message) => {
    if (message.type === 'snapshot') void starting.then((desk) => desk.reload());
    else if (message.type === 'ports') void starting.then((desk) => desk.setPorts(message as unknown as ProxyPorts));
    else if (message.type === 'stop') void stop();
  });
  link.onGone(() => void stop());
  link.tell({ type: 'ready', port: (await starting).port });
});
