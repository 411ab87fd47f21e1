import type { Command } from 'commander';
import { isoTime } from '../kernel/clock.ts';
import { localText } from '../kernel/local-time.ts';
import type { ConsoleClient } from './console-client.ts';
import { type CliContext, type RegisterCommand, UsageError } from './context.ts';
import { readTime } from './read-time.ts';

interface RequestOptions {
  readonly user: string;
  readonly topic: string;
  readonly subject?: string;
  readonly reason: string;
  readonly site: readonly string[];
  readonly category: readonly string[];
  readonly class: readonly string[];
  readonly pupil: readonly string[];
  readonly passOwnBlock?: true;
  readonly level: readonly string[];
  readonly range: readonly string[];
  readonly during: readonly string[];
  readonly from?: string;
  readonly until?: string;
  readonly for?: string;
}

/** An unblock as the console's API gives it. */
interface ListedUnblock {
  readonly id: string;
  readonly state: string;
  readonly topic: string;
  readonly hosts: readonly string[];
  readonly categories: readonly string[];
  readonly classes: readonly string[];
  readonly pupils: readonly string[];
  readonly during: readonly string[];
  readonly risks: readonly string[];
  readonly passesPersonBlock: boolean;
  readonly levels: readonly string[];
  readonly ranges: readonly string[];
  readonly from: string;
  readonly until: string;
  readonly requested: { readonly by: string };
}

/** `unblock request | list | block | approve | agree | refuse | withdraw | revoke`, as a signed-in person through the console. */
export const registerUnblock: RegisterCommand = (program, context) => {
  const unblock = program.command('unblock').description('open a site for a topic, for a time: two people');
  const command = (usage: string, description: string): Command =>
    unblock
      .command(usage)
      .description(description)
      .requiredOption('--user <name>', 'who you are; the password is asked for');

  command('request', 'ask for an unblock; another person must approve it')
    .requiredOption('--topic <text>', 'what is taught')
    .requiredOption('--reason <text>', 'why it is needed')
    .option('--site <host>', 'a site and everything under it; may be repeated', collect, [])
    .option('--category <id>', 'a whole category; may be repeated', collect, [])
    .option('--subject <text>', 'such as History')
    .option('--class <name>', 'for this class or group; may be repeated', collect, [])
    .option('--pupil <name>', 'for this pupil, by name or user name; may be repeated', collect, [])
    .option('--pass-own-block', 'also what is closed for these pupils themselves; the safeguarding lead must agree')
    .option('--level <name>', 'for this level; may be repeated', collect, [])
    .option('--range <cidr>', 'for these addresses; may be repeated', collect, [])
    .option('--during <slot>', 'only in this part of the school day, such as lessons; may be repeated', collect, [])
    .option('--from <time>', 'school time such as 2026-11-23T09:00, or ISO 8601 with Z; default: now')
    .option('--until <time>', 'when it ends, written like --from')
    .option('--for <time>', 'how long instead: 50m, 2h or 3d')
    .action((options: RequestOptions) => request(context, options));

  command('list', 'what was asked for, newest first')
    .option('--json', 'one JSON document')
    .action((options: { user: string; json?: true }) => list(context, options));

  command('block', 'say that a site should be blocked; it becomes a change of the policy, which takes two people')
    .option('--site <host>', 'a site and everything under it; may be repeated', collect, [])
    .requiredOption('--reason <text>', 'why it should be blocked')
    .action(async ({ user, site: sites, reason }: { user: string; site: readonly string[]; reason: string }) => {
      const body = { sites, reason };
      await signedIn(context, user, (client) => client.call('POST', '/api/v1/block-requests', body));
      context.stdout.write('Sent to whoever looks after the policy.\n');
    });

  for (const move of ['approve', 'agree', 'refuse', 'withdraw', 'revoke'] as const) {
    command(`${move} <id>`, move === 'agree' ? 'agree to an unblock as safeguarding lead' : `${move} an unblock`)
      .option('--note <text>', 'for the record')
      .action(async (id: string, { user, note }: { user: string; note?: string }) => {
        const path = `/api/v1/unblocks/${encodeURIComponent(id)}/${move}`;
        const body = note === undefined ? {} : { reason: note };
        const moved = (await signedIn(context, user, (client) => client.call('POST', path, body))) as ListedUnblock;
        context.stdout.write(`${moved.id} is ${moved.state}.\n`);
      });
  }
};

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

