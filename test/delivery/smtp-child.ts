// A mail server to be killed: writes each mail into a file before it says yes. argv: port, file, and a file that holds back answers: while it
// holds a text, mails to whoever has it in their address are taken over and never answered.
import { appendFileSync, readFileSync } from 'node:fs';
import { openMailSink } from './sink.ts';

const [port, file, heldBack] = process.argv.slice(2) as [string, string, string | undefined];

function isHeld(to: string): boolean {
  const text = heldBack === undefined ? '' : readFileSync(heldBack, 'utf8');
  return text !== '' && to.includes(text);
}

await openMailSink(
  {
    onTaken: ({ to, messageId, source }) => {
      const subject = /^Subject: (.*)\r$/m.exec(source)?.[1];
      appendFileSync(file, `${JSON.stringify({ to, messageId, subject })}\n`);
    },
    mayAnswer: ({ to }) => !isHeld(to),
  },
  Number(port),
);
process.stdout.write('listening\n');
