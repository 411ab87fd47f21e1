import { readFileSync, readdirSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { SchoolgateError } from '../kernel/errors.ts';

/** One step of the record's tables: number (from 1, without gaps) and SQL. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

const FOLDER = new URL('./migrations/', import.meta.url);

/** Every `migrations/NNN-name.sql` in order. */
export function loadMigrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((file) => /^\d{3}-[a-z0-9-]+\.sql$/.test(file))
    .sort()
    .map((file) => ({
      number: Number(file.slice(0, 3)),
      name: file.slice(4, -4),
      sql: readFileSync(new URL(file, FOLDER), 'utf8'),
    }));
}

/**
 * Applies what is missing, each step in one transaction together with its number (`user_version`), so that a crash leaves
 * whole steps only. Throws `record_newer` and touches nothing if the file is ahead of this version.
 */
export function migrate(connection: DatabaseSync, migrations: readonly Migration[]): void {
  const at = currentVersion(connection);
  const newest = migrations.length;
  if (migrations.some((step, i) => step.number !== i + 1)) throw new Error('migrations must be numbered without gaps');
  if (at > newest) {
    throw new SchoolgateError(
      'record_newer',
      'client',
      `The record was written by a newer Schoolgate (tables version ${at}, this one knows ${newest}); start that version again.`,
    );
  }
  for (const step of migrations.slice(at)) apply(connection, step);
}

export function currentVersion(connection: DatabaseSync): number {
  return Number(connection.prepare('PRAGMA user_version').get()!['user_version']);
}

function apply(connection: DatabaseSync, step: Migration): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    connection.exec(step.sql);
    connection.exec(`PRAGMA user_version = ${step.number}`);
    connection.exec('COMMIT');
  } catch (error) {
    connection.exec('ROLLBACK');
    throw new Error(`migration ${step.number} (${step.name}) failed`, { cause: error });
  }
}
