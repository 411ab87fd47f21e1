import { readEnvironment } from '../config/environment.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { CliContext, RegisterCommand } from './context.ts';

const WORDS = { ok: 'ok', warning: 'warning', failed: 'FAILED' } as const;

/** `doctor`: whether everything is as a school's filter needs it. */
export const registerDoctor: RegisterCommand = (program, context) => {
  program
    .command('doctor')
    .description('look at ports, clock, lists, redis, mail, disk, policy and more; each line says what to do')
    .option('--json', 'print one finding a line: {"name", "status", "text"}')
    .action((options: { readonly json?: true }) => doctor(context, options.json === true));
};

async function doctor(context: CliContext, asJson: boolean): Promise<void> {
  const { examine } = await import('../compose/doctor/doctor.ts');
  const findings = await examine(readEnvironment(context.env, context.cwd), context.clock);
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const finding of findings) {
    const line = `${WORDS[finding.status].padEnd(7)}  ${finding.name.padEnd(width)}  ${finding.text}`;
    context.stdout.write(`${asJson ? JSON.stringify(finding) : line}\n`);
  }
  const failures = findings.filter(({ status }) => status === 'failed').map(({ name }) => name);
  if (failures.length > 0) throw new SchoolgateError('doctor_failed', 'client', `Not well: ${failures.join(', ')}.`);
}
