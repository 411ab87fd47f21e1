import { readEnvironment } from '../config/environment.ts';
import { systemClock } from '../kernel/clock.ts';
import { createLogger } from '../telemetry/log.ts';
import { childProcess } from './child-process.ts';
import { answerGateway, isForConsole } from './console-questions.ts';
import { runConsole } from './console.ts';

/** How long closing may take, ms; then the process goes as it is, and what was not committed is done again. */
const STOP_MS = 4000;

childProcess(async (_orders, link) => {
  const starting = runConsole(readEnvironment(process.env, process.cwd()), {
    clock: systemClock,
    // The supervisor prints what a person is to see at a start; what goes wrong is still logged.
    log: createLogger('console', 'warn'),
  });
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
    if (message.type === 'reload') void starting.then((running) => running.reload());
    if (message.type === 'stop') void stop();
  });
  // Without its supervisor nobody would restart it: it finishes and goes.
  link.onGone(() => void stop());
  const { port, url, firstLinks, problems, lists } = await starting;
  link.tell({ type: 'ready', port, url, firstLinks, problems, lists });
});
