import { backup, DatabaseSync } from 'node:sqlite';

/** More pages than any record has. */
const MOST_PAGES = 2 ** 31 - 1;

/** Copies the record to a new file as it is at one moment, while the console goes on writing it. Rejects with what SQLite says. */
export async function copyRecord(from: string, to: string): Promise<void> {
  const connection = new DatabaseSync(from, { readOnly: true });
  try {
    // All pages in one go: in steps, every write of the console in between would begin the copy anew.
    await backup(connection, to, { rate: MOST_PAGES });
  } finally {
    connection.close();
  }
}
