import { Command, CommanderError } from 'commander';
import { SchoolgateError } from './kernel/errors.ts';
import { systemClock } from './kernel/clock.ts';
import { COMMANDS } from './cli/commands.ts';
import { type CliContext, UsageError } from './cli/context.ts';
import { diskFault } from './cli/disk-fault.ts';

const context: CliContext = {
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
};

// Whoever reads what is printed may have seen enough (`… | head`): that stops no command, least of all the filter.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const program = new Command('schoolgate')
  .description('Filtering and monitoring forward proxy for a school’s gateway')
  .option('--verbose', 'print stack traces with errors')
  .exitOverride();

for (const register of COMMANDS) register(program, context);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const verbose = program.opts<{ verbose?: boolean }>().verbose === true;
  if (error instanceof SchoolgateError || error instanceof UsageError) {
    process.stderr.write(`${verbose ? error.stack : error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
  const disk = diskFault(error);
  if (disk !== null && !verbose) {
    process.stderr.write(`${disk}\n`);
    return 1;
  }
  process.stderr.write(
    `${verbose && error instanceof Error ? error.stack : `Unexpected fault: ${String(error)}. Run again with --verbose and report it.`}\n`,
  );
  return 1;
}
