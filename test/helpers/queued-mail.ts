import type { OutgoingMail } from '../../src/delivery/outgoing.ts';
import type { ControlPlane } from './control-plane.ts';

/** A mail in the queue. `to`: the recipient's address up to its `@`. */
export interface QueuedMail extends Pick<OutgoingMail, 'subject' | 'text' | 'html'> {
  readonly to: string;
  readonly about: string;
}

/** Everything that was queued for people, oldest first; of whoever has no address it lies in the outbox. */
export function queuedMail({ record }: ControlPlane): QueuedMail[] {
  const rows = record.read((tx) => tx.all('SELECT recipient, about, content FROM deliveries ORDER BY id'));
  return rows.map(({ recipient, about, content }) => {
    const mail = JSON.parse(String(content)) as OutgoingMail;
    return Object.assign(mail, { to: String(recipient).split('@')[0]!, about: String(about) });
  });
}
