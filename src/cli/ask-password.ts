import { SchoolgateError } from '../kernel/errors.ts';
import type { CliContext } from './context.ts';

/**
 * A password: typed without echo on a terminal, else the first line of standard input, so that it never stands in a command
 * line that others can see. Throws a SchoolgateError (`cancelled`) on Ctrl-C or when nothing comes.
 */
export async function askPassword({ stdin, stderr }: CliContext, prompt: string): Promise<string> {
  if (!stdin.isTTY) return firstLine(stdin);
  stderr.write(prompt);
  stdin.setRawMode(true);
  try {
    return await readTyped(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

async function firstLine(stdin: NodeJS.ReadStream): Promise<string> {
  let text = '';
  for await (const chunk of stdin.setEncoding('utf8')) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  const line = text.split(/\r?\n/)[0]!;
  if (line === '') throw cancelled('Give the password as the first line of standard input.');
  return line;
}

async function readTyped(stdin: NodeJS.ReadStream): Promise<string> {
  const typed: string[] = [];
  for await (const chunk of stdin.setEncoding('utf8')) {
    for (const character of String(chunk)) {
      if (character === '\r' || character === '\n' || character === '\u0004') return typed.join('');
      if (character === '\u0003') throw cancelled('Cancelled.');
      if (character === '\u007f' || character === '\b') typed.pop();
      else if (character >= ' ') typed.push(character);
    }
  }
  return typed.join('');
}

function cancelled(text: string): SchoolgateError {
  return new SchoolgateError('cancelled', 'client', text);
}
