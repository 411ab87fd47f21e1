// Loaded into every process of a stack before anything else (`--import`, with the file as `?file=`): its wall clock is ahead by as many ms as
// the file says.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const FILE = new URL(import.meta.url).searchParams.get('file')!;
/** How long what was read is good for, ms. */
const FRESH_MS = 50;

const RealDate = Date;
const realNow = Date.now.bind(Date);
let [shift, readAt] = [0, Number.NEGATIVE_INFINITY];

function now(): number {
  if (performance.now() - readAt > FRESH_MS) {
    shift = Number(readFileSync(FILE, 'utf8'));
    readAt = performance.now();
  }
  return realNow() + shift;
}

class ShiftedDate extends RealDate {
  constructor(...args: [] | ConstructorParameters<typeof Date>) {
    if (args.length === 0) super(now());
    else super(...args);
  }

  static override now(): number {
    return now();
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