async function signedIn<T>(context: CliContext, user: string, work: (client: ConsoleClient) => Promise<T>): Promise<T> {
  const { asPerson } = await import('./console-client.ts');
  return asPerson(context, user, work);
}

async function request(context: CliContext, options: RequestOptions): Promise<void> {
  const length = readLength(options);
  const made = (await signedIn(context, options.user, async (client) => {
    const zone = await schoolZone(client);
    const from = options.from === undefined ? context.clock() : readTime('--from', options.from, zone);
    const until = length === null ? readTime('--until', options.until!, zone) : from + length;
    const { topic, subject = '', reason, during } = options;
    const what = { hosts: options.site, categories: options.category };
    const whom = { classes: options.class, pupils: options.pupil, levels: options.level, ranges: options.range };
    const times = { from: isoTime(from), until: isoTime(until), during };
    const passesPersonBlock = options.passOwnBlock === true;
    const terms = { topic, subject, reason, ...what, ...whom, ...times, passesPersonBlock };
    return client.call('POST', '/api/v1/unblocks', terms);
  })) as ListedUnblock;
  context.stdout.write(
    `Asked for: ${made.id}. Another person must approve it: npx schoolgate unblock approve ${made.id} --user NAME\n`,
  );
  if (made.risks.length === 0 && !made.passesPersonBlock) return;
  context.stdout.write(
    `The safeguarding lead must agree as well: npx schoolgate unblock agree ${made.id} --user NAME\n`,
  );
}

async function list(context: CliContext, options: { user: string; json?: true }): Promise<void> {
  const { unblocks, zone } = await signedIn(context, options.user, async (client) => {
    const answer = (await client.call('GET', '/api/v1/unblocks')) as { unblocks: ListedUnblock[] };
    return { unblocks: answer.unblocks, zone: await schoolZone(client) };
  });
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify({ unblocks }, null, 2)}\n`);
    return;
  }
  if (unblocks.length === 0) context.stdout.write('Nobody has asked for an unblock yet.\n');
  for (const one of unblocks) context.stdout.write(`${describe(one, zone)}\n`);
}

function describe(one: ListedUnblock, zone: string): string {
  const what = [...one.hosts, ...one.categories.map((id) => `category ${id}`)].join(', ');
  const whom = [...one.classes, ...one.pupils, ...one.levels, ...one.ranges].join(', ');
  const only = one.during.length === 0 ? '' : `, only in ${one.during.join(', ')}`;
  const when = `${localText(Date.parse(one.from), zone)} to ${localText(Date.parse(one.until), zone)}${only}`;
  return `${one.id}  ${one.state}\n  ${one.topic}: ${what}\n  for ${whom}, ${when}, asked for by ${one.requested.by}`;
}

async function schoolZone(client: ConsoleClient): Promise<string> {
  const { timeZone } = (await client.call('GET', '/api/v1/status')) as { timeZone: string | null };
  return timeZone ?? 'Europe/London';
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Ms of `--for`; null: `--until` says when. */
function readLength({ for: length, until }: RequestOptions): number | null {
  if ((length === undefined) === (until === undefined)) throw new UsageError('Give either --until or --for.');
  if (length === undefined) return null;
  const match = /^(\d{1,4})([mhd])$/.exec(length);
  if (match === null) throw new UsageError('--for must be a number of minutes, hours or days: 50m, 2h or 3d.');
  return Number(match[1]) * UNIT_MS[match[2]!]!;
}
