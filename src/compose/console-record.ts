import { loadOrCreateAuditKey } from '../audit/key.ts';
import { type Audit, countRows, createAudit, newestRows } from '../audit/service.ts';
import { type DataLayout, createDataFolders, dataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { type Clock, neverBackwards } from '../kernel/clock.ts';
import { type RecordDatabase, openRecord } from '../store/database.ts';

/** The record, and what is built on it alone. */
export interface ConsoleRecord {
  readonly layout: DataLayout;
  readonly record: RecordDatabase;
  readonly audit: Audit;
  /** Never goes back behind the last act on record. */
  readonly clock: Clock;
}

/** Opens the record and its seal. `onStepBack`: the machine's clock stands before the last act on record, by so many ms. */
export function openConsoleRecord(
  environment: Environment,
  wall: Clock,
  onStepBack: (ms: number) => void,
): ConsoleRecord {
  const layout = dataLayout(environment.dataDir);
  createDataFolders(layout);
  const record = openRecord(layout.record);
  try {
    const { rows, last } = record.read((tx) => ({ rows: countRows(tx), last: newestRows(tx, null, 1)[0] }));
    const key = loadOrCreateAuditKey(layout.auditKey, rows > 0);
    const clock = neverBackwards(wall, last === undefined ? 0 : Date.parse(last.at), onStepBack);
    return { layout, record, clock, audit: createAudit(key, clock) };
  } catch (error) {
    record.close();
    throw error;
  }
}
