import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { dataLayout } from '../config/data-layout.ts';
import { readEnvironment } from '../config/environment.ts';
import { replaceFileFrom } from '../kernel/durable-file.ts';
import { openPrompter } from './ask-secrets.ts';
import { type CliContext, type RegisterCommand, UsageError } from './context.ts';

/** `backup FILE`, `backup --new-key` and `restore FILE`. */
export const registerBackup: RegisterCommand = (program, context) => {
  program
    .command('backup [file]')
    .description('everything that is state, sealed to the school’s recovery key, while Schoolgate runs')
    .requiredOption('--user <name>', 'who you are; the password is asked for')
    .option('--new-key', 'make a recovery key and show it, this once')
    .action((file: string | undefined, options: { user: string; newKey?: true }) => backup(context, file, options));
  program
    .command('restore <file>')
    .description('a backup into an empty data folder, with Schoolgate stopped; the recovery key is asked for')
    .action((file: string) => restore(context, file));
};

async function backup(
  context: CliContext,
  file: string | undefined,
  { user, newKey }: { user: string; newKey?: true },
): Promise<void> {
  if ((file === undefined) !== (newKey === true)) throw new UsageError('Give a FILE to write, or --new-key.');
  const { asPerson } = await import('./console-client.ts');
  await asPerson(context, user, async (client) => {
    if (file === undefined) {
      const { secret } = (await client.call('POST', '/api/v1/backups/key')) as { secret: string };
      context.stderr.write(
        'Print this and put it in the safe. It opens every backup from now on, and is never shown again.\n',
      );
      context.stdout.write(`${secret}\n`);
      return;
    }
    const path = resolve(context.cwd, file);
    let bytes = 0;
    await client.download('/api/v1/backups', async (body: Readable) => {
      body.on('data', (chunk: Buffer) => (bytes += chunk.length));
      await replaceFileFrom(path, body);
    });
    context.stdout.write(`${path}: ${bytes} bytes. Only the recovery key opens it.\n`);
  });
}

async function restore(context: CliContext, file: string): Promise<void> {
  const { dataDir } = readEnvironment(context.env, context.cwd);
  const { restoreBackup } = await import('../backup/restore-service.ts');
  const prompter = openPrompter(context);
  const secret = await prompter.ask('Recovery key: ').finally(() => prompter.close());
  const { madeAt, rows } = await restoreBackup({
    file: resolve(context.cwd, file),
    secret,
    dataDir,
    clock: context.clock,
  });
  context.stdout.write(
    `Restored to ${dataLayout(dataDir).root} as of ${madeAt}; its ${rows} audit rows are intact.\n` +
      'Not in it: what was done since. Look at unblocks and suspensions first, then run: npx schoolgate start\n',
  );
}
