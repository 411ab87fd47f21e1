import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { SchoolgateError } from '../../src/kernel/errors.ts';
import { type Tx, isOutOfOrder, openRecord, openRecordReadOnly } from '../../src/store/database.ts';
import { currentVersion, loadMigrations, migrate } from '../../src/store/migrate.ts';

function freshPath(t: { testdir(): string }): string {
  return join(t.testdir(), 'record.sqlite');
}

void t.test('a transaction is kept whole or not at all', async (t) => {
  const record = openRecord(freshPath(t));
  t.teardown(() => record.close());
  record.write((tx) => tx.run('CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT) STRICT'));
  const add = (tx: Tx, name: string): number => tx.run('INSERT INTO thing (name) VALUES (?)', name);
  t.equal(
    record.write((tx) => add(tx, 'kept')),
    1,
  );
  t.throws(
    () =>
      record.write((tx) => {
        add(tx, 'half');
        throw new Error('changed my mind');
      }),
    /changed my mind/,
  );
  t.strictSame(
    record.read((tx) => tx.all('SELECT name FROM thing').map((row) => row['name'])),
    ['kept'],
  );
});

void t.test('a part of a transaction is undone alone, and a record that fails ends all of it', async (t) => {
  const record = openRecord(freshPath(t));
  t.teardown(() => record.close());
  record.write((tx) => tx.run('CREATE TABLE thing (name TEXT NOT NULL UNIQUE) STRICT'));
  const add = (tx: Tx, ...names: (string | null)[]): void => {
    for (const name of names) tx.run('INSERT INTO thing VALUES (?)', name);
  };
  const names = (): unknown[] => record.read((tx) => tx.all('SELECT name FROM thing').map((row) => row['name']));
  record.write((tx) => {
    add(tx, 'first');
    t.throws(() => tx.part(() => add(tx, 'undone', null)), /NOT NULL/);
    t.equal(
      tx.part(() => {
        add(tx, 'outer');
        t.throws(() => tx.part(() => add(tx, 'inner', 'first')), /UNIQUE/);
        return 'done';
      }),
      'done',
    );
    add(tx, 'last');
  });
  t.strictSame(names(), ['first', 'outer', 'last']);

  record.read((tx) => tx.get('PRAGMA max_page_count = 1'));
  const overflow = (tx: Tx): void => add(tx, ...Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(4000)}`));
  t.throws(() => record.write((tx) => tx.part(() => overflow(tx))), /full/);
  t.strictSame(names(), ['first', 'outer', 'last']);
});

void t.test('what is wrong with a value is told from what is wrong with the record', async (t) => {
  const record = openRecord(freshPath(t));
  t.teardown(() => record.close());
  record.write((tx) => tx.run('CREATE TABLE thing (x INTEGER NOT NULL CHECK (x < 10)) STRICT'));
  const error = (sql: string, ...values: (string | number | null)[]): unknown => {
    try {
      record.write((tx) => tx.run(sql, ...values));
    } catch (thrown) {
      return thrown;
    }
    return t.fail(`${sql} worked`);
  };
  const insert = 'INSERT INTO thing VALUES (?)';
  for (const value of [null, 'text', 10, Number.NaN]) t.notOk(isOutOfOrder(error(insert, value)), String(value));
  t.notOk(isOutOfOrder(error(insert, {} as never)), 'what no column holds');
  t.ok(isOutOfOrder(error('INSERT INTO nothing VALUES (1)')), 'no such table');
  record.read((tx) => tx.get('PRAGMA max_page_count = 1'));
  const many = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO thing SELECT 1 FROM n`;
  t.ok(isOutOfOrder(error(many)), 'a full disk');
});

void t.test('a transaction cannot be nested, outlived, or awaited in', async (t) => {
  const record = openRecord(':memory:');
  t.teardown(() => record.close());
  let leaked: Tx | undefined;
  record.write((tx) => {
    leaked = tx;
    t.throws(() => record.read((inner) => inner.get('SELECT 1')), /already open/);
  });
  t.throws(() => leaked!.get('SELECT 1'), /has ended/);
  t.throws(() => record.write(async () => {}), /awaited/);
  t.equal(
    record.read((tx) => tx.get('SELECT 1 AS one')!['one']),
    1,
    'still usable afterwards',
  );
});

