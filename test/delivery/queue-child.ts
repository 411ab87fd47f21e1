// Sends what the queue of a record holds, until it is killed: argv: record, SMTP port, mails to add first.
import { createDeliveryQueue } from '../../src/delivery/queue-service.ts';
import { createDelivery } from '../../src/delivery/service.ts';
import type { OutgoingMail } from '../../src/delivery/outgoing.ts';
import { Secret } from '../../src/config/secret.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { openRecord } from '../../src/store/database.ts';

const [path, port, mails] = process.argv.slice(2) as [string, string, string];
const record = openRecord(path);
const [clock, newId] = [systemClock, createIdMaker(systemClock)];
const smtpUrl = new Secret(`smtp://127.0.0.1:${port}`);
const delivery = createDelivery({
  smtpUrl,
  mailFrom: 'filter@school.example',
  outbox: path,
  clock,
  newId,
  timeoutMs: 5000,
});
const send = (one: { recipient: string; content: unknown; id: string }) =>
  delivery.send({ to: one.recipient, ...(one.content as OutgoingMail) }, one.id);
const queue = createDeliveryQueue({
  record,
  clock,
  newId,
  senders: { mail: send, outbox: send, webhook: send },
  onFailure: () => {},
});
record.write((tx) => {
  for (let n = 0; n < Number(mails); n++) {
    const content = { subject: `Alert ${n}`, text: 'Sign in.' };
    queue.add(tx, { channel: 'mail', recipient: `person${n}@school.example`, about: 'alert:x', content });
  }
});
process.stdout.write('added\n');
queue.start();
setInterval(() => {}, 1000);
