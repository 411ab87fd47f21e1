import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAuditKey } from '../../audit/key.ts';
import { verifyChain } from '../../audit/service.ts';
import { keptBackups } from '../../backup/daily.ts';
import { readRecipient } from '../../backup/recovery-key.ts';
import { ageText } from '../../categories/age-text.ts';
import { type CanaryFindings, readFindings } from '../../categories/canary-findings.ts';
import { loadCatalogue } from '../../categories/catalogue.ts';
import { isIndexCurrent, loadCurrentIllegal, loadCurrentIndex, readManifest } from '../../categories/current-index.ts';
import { readState } from '../../categories/fetched-lists.ts';
import { type ListStatus, listStatuses } from '../../categories/list-status.ts';
import type { DataLayout } from '../../config/data-layout.ts';
import type { Environment } from '../../config/environment.ts';
import { loadPublicKey } from '../../events/signing.ts';
import { readLastGood } from '../../events/snapshot-keeper.ts';
import { formatProblem } from '../../kernel/errors.ts';
import { compileFolder } from '../../policy/load.ts';
import { openRecordReadOnly } from '../../store/database.ts';
import { overdueClasses } from '../console-retention.ts';
import { type Finding, failed, ok, warning } from './finding.ts';
import { HOUR_MS, DAY_MS } from '../../kernel/clock.ts';

/** The files, and whether they are what is in force on this machine. */
export function policyFinding({ policyDir, listsDir }: Environment, layout: DataLayout): Finding {
  const compiled = compileFolder(policyDir, loadCatalogue(listsDir).categories);
  if ('problems' in compiled) {
    const more = compiled.problems.length > 1 ? ` and ${compiled.problems.length - 1} more` : '';
    return failed(`${formatProblem(compiled.problems[0]!)}${more}; npx schoolgate policy validate lists all.`);
  }
  const published = existsSync(layout.signingPublicKey) ? readLastGood(layout, 'policy', loadPublicKey(layout)) : null;
  if (published === null) return warning('valid, and none is in force yet: it is published at the first start.');
  if (published.body.hash === compiled.snapshot.hash) return ok(`valid, and in force as serial ${published.serial}`);
  return warning('valid, and not what is in force: see npx schoolgate policy diff, and have it approved.');
}

export async function listsFinding({ listsDir }: Environment, layout: DataLayout, now: number): Promise<Finding> {
  const manifest = readManifest(layout);
  if (manifest === null) return warning('not built yet: the first start does it, or npx schoolgate lists build.');
  loadCurrentIndex(layout);
  if (!(await isIndexCurrent(listsDir, layout)))
    return warning('the lists have changed since they were built; run npx schoolgate lists build.');
  const statuses = listStatuses(loadCatalogue(listsDir), manifest, (list) => readState(layout.fetchedLists, list), now);
  const trouble = statuses.map((status) => listTrouble(status, now)).find((one) => one !== null);
  if (trouble !== undefined) return warning(`${trouble}; npx schoolgate lists status shows all.`);
  return ok(`${manifest.domains.toLocaleString('en-GB')} names in ${manifest.lists.length} lists`);
}

/** A fetched list is old when it has missed a week: timetables are of hours or days. */
function listTrouble({ id, health, fetch, held }: ListStatus, now: number): string | null {
  if (health === 'not-loaded') return `list ${id} is not loaded: nothing is filtered by it`;
  if (health === 'last-good') return `the last good copy of list ${id} stands in`;
  if (held !== null) return `an update of list ${id} waits for a person (npx schoolgate lists accept ${id})`;
  if (fetch === null) return null;
  if (fetch.error !== null) return `list ${id} could not be fetched: ${fetch.error}`;
  const age = fetch.fetchedAt === null ? 0 : now - Date.parse(fetch.fetchedAt);
  return age > 7 * DAY_MS ? `list ${id} was fetched ${ageText(age)} ago` : null;
}

export function illegalFinding({ listsDir }: Environment, layout: DataLayout): Finding {
  const loaded = loadCurrentIllegal(layout) === null ? [] : readManifest(layout)!.illegal!.lists;
  const missing = loadCatalogue(listsDir).illegal.find(({ id }) => !loaded.some((list) => list.id === id));
  if (missing !== undefined) return failed(`list ${missing.id} of a locked category never loaded; mend its source.`);
  if (loaded.length > 0) return ok(loaded.map(({ id }) => id).join(', '));
  return warning(
    'no list of illegal content is loaded: ask your authority or the IWF, and name it in blocklists/catalogue.yaml.',
  );
}

export function canaryFinding(layout: DataLayout, now: number): Finding {
  const lists = readManifest(layout)?.illegal?.lists.map(({ id }) => id) ?? [];
  return judgeCanaries(lists, readFindings(layout), now);
}

/** Every list of illegal content must have been asked for its canary within two hours, and have refused it. */
export function judgeCanaries(lists: readonly string[], findings: CanaryFindings, now: number): Finding {
  if (lists.length === 0) return ok('no list of illegal content to ask about');
  for (const id of lists) {
    const found = findings[id];
    if (found === undefined)
      return warning(`list ${id} was not asked for its canary yet; the gateway does so each hour.`);
    if (!found.refused)
      return failed(
        `list ${id} did not refuse its canary: the filter is not enforcing it; restart, and look at the log.`,
      );
    const age = now - Date.parse(found.checkedAt);
    if (age > 2 * HOUR_MS)
      return warning(`list ${id} was last asked for its canary ${ageText(age)} ago; does the gateway run?`);
  }
  return ok('refused by every list within the last two hours');
}

export function auditFinding(layout: DataLayout): Finding {
  if (!existsSync(layout.record)) return ok('nothing is on record yet');
  const record = openRecordReadOnly(layout.record);
  try {
    const chain = record.read((tx) => verifyChain(tx, readAuditKey(layout.auditKey)));
    if (chain.intact) return ok(`${chain.rows} rows, intact`);
    return failed(
      `broken at row ${chain.row}: ${chain.problem}; find out who could write to the record, and restore a backup.`,
    );
  } finally {
    record.close();
  }
}

export function backupFinding(layout: DataLayout, backupDir: string | null, now: number): Finding {
  if (readRecipient(layout.backupRecipient) === null)
    return warning('no recovery key: npx schoolgate backup --new-key --user NAME makes it.');
  if (backupDir === null)
    return warning('none is kept by itself: name a folder on another disk in SCHOOLGATE_BACKUP_DIR.');
  const newest = keptBackups(backupDir)[0];
  if (newest === undefined) return warning(`there is none in ${backupDir} yet; the first is made at 03:30.`);
  const day = Date.parse(/\d{4}-\d{2}-\d{2}/.exec(newest.name)![0]);
  const text = join(backupDir, newest.name);
  return now - day > 3 * DAY_MS ? failed(`the newest is ${text}; look at the alarms.`) : ok(`the newest is ${text}`);
}

/** Whether data is still there that should have gone. */
export function retentionFinding(layout: DataLayout, now: number): Finding {
  if (!existsSync(layout.record)) return ok('nothing is kept yet');
  const record = openRecordReadOnly(layout.record);
  try {
    const overdue = record.read((tx) => overdueClasses(tx, layout, now));
    if (overdue.length === 0) return ok('nothing is kept longer than the policy says');
    return failed(
      `kept longer than the policy says: ${overdue.join(', ')}; look at the alarms, or start the console, which deletes it.`,
    );
  } finally {
    record.close();
  }
}
