import { readEnvironment } from '../config/environment.ts';
import { systemClock } from '../kernel/clock.ts';
import { createLogger } from '../telemetry/log.ts';
import { childProcess } from './child-process.ts';
import { answerGateway, isForConsole } from './console-questions.ts';
import { PULSE_MS } from './console-pulse.ts';
import { runConsole } from './console.ts';

/** How long closing may take, ms; then the process goes as it is, and what was not committed is done again. */
const STOP_MS = 4000;

childProcess(async (_orders, link) => {
  // The supervisor prints what a person is to see at a start; what goes wrong is still logged.
  const log = createLogger('console', 'warn');
  const starting = runConsole(readEnvironment(process.env, process.cwd()), { clock: systemClock, log });
  let isStopping = false;
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), STOP_MS).unref();
    await (await starting).stop();
    if (process.connected) process.disconnect();
  };
  link.onMessage((message, answer) => {
    if (isForConsole(message)) void starting.then((running) => answerGateway(running.answers, message)).then(answer);
    if (message.type === 'ports') void starting.then((running) => running.setProxyPort(message['proxyPort'] as number));
    if (message.type === 'reload') void starting.then((running) => running.reload());
    if (message.type === 'stop') void stop();
  });
  // Without its supervisor nobody would restart it: it finishes and goes.
  link.onGone(() => void stop());
  const running = await starting;
  const { port, url, firstLinks, problems, lists } = running;
  link.tell({ type: 'ready', port, url, firstLinks, problems, lists });
  const beat = (): void => {
    if (isStopping) return;
    try {
      link.tell({ type: 'pulse', mailboxes: running.operators() });
    } catch (error) {
      // Without its record it is as good as away, and no sign of it says so.
      log.error({ err: error }, 'the console cannot read its record');
    }
  };
  beat();
  setInterval(beat, PULSE_MS).unref();
});
