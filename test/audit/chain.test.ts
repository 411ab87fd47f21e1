import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import t from 'tap';
import type { AuditEntry } from '../../src/audit/entry.ts';
import { loadOrCreateAuditKey, readAuditKey } from '../../src/audit/key.ts';
import { newestRows } from '../../src/audit/repository.ts';
import { type ChainCheck, createAudit, verifyChain } from '../../src/audit/service.ts';
import { openRecord } from '../../src/store/database.ts';

const KEY = Buffer.alloc(32, 7);
const clock = (): number => Date.UTC(2026, 10, 23, 9);
const entry: AuditEntry = {
  actor: 'n.manager',
  action: 'unblock.approved',
  subject: 'unblock:1',
  before: { state: 'requested' },
  after: { state: 'approved' },
  reason: 'for the lesson',
  address: '127.0.0.1',
};

/** A record file with `rows` audit rows, after `tamper` has had the file to itself. */
function checkAfter(t: { testdir(): string }, rows: number, tamper: (raw: DatabaseSync) => void): ChainCheck {
  const path = join(t.testdir(), 'record.sqlite');
  const record = openRecord(path);
  const audit = createAudit(KEY, clock);
  for (let i = 0; i < rows; i++) record.write((tx) => audit.append(tx, entry));
  record.close();
  const raw = new DatabaseSync(path);
  raw.exec('DROP TRIGGER audit_is_append_only_update; DROP TRIGGER audit_is_append_only_delete');
  tamper(raw);
  raw.close();
  const again = openRecord(path);
  try {
    return again.read((tx) => verifyChain(tx, KEY));
  } finally {
    again.close();
  }
}

void t.test('an untouched chain verifies, also when it is empty or longer than a page', async (t) => {
  for (const rows of [0, 1, 5])
    t.match(
      checkAfter(t, rows, () => {}),
      { intact: true, rows },
      `${rows} rows`,
    );
  const record = openRecord(':memory:');
  t.teardown(() => record.close());
  const audit = createAudit(KEY, clock);
  record.write((tx) => {
    for (let i = 0; i < 2001; i++) audit.append(tx, entry);
  });
  t.match(
    record.read((tx) => verifyChain(tx, KEY)),
    { intact: true, rows: 2001 },
  );
});

void t.test('whatever is done to it behind our back is found, at the row it was done to', async (t) => {
  const table: [what: string, sql: string, row: number][] = [
    ['a reason is rewritten', `UPDATE audit SET payload = replace(payload, 'lesson', 'games') WHERE seq = 3`, 3],
    ['an actor is rewritten', `UPDATE audit SET actor = 'somebody' WHERE seq = 2`, 2],
    ['an instant is rewritten', `UPDATE audit SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 1`, 1],
    ['an approver is put in', `UPDATE audit SET approver = 'head' WHERE seq = 4`, 4],
    ['a salt is changed', `UPDATE audit SET salt = 'aa' WHERE seq = 4`, 4],
    ['a row in the middle is removed', 'DELETE FROM audit WHERE seq = 3', 3],
    ['the first row is removed', 'DELETE FROM audit WHERE seq = 1', 1],
    ['the tail is cut', 'DELETE FROM audit WHERE seq > 3', 4],
    ['everything is removed', 'DELETE FROM audit', 1],
    ['the head is removed', 'DELETE FROM audit_head', 5],
    ['tail and head are removed', 'DELETE FROM audit WHERE seq > 3; DELETE FROM audit_head', 3],
    [
      'the tail is cut and the head set back',
      'DELETE FROM audit WHERE seq > 3; UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)',
      3,
    ],
    [
      'two rows are swapped',
      'UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99',
      2,
    ],
  ];
  for (const [what, sql, row] of table) {
    t.match(
      checkAfter(t, 5, (raw) => raw.exec(sql)),
      { intact: false, row },
      what,
    );
  }
});

void t.test('any changed field of any row is found', async (t) => {
  const columns = ['at', 'actor', 'action', 'subject', 'payload', 'salt', 'payload_hash', 'prev', 'hash'] as const;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(...columns),
      fc.string({ minLength: 1 }),
      (seq, column, text) => {
        const result = checkAfter(t, 4, (raw) =>
          raw.prepare(`UPDATE audit SET ${column} = ${column} || ? WHERE seq = ?`).run(text.replaceAll('\0', 'x'), seq),
        );
        return !result.intact && (result.row === seq || result.row === seq + 1);
      },
    ),
    { numRuns: 25 },
  );
});

void t.test('a head that was not sealed with our key is never chained onto', async (t) => {
  const record = openRecord(':memory:');
  t.teardown(() => record.close());
  record.write((tx) => createAudit(Buffer.alloc(32, 9), clock).append(tx, entry));
  t.throws(() => record.write((tx) => createAudit(KEY, clock).append(tx, entry)), { code: 'audit_broken' });
  t.match(
    record.read((tx) => verifyChain(tx, KEY)),
    { intact: false, row: 1 },
  );
});

void t.test('a row cannot be changed or removed through the record', async (t) => {
  const record = openRecord(':memory:');
  t.teardown(() => record.close());
  record.write((tx) => createAudit(KEY, clock).append(tx, entry));
  t.throws(() => record.write((tx) => tx.run(`UPDATE audit SET actor = 'x'`)), /never changed/);
  t.throws(() => record.write((tx) => tx.run('DELETE FROM audit')), /never removed/);
});

void t.test('a row is gone with the transaction it was written in', async (t) => {
  const record = openRecord(':memory:');
  t.teardown(() => record.close());
  const audit = createAudit(KEY, clock);
  const failing = (): unknown =>
    record.write((tx) => {
      audit.append(tx, entry);
      throw new Error('the act failed');
    });
  t.throws(failing, /the act failed/);
  record.write((tx) => audit.append(tx, { ...entry, actor: 'second' }));
  t.strictSame(
    record.read((tx) => newestRows(tx, null, 9).map((row) => [row.seq, row.actor])),
    [[1, 'second']],
  );
});

void t.test('the key', async (t) => {
  const path = join(t.testdir(), 'keys', 'audit.key');
  t.throws(
    () => loadOrCreateAuditKey(path, true),
    { code: 'audit_key' },
    'is not made anew when rows are sealed with it',
  );
  const key = loadOrCreateAuditKey(path, false);
  t.equal(key.length, 32);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.strictSame(loadOrCreateAuditKey(path, true), key);
  t.strictSame(readAuditKey(path), key);
  const damaged = join(t.testdir({ 'audit.key': 'not a key' }), 'audit.key');
  t.throws(() => readAuditKey(damaged), { code: 'audit_key' });
});
