import type { Command } from 'commander';
import { addressText } from '../categories/address-text.ts';
import { formatReport } from '../categories/report-text.ts';
import type { FetchOutcome } from '../categories/fetch-list.ts';
import type { UpdateReport } from '../categories/service.ts';
import { readEnvironment } from '../config/environment.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { ConsoleClient } from './console-client.ts';
import { type CliContext, UsageError } from './context.ts';

interface As {
  readonly user: string;
}

/** A list as the console's API gives it. */
interface ListedList {
  readonly id: string;
  readonly held: { readonly entries: number; readonly before: number; readonly sha256: string } | null;
}

/** `lists update | enable | accept | remove`, as a signed-in person through the console. */
export function addListChanges(lists: Command, context: CliContext): void {
  lists
    .command('update [ids...]')
    .description('fetch the lists whose time has come, or these; then build')
    .option('--all', 'fetch every list, due or not')
    .requiredOption('--user <name>', 'who you are; the password is asked for')
    .action((ids: string[], options: As & { all?: true }) => update(context, ids, options));
  lists
    .command('enable <source>')
    .description('switch a catalogued list on, fetch it and build')
    .option('--accept-licence', 'you have read the licence and the school accepts it')
    .option('--user <name>', 'who you are; the password is asked for')
    .action((id: string, options: Partial<As> & { acceptLicence?: true }) => enable(context, id, options));
  lists
    .command('accept <id>')
    .description('take an update that lost so many entries that it waits for a person')
    .requiredOption('--user <name>', 'who you are; the password is asked for')
    .action((id: string, options: As) => accept(context, id, options));
  lists
    .command('remove <id>')
    .description('end an illegal list that is enforced; takes effect when a second person runs it as well')
    .requiredOption('--user <name>', 'who you are; the password is asked for')
    .action((id: string, options: As) => remove(context, id, options));
}

async function remove(context: CliContext, id: string, { user }: As): Promise<void> {
  const { asPerson } = await import('./console-client.ts');
  const path = `/api/v1/lists/${encodeURIComponent(id)}/remove`;
  const { step } = (await asPerson(context, user, (client) => client.call('POST', path))) as { step: string };
  const asked = `Asked for. It stays enforced until another person runs: npx schoolgate lists remove ${id} --user NAME`;
  context.stdout.write(
    `${step === 'asked' ? asked : `What was kept of "${id}" is deleted, and the lists are built.`}\n`,
  );
}

async function update(context: CliContext, ids: readonly string[], { user, all }: As & { all?: true }): Promise<void> {
  if (all === true && ids.length > 0) throw new UsageError('Name lists, or give --all; not both.');
  const which = all === true ? 'all' : ids.length > 0 ? ids : 'due';
  await change(context, user, (client) => client.call('POST', '/api/v1/lists/update', { which }));
}

async function enable(
  context: CliContext,
  id: string,
  { user, acceptLicence }: Partial<As> & { acceptLicence?: true },
): Promise<void> {
  const { loadCatalogue } = await import('../categories/catalogue.ts');
  const { offered, lists, illegal } = loadCatalogue(readEnvironment(context.env, context.cwd).listsDir);
  const offer = offered.find((one) => one.id === id);
  if (offer === undefined) {
    const isOn = [...lists, ...illegal].some((list) => list.id === id);
    const text = isOn
      ? `List "${id}" is switched on already.`
      : `"${id}" is not in the catalogue; see blocklists/catalogue.yaml.`;
    throw new SchoolgateError('list_unknown', 'client', text);
  }
  const licence = offer.licence ?? 'none is written in the catalogue';
  context.stdout.write(`${id} (${offer.category}): ${addressText(offer.source)}\n  Licence: ${licence}\n`);
  if (offer.homepage !== null) context.stdout.write(`  Publisher: ${offer.homepage}\n`);
  if (acceptLicence !== true) {
    throw new UsageError(
      `Read the licence (${licence}) at the publisher’s page; if the school accepts it, run: npx schoolgate lists enable ${id} --accept-licence --user NAME`,
    );
  }
  if (user === undefined) throw new UsageError('Say who accepts the licence: --user NAME.');
  const path = `/api/v1/lists/${encodeURIComponent(id)}/enable`;
  await change(context, user, (client) => client.call('POST', path, { licence: offer.licence ?? '' }));
}

async function accept(context: CliContext, id: string, { user }: As): Promise<void> {
  await change(context, user, async (client) => {
    const { lists } = (await client.call('GET', '/api/v1/lists')) as { lists: ListedList[] };
    const held = lists.find((list) => list.id === id)?.held;
    if (held === undefined || held === null) {
      throw new SchoolgateError('list_not_held', 'client', `Of list "${id}" no update waits for a person.`);
    }
    return client.call('POST', `/api/v1/lists/${encodeURIComponent(id)}/accept`, { sha256: held.sha256 });
  });
}

/** Does it, prints what it came to, and fails where a list could not be had or an adult should know something. */
async function change(
  context: CliContext,
  user: string,
  work: (client: ConsoleClient) => Promise<unknown>,
): Promise<void> {
  const { asPerson } = await import('./console-client.ts');
  const report = (await asPerson(context, user, async (client) => {
    if (context.stderr.isTTY) context.stderr.write('Fetching and building: this can take minutes.\n');
    return await work(client);
  })) as UpdateReport;
  const problems = [...report.fetched.flatMap(({ problem }: FetchOutcome) => problem ?? []), ...report.alarms];
  const good = formatReport(report).filter((line) => !problems.includes(line));
  if (good.length > 0) context.stdout.write(`${good.join('\n')}\n`);
  if (problems.length > 0) throw new SchoolgateError('lists_incomplete', 'client', problems.join('\n'));
}
