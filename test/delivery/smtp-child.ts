// A mail server to be killed: writes each mail into a file before it says yes. argv: port, file.
import { appendFileSync } from 'node:fs';
import { openMailSink } from './sink.ts';

const [port, file] = process.argv.slice(2) as [string, string];
await openMailSink(
  { onTaken: ({ to, messageId }) => appendFileSync(file, `${JSON.stringify({ to, messageId })}\n`) },
  Number(port),
);
process.stdout.write('listening\n');
