// worker ── verify ──► supervisor ── verify ──► console ── whose they are ──► back the same way
import type { CredentialsAnswer } from '../identity/credentials.ts';
import type { Message, ProcessLink } from './process-link.ts';

/** Shorter than the worker waits, so that it gets an answer in any case, ms. */
const ANSWER_MS = 4_500;

/** Passes credentials on to the console, which alone can check them. `no-answer` where none runs. */
export async function verifyAtConsole(
  console: ProcessLink | null | undefined,
  { type, name, password, address }: Message,
): Promise<CredentialsAnswer> {
  try {
    const answer = await console?.ask({ type, name, password, address }, ANSWER_MS);
    return (answer as CredentialsAnswer | undefined) ?? 'no-answer';
  } catch {
    return 'no-answer';
  }
}
