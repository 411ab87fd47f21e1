import { chmodSync, existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { SchoolgateError } from '../kernel/errors.ts';
import { loadMigrations, migrate } from './migrate.ts';

/** What a statement may be given, and what a column may hold. */
export type SqlValue = SQLInputValue;
export type Row = Record<string, SQLOutputValue>;

/** A read transaction: one consistent view of the record. Dead once the callback it was given to has returned. */
export interface ReadTx {
  /** The first row. Repositories say with `as` what columns their SQL selects; STRICT tables keep that true. */
  get(sql: string, ...values: SqlValue[]): Row | undefined;
  all(sql: string, ...values: SqlValue[]): Row[];
}

/** A write transaction. A repository that asks for one can only be called inside `write`. */
export interface Tx extends ReadTx {
  /** Runs a statement that changes something; returns how many rows it changed. */
  run(sql: string, ...values: SqlValue[]): number;
  /** All of `work` or none of it, and the transaction goes on either way. Throws what `work` throws. */
  part<T>(work: () => T): T;
}

/** The record: one SQLite file. Calls are synchronous; nothing may be awaited inside a transaction. */
export interface RecordDatabase {
  /** All of `work` or none of it, on disk when this returns. Throws what `work` throws, and nothing is kept then. */
  write<T>(work: (tx: Tx) => T): T;
  read<T>(work: (tx: ReadTx) => T): T;
  /** Takes what was deleted out of the file beside the record as well, as far as nobody reads it now. */
  forget(): void;
  close(): void;
}

/** How long a second process (a command that reads the record) may hold a lock before we give up, ms. */
const BUSY_MS = 5000;

/**
 * Opens the record for the console process and brings its tables up to date. `path` may be `:memory:` in tests.
 * Throws a SchoolgateError (`record_newer`) if a newer Schoolgate has written it, (`record_unusable`) if it is no usable database.
 */
export function openRecord(path: string): RecordDatabase {
  const connection = connect(path, false);
  try {
    // Before the files beside it are made: they take its mode.
    if (path !== ':memory:') chmodSync(path, 0o600);
    connection.exec('PRAGMA journal_mode = WAL');
    // FULL, not NORMAL: an event is deleted from the gateway's spool once we say it is committed, so a commit must
    // outlive a power cut. With NORMAL the last transactions of a WAL database may not.
    connection.exec('PRAGMA synchronous = FULL');
    // What was deleted because its time had come must not lie in free pages.
    connection.exec('PRAGMA secure_delete = ON');
    migrate(connection, loadMigrations());
  } catch (error) {
    connection.close();
    throw error instanceof SchoolgateError ? error : unusable(path, error);
  }
  return wrap(connection);
}

/** Opens the record for reading only, whether or not the console runs. Throws `record_missing` or as `openRecord`. */
export function openRecordReadOnly(path: string): RecordDatabase {
  if (!existsSync(path)) {
    throw new SchoolgateError(
      'record_missing',
      'client',
      `There is no record at ${path} yet; start the console once, or set SCHOOLGATE_DATA_DIR to the right folder.`,
    );
  }
  return wrap(connect(path, true));
}

function connect(path: string, readOnly: boolean): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly, timeout: BUSY_MS, enableForeignKeyConstraints: true });
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): SchoolgateError {
  const text = `The record ${path} cannot be used (${cause instanceof Error ? cause.message : String(cause)}); restore a backup or move the file away.`;
  return new SchoolgateError('record_unusable', 'us', text, { cause });
}

/** Primary result codes that speak of the values a statement was given: too big, constraint, mismatch (sqlite.org/rescode.html). */
const OF_VALUES = new Set([18, 19, 20]);

/** Whether the record as a whole failed (full, locked, damaged, a table missing), and not a statement for the values it was given. */
export function isOutOfOrder(error: unknown): boolean {
  const { code, errcode } = error as { code?: string; errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && !OF_VALUES.has(Number(errcode) & 0xff);
}

function wrap(connection: DatabaseSync): RecordDatabase {
  const statements = new Map<string, StatementSync>();
  const prepare: Prepare = (sql) => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = connection.prepare(sql)));
    return statement;
  };
  return {
    write: (work) => inTransaction(connection, 'BEGIN IMMEDIATE', prepare, work),
    read: (work) => inTransaction(connection, 'BEGIN', prepare, work),
    forget: () => void connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get(),
    close: () => connection.close(),
  };
}

type Prepare = (sql: string) => StatementSync;

function inTransaction<T>(connection: DatabaseSync, begin: string, prepare: Prepare, work: (tx: Tx) => T): T {
  if (connection.isTransaction) throw new Error('a transaction is already open: pass its tx on instead');
  connection.exec(begin);
  const open = { is: true };
  try {
    const result = work(transaction(connection, prepare, open));
    if (result instanceof Promise) throw new Error('nothing may be awaited inside a transaction');
    connection.exec('COMMIT');
    return result;
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  } finally {
    open.is = false;
  }
}

function transaction(connection: DatabaseSync, prepare: Prepare, open: { is: boolean }): Tx {
  const statement = (sql: string): StatementSync => {
    if (!open.is) throw new Error('this transaction has ended');
    return prepare(sql);
  };
  return {
    get: (sql, ...values) => statement(sql).get(...values),
    all: (sql, ...values) => statement(sql).all(...values),
    run: (sql, ...values) => Number(statement(sql).run(...values).changes),
    part(work) {
      statement('SAVEPOINT part').run();
      try {
        return work();
      } catch (error) {
        // Some errors, such as a full disk, end the whole transaction.
        if (connection.isTransaction) statement('ROLLBACK TO part').run();
        throw error;
      } finally {
        if (connection.isTransaction) statement('RELEASE part').run();
      }
    },
  };
}
