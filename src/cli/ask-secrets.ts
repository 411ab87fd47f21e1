import { SchoolgateError } from '../kernel/errors.ts';
import type { CliContext } from './context.ts';

/** Asks for several secrets one after the other, of several people: typed without echo, or a line of standard input each. */
export interface SecretPrompter {
  /** Rejects with a SchoolgateError (`cancelled`) on Ctrl-C or when nothing more comes. */
  ask(prompt: string): Promise<string>;
  close(): void;
}

export function openPrompter({ stdin, stderr }: CliContext): SecretPrompter {
  const isTerminal = stdin.isTTY;
  let typed = '';
  let ended = false;
  let wake = (): void => {};
  const onData = (chunk: string | Buffer): void => {
    // Ctrl-D ends what is typed, as the return key does.
    typed += String(chunk).replaceAll('\u0004', '\n');
    wake();
  };
  const onEnd = (): void => {
    ended = true;
    wake();
  };
  if (isTerminal) stdin.setRawMode(true);
  stdin.setEncoding('utf8').on('data', onData).on('end', onEnd);
  return {
    async ask(prompt) {
      if (isTerminal) stderr.write(prompt);
      for (;;) {
        if (isTerminal && typed.includes('\u0003')) throw cancelled('Cancelled.');
        const end = typed.search(/[\r\n]/);
        if (end >= 0) {
          const line = typed.slice(0, end);
          typed = typed.slice(end).replace(/^(?:\r\n|[\r\n])/, '');
          if (isTerminal) stderr.write('\n');
          return isTerminal ? withoutErased(line) : line;
        }
        if (ended && typed !== '') {
          const last = typed;
          typed = '';
          return last;
        }
        if (ended) throw cancelled('Give each password, and each code that is asked for, as a line of standard input.');
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    close() {
      stdin.off('data', onData).off('end', onEnd).pause();
      if (isTerminal) stdin.setRawMode(false);
    },
  };
}

function withoutErased(line: string): string {
  const kept: string[] = [];
  for (const character of line) {
    if (character === '\u007f' || character === '\b') kept.pop();
    else if (character >= ' ') kept.push(character);
  }
  return kept.join('');
}

function cancelled(text: string): SchoolgateError {
  return new SchoolgateError('cancelled', 'client', text);
}
