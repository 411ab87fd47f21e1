import { InvalidInputError, formatProblem } from '../kernel/errors.ts';
import type { ExaminedPolicy } from '../policy/load.ts';
import type { CompiledLevel } from '../policy/snapshot.ts';
import { type CliContext, type RegisterCommand, UsageError } from './context.ts';

/** `policy validate`, `policy show LEVEL` and `policy diff`: offline, from the files on disk. */
export const registerPolicy: RegisterCommand = (program, context) => {
  const policy = program.command('policy').description('what is allowed, as the files in policies/ say it');
  policy
    .command('validate')
    .description('all mistakes at once, and every line without effect, with file and line')
    .option('--json', 'print {"valid", "hash", "errors", "warnings"}')
    .action((options: { readonly json?: boolean }) => validate(context, options.json === true));
  policy
    .command('show <level>')
    .description('one level as compiled, with where each rule stands')
    .action((level: string) => show(context, level));
  policy
    .command('diff')
    .description('what the files on disk would change in the policy in force, in plain English')
    .action(() => diff(context));
};

async function validate(context: CliContext, asJson: boolean): Promise<void> {
  const { policySources } = await import('./policy-sources.ts');
  const sources = policySources(context);
  const examined = sources.examine();
  const isValid = 'snapshot' in examined;
  if (asJson) {
    const found = isValid
      ? { valid: true, hash: examined.snapshot.hash, errors: [], warnings: examined.warnings }
      : { valid: false, hash: null, errors: examined.problems, warnings: [] };
    context.stdout.write(`${JSON.stringify(found)}\n`);
  }
  if (!isValid) throw new InvalidInputError(`The policy in ${sources.policyDir} cannot be used`, examined.problems);
  if (!asJson) context.stdout.write(validText(examined));
}

function validText({ snapshot, warnings }: Extract<ExaminedPolicy, { snapshot: unknown }>): string {
  const { levels, people, groups, calendar, hash } = snapshot;
  const counts = [
    `levels ${Object.keys(levels).join(', ')}`,
    `${Object.keys(people).length} people`,
    `${Object.keys(groups).length} groups`,
    ...(calendar === undefined
      ? []
      : [
          `terms up to ${calendar.terms
            .map(({ to }) => to)
            .sort()
            .at(-1)}`,
        ]),
  ];
  const lines = [`The policy is valid: ${counts.join('; ')}. Hash ${hash}.`];
  if (warnings.length > 0) lines.push('These lines change nothing for anybody:');
  return `${[...lines, ...warnings.map((one) => `  ${formatProblem(one)}`)].join('\n')}\n`;
}

async function show(context: CliContext, name: string): Promise<void> {
  const { policySources } = await import('./policy-sources.ts');
  const { levels, illegal = {} } = policySources(context).onDisk();
  const level = Object.hasOwn(levels, name) ? levels[name] : undefined;
  if (level === undefined)
    throw new UsageError(`"${name}" is not a level; there are ${Object.keys(levels).join(', ')}.`);
  const { hoursText, timesRows } = await import('../policy/times-text.ts');
  const { entryText } = await import('../policy/entry.ts');
  const { safeSettingsText } = await import('../policy/safe-search.ts');
  const { wordingText } = await import('../policy/compile-wording.ts');
  const rows: [string, string, string][] = [
    ...Object.entries(level.categories).map(([id, { action, rule }]): [string, string, string] => [id, action, rule]),
    ['(sites on no list)', level.uncategorised.action, level.uncategorised.rule],
    ...level.entries.allow.map((entry): [string, string, string] => [entryText(entry), 'allow', entry.rule]),
    ...level.entries.block.map((entry): [string, string, string] => [entryText(entry), 'block', entry.rule]),
    ...downloadRows(level),
    ...timesRows(level.times ?? []),
  ];
  const hours = level.hours === null ? '' : ` (${level.hours.rule})`;
  context.stdout.write(`${level.title} (${name}); pages speak to: ${level.voice}\n`);
  context.stdout.write(`Open ${hoursText(level.hours?.windows ?? null)}${hours}\n`);
  context.stdout.write(`${safeSettingsText(level)}\n`);
  for (const category of ['csam', 'terrorism'] as const) {
    const said = wordingText(illegal[category]);
    if (said !== null)
      context.stdout.write(`The page about ${category} says: ${said} (school.yaml#illegal.${category})\n`);
  }
  context.stdout.write('\n');
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const [what, action, rule] of rows) {
    context.stdout.write(`${what.padEnd(widths[0]!)}  ${action.padEnd(widths[1]!)}  ${rule}\n`);
  }
}

function downloadRows({ downloads }: CompiledLevel): [string, string, string][] {
  return (downloads?.extensions ?? []).map((ending) => [`*${ending} on plain http`, 'block', downloads!.rule]);
}

async function diff(context: CliContext): Promise<void> {
  const { policySources } = await import('./policy-sources.ts');
  const { diffPolicies } = await import('../policy/diff.ts');
  const sources = policySources(context);
  const onDisk = sources.onDisk();
  const published = sources.published();
  if (published === null) {
    context.stdout.write('No policy has been published here yet: the files on disk would be the first.\n');
    return;
  }
  const changes = diffPolicies(published.policy, onDisk);
  const before = `policy ${published.serial}, which is in force on this machine`;
  context.stdout.write(`${diffHeading(before, changes.length > 0, published.policy.hash === onDisk.hash)}\n`);
  for (const { text, loosens } of changes) context.stdout.write(`${loosens ? '+' : ' '} ${text}\n`);
}

function diffHeading(before: string, differs: boolean, isSame: boolean): string {
  if (differs) return `The files on disk would change ${before} ("+" may open something for pupils):`;
  if (isSame) return `The files on disk are ${before}.`;
  return `The files on disk only order or place rules differently from ${before}: nobody may do more or less.`;
}
