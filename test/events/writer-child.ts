/* A worker that writes events in bursts, and a record each, until it is killed; prints the id of each event that was taken. */
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { dataLayout } from '../../src/config/data-layout.ts';
import { openSpool } from '../../src/events/file-spool.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { blocked, ids, sampleRecord } from './sample.ts';

const [root, worker] = process.argv.slice(2) as [string, string];
const spool = openSpool({
  layout: dataLayout(root),
  gateway: 'gw',
  worker: Number(worker),
  clock: systemClock,
  ids,
  onAlarm: () => {},
  limits: { tickMs: 20, eventFileBytes: 200_000, segmentBytes: 100_000 },
});
for (let burst = 1; ; burst = (burst % 7) + 1) {
  await Promise.all(
    Array.from({ length: burst }, async () => {
      const envelope = blocked({ worker: Number(worker) });
      spool.record(sampleRecord({ id: envelope.id }));
      await spool.event(envelope);
      writeSync(1, `${envelope.id}\n`);
    }),
  );
  await pause(3);
}
