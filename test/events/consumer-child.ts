/*
 * A console that prints each event it was given, and takes a moment for each batch, until it is killed. With an id it kills
 * itself when the batch with that event has taken effect (is printed), before the bus hears of it.
 */
import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { dataLayout } from '../../src/config/data-layout.ts';
import { Secret } from '../../src/config/secret.ts';
import { openBus } from '../../src/events/open-bus.ts';
import { PREFIX } from './rigs.ts';

const [root, socket, last] = process.argv.slice(2) as [string, string, string | undefined];
const redisUrl = socket === '' ? null : new Secret(socket);
const bus = await openBus({ layout: dataLayout(root), redisUrl, redisPrefix: PREFIX, onState: () => {} });
await bus.consumer().start({
  events: async (batch) => {
    const ids = batch.map(({ json }) => (JSON.parse(json) as { id: string }).id);
    writeSync(1, ids.map((id) => `${id}\n`).join(''));
    if (last !== undefined && ids.includes(last)) process.kill(process.pid, 'SIGKILL');
    await turn();
  },
  segment: async () => {},
});
