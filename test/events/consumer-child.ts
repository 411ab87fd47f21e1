/* A console that prints each event it was given, and takes a moment for each, until it is killed. */
import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { dataLayout } from '../../src/config/data-layout.ts';
import { Secret } from '../../src/config/secret.ts';
import { openBus } from '../../src/events/open-bus.ts';
import { PREFIX } from './rigs.ts';

const [root, socket] = process.argv.slice(2) as [string, string | undefined];
const redisUrl = socket === undefined ? null : new Secret(socket);
const bus = await openBus({ layout: dataLayout(root), redisUrl, redisPrefix: PREFIX, onState: () => {} });
await bus.consumer().start({
  event: async ({ json }) => {
    writeSync(1, `${(JSON.parse(json) as { id: string }).id}\n`);
    await turn();
  },
  segment: async () => {},
});