void t.test('the record is durable and checks references', async (t) => {
  const path = freshPath(t);
  const record = openRecord(path);
  t.teardown(() => record.close());
  const pragma = (name: string): unknown => record.read((tx) => Object.values(tx.get(`PRAGMA ${name}`)!)[0]);
  t.strictSame(
    { journal: pragma('journal_mode'), synchronous: pragma('synchronous'), foreign: pragma('foreign_keys') },
    { journal: 'wal', synchronous: 2, foreign: 1 },
  );
});

void t.test('migrations', async (t) => {
  await t.test('bring an old record up to date, once, and survive a second opening', async (t) => {
    const path = freshPath(t);
    openRecord(path).close();
    const again = openRecord(path);
    const version = again.read((tx) => tx.get('PRAGMA user_version')!['user_version']);
    again.close();
    t.equal(version, loadMigrations().length);
  });

  await t.test('a step that fails leaves nothing of itself behind', async (t) => {
    const connection = new DatabaseSync(':memory:');
    t.teardown(() => connection.close());
    const good = { number: 1, name: 'good', sql: 'CREATE TABLE a (x) ;' };
    const bad = { number: 2, name: 'bad', sql: 'CREATE TABLE b (x); CREATE TABLE a (x);' };
    t.throws(() => migrate(connection, [good, bad]), /migration 2 \(bad\)/);
    t.equal(currentVersion(connection), 1);
    t.equal(connection.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'b'").get()!['n'], 0);
    migrate(connection, [good, { ...bad, sql: 'CREATE TABLE b (x);' }]);
    t.equal(currentVersion(connection), 2);
  });

  await t.test('a gap in the numbers is a mistake of ours', async (t) => {
    const connection = new DatabaseSync(':memory:');
    t.teardown(() => connection.close());
    t.throws(() => migrate(connection, [{ number: 2, name: 'late', sql: 'SELECT 1' }]), /without gaps/);
  });

  await t.test('a record of a newer version is refused and left alone', async (t) => {
    const path = freshPath(t);
    openRecord(path).close();
    const raw = new DatabaseSync(path);
    raw.exec('PRAGMA user_version = 999');
    raw.close();
    t.throws(() => openRecord(path), { code: 'record_newer' });
    const after = new DatabaseSync(path);
    t.equal(currentVersion(after), 999);
    after.close();
  });
});

void t.test('what is no database is refused in one sentence', async (t) => {
  const folder = t.testdir({ 'record.sqlite': 'this is a text file, not a database'.repeat(50) });
  const opening = (): unknown => openRecord(join(folder, 'record.sqlite'));
  t.throws(opening, { code: 'record_unusable', name: 'SchoolgateError' });
  t.throws(() => openRecordReadOnly(join(folder, 'absent.sqlite')), { code: 'record_missing' });
  t.ok(new SchoolgateError('a', 'us', 'b') instanceof Error);
});

void t.test('a reader sees what is committed, beside the writer and after it has gone', async (t) => {
  const path = freshPath(t);
  const writer = openRecord(path);
  writer.write((tx) => tx.run('CREATE TABLE thing (x INTEGER) STRICT'));
  const reader = openRecordReadOnly(path);
  const count = (from: typeof reader): unknown => from.read((tx) => tx.get('SELECT count(*) AS n FROM thing')!['n']);
  writer.write((tx) => {
    tx.run('INSERT INTO thing VALUES (1)');
    t.equal(count(reader), 0, 'not committed yet');
  });
  t.equal(count(reader), 1);
  writer.close();
  t.equal(count(reader), 1);
  reader.close();
  const later = openRecordReadOnly(path);
  t.equal(count(later), 1);
  later.close();
});
