import type { EvidenceState, HolderInput } from '../evidence/service.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { SecretPrompter } from './ask-secrets.ts';
import type { ConsoleClient } from './console-client.ts';
import { type CliContext, type RegisterCommand, UsageError } from './context.ts';

/** `evidence init | list | open`: what only two of three named people may see, and only together. */
export const registerEvidence: RegisterCommand = (program, context) => {
  const evidence = program.command('evidence').description('addresses of listed illegal material that was asked for');
  evidence
    .command('init')
    .description('three people choose their evidence passwords; any two of them can then open a hit')
    .requiredOption('--user <name>', 'the headteacher, who is one of the three')
    .requiredOption('--holder <name>', 'another of the three; given twice', collect, [])
    .action((options: { user: string; holder: readonly string[] }) => init(context, options));
  evidence
    .command('list')
    .description('when, by whom and on which list: never the address')
    .requiredOption('--user <name>', 'who you are; the password is asked for')
    .action((options: { user: string }) => list(context, options.user));
  evidence
    .command('open <event>')
    .description('show the address of a hit, once, to two of the three')
    .requiredOption('--user <name>', 'one of the three')
    .requiredOption('--with <name>', 'another of the three, who is here as well')
    .action((event: string, options: { user: string; with: string }) => open(context, event, options));
};

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

async function init(context: CliContext, { user, holder }: { user: string; holder: readonly string[] }): Promise<void> {
  if (new Set([user, ...holder]).size !== 3) throw new UsageError('Name two other people: --holder A --holder B.');
  await guided(context, user, async (client, prompter, password) => {
    context.stderr.write(
      'Each of you now chooses an evidence password. Nobody can bring one back that is forgotten.\n',
    );
    const holders: HolderInput[] = [];
    for (const userName of [user, ...holder]) {
      const account = userName === user ? { password, code: '' } : await askAccount(prompter, userName);
      holders.push({ userName, ...account, evidencePassword: await chosen(prompter, userName) });
    }
    await client.call('POST', '/api/v1/evidence/init', { holders });
    context.stdout.write('The evidence key is made. From now on each hit is sealed; any two of you can open one.\n');
  });
}

async function askAccount(prompter: SecretPrompter, userName: string): Promise<{ password: string; code: string }> {
  const password = await prompter.ask(`Account password of ${userName}: `);
  return { password, code: await prompter.ask(`Code of ${userName}’s authenticator app: `) };
}

async function chosen(prompter: SecretPrompter, userName: string): Promise<string> {
  const first = await prompter.ask(`New evidence password of ${userName}: `);
  const again = await prompter.ask('The same again: ');
  if (first !== again) throw new SchoolgateError('not_the_same', 'client', 'The two were not the same; start again.');
  return first;
}

async function list(context: CliContext, user: string): Promise<void> {
  await guided(context, user, async (client) => {
    const { key, hits } = (await client.call('GET', '/api/v1/evidence')) as EvidenceState;
    const about =
      key === null ? 'There is no evidence key.' : `Evidence key of ${key.madeAt}: ${key.holders.join(', ')}.`;
    context.stdout.write(`${about}\n`);
    for (const { id, at, user: who, client: from, lists, isSealed } of hits) {
      const sealed = isSealed ? 'sealed' : 'not sealed';
      context.stdout.write(`${id}  ${at}  ${who ?? 'unknown'} at ${from}  ${lists.join(', ')}  ${sealed}\n`);
    }
  });
}

async function open(context: CliContext, event: string, options: { user: string; with: string }): Promise<void> {
  if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(event))
    throw new UsageError('An event is 26 letters and digits; see "evidence list".');
  await guided(context, options.user, async (client, prompter) => {
    context.stderr.write('This is put on record with both your names, whether or not it succeeds.\n');
    const evidencePassword = await prompter.ask(`Evidence password of ${options.user}: `);
    const account = await askAccount(prompter, options.with);
    const second: HolderInput = {
      userName: options.with,
      ...account,
      evidencePassword: await prompter.ask(`Evidence password of ${options.with}: `),
    };
    const path = `/api/v1/evidence/hits/${event}/open`;
    const { target } = (await client.call('POST', path, { evidencePassword, second })) as { target: string };
    context.stdout.write(
      `DO NOT OPEN THIS ADDRESS: looking at it may be a crime. It is for the police or the IWF.\n${target}\n`,
    );
  });
}

/** Signs in, and goes on asking on the same terminal or standard input. */
async function guided(
  context: CliContext,
  user: string,
  work: (client: ConsoleClient, prompter: SecretPrompter, password: string) => Promise<void>,
): Promise<void> {
  const { asPerson } = await import('./console-client.ts');
  await asPerson(context, user, work);
}
