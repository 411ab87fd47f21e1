import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** What a mail server took over. */
export interface TakenMail {
  readonly to: string;
  readonly messageId: string;
  readonly source: string;
}

export interface MailSink {
  readonly port: number;
  readonly taken: TakenMail[];
  close(): Promise<void>;
}

/** `onTaken`: before the server says yes to a mail. `mayAnswer` false: it never says so. */
export type MailSinkOptions = SMTPServerOptions & {
  readonly onTaken?: (mail: TakenMail) => void;
  readonly mayAnswer?: (mail: TakenMail) => boolean;
};

/** A real SMTP server on loopback. `port` 0: any free one. */
export async function openMailSink(
  { onTaken, mayAnswer, ...options }: MailSinkOptions = {},
  port = 0,
): Promise<MailSink> {
  const taken: TakenMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    closeTimeout: 50,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const source = Buffer.concat(chunks).toString();
        const messageId = /^Message-ID: (<.*>)\r$/im.exec(source)?.[1] ?? '';
        for (const { address } of session.envelope.rcptTo) {
          taken.push({ to: address, messageId, source });
          onTaken?.(taken.at(-1)!);
        }
        if (mayAnswer === undefined || taken.slice(-session.envelope.rcptTo.length).every(mayAnswer)) done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}
