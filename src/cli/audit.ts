import { resolve } from 'node:path';
import type { Anchor } from '../audit/anchor.ts';
import type { AuditRow } from '../audit/entry.ts';
import { dataLayout } from '../config/data-layout.ts';
import { readEnvironment } from '../config/environment.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { ReadTx } from '../store/database.ts';
import { type CliContext, type RegisterCommand, UsageError } from './context.ts';

/** `audit verify` and `audit show`: they read the record themselves, so that they work with the console stopped. */
export const registerAudit: RegisterCommand = (program, context) => {
  const audit = program.command('audit').description('the record of who changed what');
  audit
    .command('verify')
    .description('check every row, the seal and the anchors; exit 1 with the first row that is not as it was written')
    .option(
      '--anchor <file>',
      'anchors that were kept elsewhere, or were mailed; default: the file that is written each night',
    )
    .action((options: { readonly anchor?: string }) => verify(context, options.anchor));
  audit
    .command('show')
    .description('the newest rows, newest last')
    .option('--limit <n>', 'how many rows', '50')
    .option('--subject <subject>', 'only of this subject, such as policy:3')
    .option('--json', 'one JSON row a line')
    .action((options: ShowOptions) => show(context, options));
};

interface ShowOptions {
  readonly limit: string;
  readonly subject?: string;
  readonly json?: true;
}

async function verify(context: CliContext, anchorFile: string | undefined): Promise<void> {
  const { verifyChain } = await import('../audit/service.ts');
  const { readAuditKey } = await import('../audit/key.ts');
  const key = readAuditKey(layoutOf(context).auditKey);
  const anchors = await readAnchors(context, anchorFile);
  const check = await reading(context, (tx) => verifyChain(tx, key, anchors));
  if (check.intact) {
    const last = anchors.at(-1);
    const anchored =
      last === undefined ? 'No anchor says so as well' : `So say ${anchors.length} anchors, the last of ${last.at}`;
    context.stdout.write(`The record is intact: ${check.rows} rows, ending with ${check.head}. ${anchored}.\n`);
    return;
  }
  throw new SchoolgateError('audit_broken', 'client', `The record is broken at row ${check.row}: ${check.problem}.`);
}

/** Those of the file that was named, which must hold some; else those of the file that is written each night, where there is one. */
async function readAnchors(context: CliContext, named: string | undefined): Promise<readonly Anchor[]> {
  const { parseAnchors } = await import('../audit/anchor.ts');
  const { readAnchorFile } = await import('../audit/anchor-file.ts');
  const path = named === undefined ? anchorFileOf(context) : resolve(context.cwd, named);
  const text = readAnchorFile(path);
  if (text === null && named === undefined) return [];
  const { anchors, unreadable } = parseAnchors(text ?? '');
  if (anchors.length === 0)
    throw new UsageError(`${path} holds no anchor; one is a line that begins with "schoolgate-audit".`);
  if (named === undefined && unreadable.length > 0)
    throw new SchoolgateError('audit_broken', 'client', `${path}:${unreadable[0]}: this line is no anchor any more.`);
  return anchors;
}

function anchorFileOf({ env, cwd }: CliContext): string {
  const { auditAnchor, dataDir } = readEnvironment(env, cwd);
  return auditAnchor ?? dataLayout(dataDir).auditAnchors;
}

async function show(context: CliContext, { limit, subject, json }: ShowOptions): Promise<void> {
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw new UsageError('--limit must be a number of rows from 1 to 999999.');
  const { newestRows } = await import('../audit/service.ts');
  const { AUDIT_ACTIONS } = await import('../audit/entry.ts');
  const rows = await reading(context, (tx) => newestRows(tx, subject ?? null, Number(limit)));
  const describe = (row: AuditRow): string => {
    const by =
      row.approver === null || row.approver === row.actor ? row.actor : `${row.actor}, approved by ${row.approver}`;
    return `${row.seq}  ${row.at}  ${by}  ${AUDIT_ACTIONS[row.action]}  ${row.subject}  ${row.payload}`;
  };
  for (const row of rows.toReversed()) context.stdout.write(`${json === true ? JSON.stringify(row) : describe(row)}\n`);
}

async function reading<T>(context: CliContext, read: (tx: ReadTx) => T): Promise<T> {
  const { openRecordReadOnly } = await import('../store/database.ts');
  const record = openRecordReadOnly(layoutOf(context).record);
  try {
    return record.read(read);
  } finally {
    record.close();
  }
}

function layoutOf({ env, cwd }: CliContext): ReturnType<typeof dataLayout> {
  return dataLayout(readEnvironment(env, cwd).dataDir);
}
