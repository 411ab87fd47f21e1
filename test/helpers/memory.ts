import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const MOST_BYTES = 64 << 20;

/**
 * Whether a process holds a text in its memory, in one byte a character or two (Linux). Null where the system does not let us look.
 */
export function holdsInMemory(pid: number, text: string): boolean | null {
  const wanted = [Buffer.from(text, 'latin1'), Buffer.from(text, 'utf16le')];
  let mem: number;
  try {
    mem = openSync(`/proc/${pid}/mem`, 'r');
  } catch {
    return null;
  }
  try {
    return spans(pid).some((span) => holds(mem, span, wanted));
  } finally {
    closeSync(mem);
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function spans(pid: number): Span[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .map((line) => /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ from: Number.parseInt(match[1]!, 16), to: Number.parseInt(match[2]!, 16) }));
}

/** Pieces overlap by more than any text that is looked for. */
function holds(mem: number, { from, to }: Span, wanted: readonly Buffer[]): boolean {
  for (let at = from; at < to; at += MOST_BYTES - 1024) {
    const bytes = Buffer.alloc(Math.min(MOST_BYTES, to - at));
    let read = 0;
    try {
      read = readSync(mem, bytes, 0, bytes.length, at);
    } catch {
      // A part of the map that has no memory behind it.
      continue;
    }
    if (wanted.some((one) => bytes.subarray(0, read).includes(one))) return true;
  }
  return false;
}
