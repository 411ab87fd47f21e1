// caller's transaction ── person, what it tells of, mail ──► where the school reaches them ──► queue
import type { Tx } from '../store/database.ts';
import type { OutgoingMail, Outgoing } from './outgoing.ts';
import type { DeliveryQueue } from './queue-service.ts';

/** Mail to people with an account. */
export interface PeopleMail {
  /**
   * Part of the caller's transaction: queues a mail to one person, and gives the delivery's id. `about` says what it tells of, such as
   * `unblock:01J…#waiting`: the same is queued once for each mailbox, however often it is asked for. Whoever has no address
   * in `policies/alerts.yaml` is written to in the outbox folder.
   */
  queue(tx: Tx, person: Addressee, about: string, content: OutgoingMail): string;
  /** A page of the console as people type its address; null: the school has not written the console's address. */
  link(path: string): string | null;
  /** The same for the text of a mail: the address, or in words where to look, such as `under Unblocks`. */
  where(path: string, place?: string): string;
}

/** Somebody with an account. */
export interface Addressee {
  readonly userName: string;
}

export interface PeopleMailOptions {
  readonly deliveries: Pick<DeliveryQueue, 'add'>;
  /** Where somebody is reached by their user name; null: nobody has written it down. */
  readonly mailboxOf: (userName: string) => string | null;
  /** The console's address, without a slash at its end. */
  readonly consoleUrl: () => string | null;
}

export function createPeopleMail({ deliveries, mailboxOf, consoleUrl }: PeopleMailOptions): PeopleMail {
  const link = (path: string): string | null => {
    const url = consoleUrl();
    return url === null ? null : url + path;
  };
  return {
    queue: (tx, { userName }, about, content) =>
      deliveries.add(tx, { ...addressOf(userName, mailboxOf(userName)), about, content }),
    link,
    where: (path, place) => whereToLook(link(path), place),
  };
}

/** A page by its address; null: in words. */
export function whereToLook(link: string | null, place?: string): string {
  return link ?? `Schoolgate’s console${place === undefined ? '' : `, ${place}`}.`;
}

/** `.invalid` is nobody's domain (RFC 2606): what is written for it never leaves by mistake. */
function addressOf(userName: string, mailbox: string | null): Pick<Outgoing, 'channel' | 'recipient'> {
  if (mailbox !== null) return { channel: 'mail', recipient: mailbox };
  return { channel: 'outbox', recipient: `${userName.replaceAll(/[^\w.-]/g, '_')}@schoolgate.invalid` };
}
