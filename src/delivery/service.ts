import { isIP } from 'node:net';
import { join } from 'node:path';
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';
import type { Secret } from '../config/secret.ts';
import type { Clock } from '../kernel/clock.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { checkMail, type Mail } from './mail.ts';
import { smtpFailure } from './smtp-failure.ts';

export interface DeliveryPorts {
  /** Null: mail is written into `outbox` as `.eml` files. */
  readonly smtpUrl: Secret | null;
  readonly mailFrom: string;
  readonly outbox: string;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** How long one mail may take from connecting to the server's last answer, ms. */
  readonly timeoutMs?: number;
}

/** Proof that a mail left. `smtp`: the server took it over; `outbox`: the file is on disk and survives a power cut. */
export interface DeliveryProof {
  readonly messageId: string;
  readonly via: 'smtp' | 'outbox';
  /** ISO 8601 UTC. */
  readonly at: string;
}

export interface Delivery {
  /**
   * `id`: of a mail that may be sent again, so that its Message-ID (and its file in the outbox) stays the same; left out: a new one.
   * Rejects with InvalidInputError for a mail that must not be sent, else with a SchoolgateError that says what to do.
   */
  send(mail: Mail, id?: string): Promise<DeliveryProof>;
}

const TIMEOUT_MS = 30_000;

type Message = SendMailOptions & { readonly messageId: string; readonly date: Date };

export function createDelivery(ports: DeliveryPorts): Delivery {
  return {
    async send(mail, id = ports.newId()) {
      checkMail(mail);
      const now = ports.clock();
      const message: Message = {
        ...mail,
        attachments: mail.attachments?.map((attachment) => ({ ...attachment })) ?? [],
        from: ports.mailFrom,
        messageId: `<${id}@${ports.mailFrom.split('@')[1]}>`,
        date: new Date(now),
        disableFileAccess: true,
        disableUrlAccess: true,
      };
      if (ports.smtpUrl === null) await writeToOutbox(message, join(ports.outbox, `${id}.eml`));
      else await sendBySmtp(message, ports.smtpUrl, ports.timeoutMs ?? TIMEOUT_MS);
      return {
        messageId: message.messageId,
        via: ports.smtpUrl === null ? 'outbox' : 'smtp',
        at: message.date.toISOString(),
      };
    },
  };
}

async function writeToOutbox(message: Message, path: string): Promise<void> {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message: bytes } = await transport.sendMail(message);
  replaceFile(path, bytes as Buffer);
}

async function sendBySmtp(message: Message, smtpUrl: Secret, timeoutMs: number): Promise<void> {
  const { url, transport } = transportTo(smtpUrl, timeoutMs);
  try {
    // Over the whole of it: a server that sends one byte now and then keeps every idle time-out from firing.
    await transport.sendMail({ ...message, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw smtpFailure(error, url.host);
  } finally {
    transport.close();
  }
}

function transportTo(smtpUrl: Secret, timeoutMs: number): { url: URL; transport: Transporter } {
  const url = new URL(smtpUrl.reveal());
  const transport = createTransport({
    url: url.href,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    requireTLS: mustEncrypt(url),
  });
  return { url, transport };
}

/** Whether the mail server takes our connection, TLS and password; nothing is sent. Rejects as `send` does. */
export async function verifySmtp(smtpUrl: Secret, timeoutMs: number): Promise<void> {
  const { url, transport } = transportTo(smtpUrl, timeoutMs);
  try {
    await transport.verify();
  } catch (error) {
    throw smtpFailure(error, url.host);
  } finally {
    transport.close();
  }
}

/** A password never leaves this machine in clear; a relay that asks for none may do without TLS, as in many schools. */
export function mustEncrypt(smtpUrl: URL): boolean {
  const host = smtpUrl.hostname.replace(/^\[|\]$/g, '');
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return smtpUrl.username !== '' && !isLoopback;
}
