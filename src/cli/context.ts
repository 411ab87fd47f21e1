import type { Command } from 'commander';
import type { Clock } from '../kernel/clock.ts';

/** What a command may touch of the process it runs in. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Each file in `cli/` exports one of these; heavy rooms are imported inside the action, so that `check` stays quick. */
export type RegisterCommand = (program: Command, context: CliContext) => void;

/** The command was misused (exit 2), in one sentence that says what to do. Any other SchoolgateError exits 1. */
export class UsageError extends Error {}
