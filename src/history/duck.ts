import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { BOOLEAN, DOUBLE, DuckDBDataChunk, DuckDBInstance, type DuckDBValue, VARCHAR, version } from '@duckdb/node-api';
import { COLUMNS, type Row } from './columns.ts';

/** Enough to sort and group a school's week; what does not fit is spilled to the history folder, which is closed to others. */
const MEMORY = '512MB';
/** The console's event loop is not among them. */
const THREADS = '2';
/** What DuckDB takes at a time. */
const CHUNK = 2048;

const TYPES = { number: DOUBLE, text: VARCHAR, flag: BOOLEAN } as const;
const SQL_TYPES = { number: 'DOUBLE', text: 'VARCHAR', flag: 'BOOLEAN' } as const;

/** What one version writes another need not read. */
export const DUCK_VERSION = version();

let counter = 0;

/** A DuckDB of one's own, in memory. To be closed. It loads nothing from the network. */
export interface Duck {
  /** Runs statements; numbers come back as numbers where they were made DOUBLE or INTEGER. */
  rows(sql: string, values?: readonly DuckDBValue[]): Promise<DuckDBValue[][]>;
  /** The rows of a query by the block, as it gets on. */
  stream(sql: string, values?: readonly DuckDBValue[]): AsyncGenerator<DuckDBValue[][]>;
  /** Makes a table with the columns of a history row, and says how rows come into it. */
  table(name: string): Promise<(rows: readonly Row[]) => void>;
  close(): void;
}

/** `folder`: where what does not fit in memory may lie for the time being. */
export async function openDuck(folder: string): Promise<Duck> {
  const spill = join(folder, `.spill-${process.pid}-${++counter}`);
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY,
    threads: THREADS,
    temp_directory: spill,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  return {
    async rows(sql, values = []) {
      return (await connection.runAndReadAll(sql, [...values])).getRows();
    },
    async *stream(sql, values = []) {
      for await (const chunk of await connection.stream(sql, [...values])) yield chunk.getRows();
    },
    async table(name) {
      const columns = COLUMNS.map(({ name: column, kind }) => `"${column}" ${SQL_TYPES[kind]}`);
      await connection.run(`CREATE TABLE ${name} (${columns.join(', ')})`);
      const appender = await connection.createAppender(name);
      return (rows) => {
        for (let from = 0; from < rows.length; from += CHUNK)
          appender.appendDataChunk(chunkOf(rows.slice(from, from + CHUNK)));
        appender.flushSync();
      };
    },
    close() {
      connection.closeSync();
      instance.closeSync();
      rmSync(spill, { recursive: true, force: true });
    },
  };
}

function chunkOf(rows: readonly Row[]): DuckDBDataChunk {
  const chunk = DuckDBDataChunk.create(
    COLUMNS.map(({ kind }) => TYPES[kind]),
    rows.length,
  );
  COLUMNS.forEach((_, column) =>
    chunk.setColumnValues(
      column,
      rows.map((row) => row[column]!),
    ),
  );
  return chunk;
}
