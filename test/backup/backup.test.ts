import * as fs from 'node:fs';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import * as fc from 'fast-check';
import t from 'tap';
import { Header } from 'tar';
import { verifyChain } from '../../src/audit/service.ts';
import { packFolder, unpackInto } from '../../src/backup/archive.ts';
import { backupPath, keptBackups, removeOldBackups } from '../../src/backup/daily.ts';
import { gatherState } from '../../src/backup/gather.ts';
import { MANIFEST_NAME, manifestText } from '../../src/backup/manifest.ts';
import { keepRecipient, makeRecoveryKey, readRecipient } from '../../src/backup/recovery-key.ts';
import { restoreBackup } from '../../src/backup/restore-service.ts';
import { seal, unseal } from '../../src/backup/seal.ts';
import { createBackups } from '../../src/backup/service.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { openRecord } from '../../src/store/database.ts';
import { AUDIT_KEY, controlPlane, manualClock, START } from '../helpers/control-plane.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { addPerson } from '../helpers/test-console.ts';

const { secret, recipient } = await makeRecoveryKey();

void t.test('what is sealed is opened with its own key alone, and only whole', async (t) => {
  const other = await makeRecoveryKey();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200_000 }), fc.nat(), async (bytes, at) => {
      const sealed = await buffer(await seal(Readable.from([Buffer.from(bytes)]), recipient));
      const opened = await buffer(await unseal(Readable.from([sealed]), ` ${secret}\n`));
      t.ok(opened.equals(bytes));
      await t.rejects(unseal(Readable.from([sealed]), other.secret), { code: 'backup_unreadable' });
      const cut = sealed.subarray(0, at % sealed.length);
      await t.rejects(unseal(Readable.from([cut]), secret).then(buffer), 'cut short');
      const changed = Buffer.from(sealed);
      changed[at % sealed.length]! ^= 1;
      await t.rejects(unseal(Readable.from([changed]), secret).then(buffer), 'changed');
    }),
    { numRuns: 12 },
  );
  await t.rejects(unseal(Readable.from([Buffer.from('x')]), 'no key'), { code: 'recovery_key' });
});

void t.test('the recipient is kept, and a damaged one is not used', async (t) => {
  const path = join(tempFolder(t), 'backup.pub');
  t.equal(readRecipient(path), null);
  keepRecipient(path, recipient);
  t.equal(readRecipient(path), recipient);
  writeFileSync(path, 'age1something');
  t.throws(() => readRecipient(path), { code: 'backup_key' });
});

void t.test('an archive takes files and folders, and gives nothing else back', async (t) => {
  const from = tempFolder(t);
  mkdirSync(join(from, 'a', 'b'), { recursive: true });
  writeFileSync(join(from, 'a', 'b', 'large'), Buffer.alloc(3_000_000, 'schoolgate '));
  writeFileSync(join(from, `${'n'.repeat(180)}é`), 'a long name');
  const to = tempFolder(t);
  await unpackInto(to, packFolder(from));
  const inside = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  t.same(inside(to), inside(from));
  t.ok(readFileSync(join(to, 'a/b/large')).equals(readFileSync(join(from, 'a/b/large'))));

  const outside = join(tempFolder(t), 'target');
  symlinkSync(outside, join(from, 'link'));
  await t.rejects(unpackInto(tempFolder(t), packFolder(from)), /link is neither file nor folder/);
  for (const path of ['../outside', '/etc/outside', 'a/../../outside']) {
    const into = tempFolder(t);
    await t.rejects(unpackInto(join(into), crafted(path)), path);
    t.same(readdirSync(into), [], path);
  }
  await t.rejects(unpackInto(tempFolder(t), Readable.from([Buffer.from('no archive at all')])));
});

/** An archive with one file of any name. */
function crafted(path: string): Readable {
  const header = Buffer.alloc(512);
  new Header({ path, size: 4, mode: 0o644, type: 'File' }).encode(header, 0);
  const body = Buffer.concat([header, Buffer.from('evil').subarray(0, 4), Buffer.alloc(508), Buffer.alloc(1024)]);
  return Readable.from([body]).pipe(createZstdCompress());
}

/** A data folder with a record in it, as a school has it. */
async function school(t: { teardown(work: () => void): void }): Promise<DataLayout> {
  const layout = dataLayout(join(tempFolder(t), 'data'));
  createDataFolders(layout);
  writeFileSync(layout.auditKey, `${AUDIT_KEY.toString('hex')}\n`, { mode: 0o600 });
  const plane = controlPlane({ path: layout.record });
  plane.policy.look();
  await addPerson(plane, 'helen', ['headteacher']);
  t.teardown(() => void plane.close());
  mkdirSync(join(layout.history, '2026-11-20'), { recursive: true });
  writeFileSync(join(layout.history, '2026-11-20', 'x.ndjson.zst'), 'history');
  writeFileSync(join(layout.rosterDrop, 'students.csv'), 'not taken over yet');
  writeFileSync(join(layout.run, 'something'), 'of a process that runs');
  return layout;
}

async function backupOf(layout: DataLayout, file: string): Promise<void> {
  const folder = join(layout.run, 'backup-test');
  mkdirSync(folder);
  await gatherState(layout, folder);
  writeFileSync(join(folder, MANIFEST_NAME), manifestText(START));
  await pipeline(await seal(packFolder(folder), recipient), createWriteStream(file));
}

// A conversion of the access history could delete a segment between the look at its folder and the link to it, after the list that says
// what stands in for it had been linked as it was before: those requests were in no backup.
void t.test('files that stand for each other are taken as they were together', async (t) => {
  const layout = await school(t);
  const day = join(layout.history, '2026-11-21');
  mkdirSync(day);
  writeFileSync(join(day, 'contents.json'), 'none');
  writeFileSync(join(day, 'segment'), 'requests');
  const convert = (): void => {
    writeFileSync(join(day, 'parquet'), 'requests');
    writeFileSync(join(day, '.contents'), 'parquet instead of segment');
    fs.renameSync(join(day, '.contents'), join(day, 'contents.json'));
    fs.rmSync(join(day, 'segment'));
  };
  let links = 0;
  const linkSync: typeof fs.linkSync = (from, to) => {
    fs.linkSync(from, to);
    if (String(from).endsWith('contents.json') && ++links === 1) convert();
  };
  const gather = await t.mockImport<typeof import('../../src/backup/gather.ts')>('../../src/backup/gather.ts', {
    'node:fs': { ...fs, linkSync },
  });
  const folder = join(layout.run, 'backup');
  await gather.gatherState(layout, folder);
  const taken = join(folder, 'history', '2026-11-21');
  t.same(readdirSync(taken).sort(), ['contents.json', 'parquet']);
  t.equal(readFileSync(join(taken, 'contents.json'), 'utf8'), 'parquet instead of segment');
  t.equal(links, 2, 'the folder was looked at again');
});

// What DuckDB writes and spills grows and shrinks while it is read, and a day that is deleted goes between two looks.
void t.test('what is half-written or going is in no backup, and stops none', async (t) => {
  const layout = await school(t);
  const [day, going] = [join(layout.history, '2026-11-20'), join(layout.history, '2025-11-20')];
  mkdirSync(join(layout.history, '.spill-1-1'));
  writeFileSync(join(layout.history, '.spill-1-1', 'block'), 'x');
  writeFileSync(join(day, '.part.parquet'), 'half');
  mkdirSync(going);
  writeFileSync(join(going, 'contents.json'), 'x');
  const readdir = ((path: string, options: object) => {
    if (path === going && fs.existsSync(path)) fs.renameSync(going, join(layout.history, '.gone-2025-11-20'));
    return fs.readdirSync(path, options);
  }) as typeof fs.readdirSync;
  const gather = await t.mockImport<typeof import('../../src/backup/gather.ts')>('../../src/backup/gather.ts', {
    'node:fs': { ...fs, readdirSync: readdir },
  });
  const folder = join(layout.run, 'backup');
  await gather.gatherState(layout, folder);
  t.same(readdirSync(join(folder, 'history')), ['2026-11-20']);
  t.same(readdirSync(join(folder, 'history', '2026-11-20')), ['x.ndjson.zst']);
});

void t.test(
  'a backup beside a record that is open comes back whole, with serials that no gateway has seen',
  async (t) => {
    const layout = await school(t);
    const file = join(tempFolder(t), 'backup.age');
    await backupOf(layout, file);
    const dataDir = join(tempFolder(t), 'restored');
    const restored = await restoreBackup({ file, secret, dataDir, clock: manualClock(START + 1000) });
    t.match(restored, { madeAt: '2026-11-23T09:00:00.000Z' });
    t.ok(restored.rows > 0);
    const back = dataLayout(dataDir);
    t.equal(readFileSync(join(back.history, '2026-11-20', 'x.ndjson.zst'), 'utf8'), 'history');
    t.notOk(readdirSync(dataDir).includes('run'), 'nothing of processes');
    t.notOk(readdirSync(dataDir).includes('roster-drop'), 'nor what was not taken over');
    t.notOk(readdirSync(dataDir).includes(MANIFEST_NAME));
    const record = openRecord(back.record);
    t.teardown(() => record.close());
    t.ok(record.read((tx) => verifyChain(tx, AUDIT_KEY)).intact);
    t.match(
      record.read((tx) => tx.get("SELECT user_name FROM people WHERE user_name = 'helen'")),
      { user_name: 'helen' },
    );
    const serial = record.read((tx) => tx.get("SELECT serial FROM snapshot_serials WHERE kind = 'policy'"));
    t.ok(Number(serial!['serial']) > 1_000_000);
    await t.rejects(restoreBackup({ file, secret, dataDir, clock: manualClock() }), { code: 'not_empty' });
  },
);

void t.test('what cannot be restored leaves nothing behind', async (t) => {
  const layout = await school(t);
  const folder = tempFolder(t);
  const file = join(folder, 'backup.age');
  await backupOf(layout, file);
  const whole = readFileSync(file);
  const parent = tempFolder(t);
  const dataDir = join(parent, 'data');
  const attempt = (): Promise<unknown> => restoreBackup({ file, secret, dataDir, clock: manualClock() });
  const fails = async (code: string): Promise<void> => {
    await t.rejects(attempt(), { code });
    t.same(readdirSync(parent), [], code);
  };
  writeFileSync(file, whole.subarray(0, whole.length - 200));
  await fails('backup_damaged');
  writeFileSync(file, 'something else');
  await fails('backup_unreadable');

  const made = join(folder, 'made');
  mkdirSync(made);
  const put = (): Promise<void> =>
    seal(packFolder(made), recipient).then((sealed) => pipeline(sealed, createWriteStream(file)));
  await put();
  await fails('no_backup');
  writeFileSync(join(made, MANIFEST_NAME), '{"format":2,"madeAt":"2030-01-01T00:00:00Z"}');
  await put();
  await fails('backup_newer');
  writeFileSync(join(made, MANIFEST_NAME), manifestText(START));
  await put();
  await fails('audit_key');
  await t.rejects(restoreBackup({ file: join(folder, 'none'), secret, dataDir, clock: manualClock() }), {
    code: 'no_backup',
  });
});

void t.test('the folder of daily backups keeps two weeks, and whatever is not ours', async (t) => {
  const folder = tempFolder(t);
  const plane = controlPlane({ dataDir: tempFolder(t) });
  t.teardown(() => plane.close());
  const recipientFile = join(folder, 'backup.pub');
  let archived = 0;
  const backups = createBackups({
    ...plane,
    recipientFile,
    folder,
    archive: () => Readable.from([`archive ${++archived}`]),
  });
  await backups.daily(START);
  t.equal(archived, 0, 'without a key there is none');
  t.throws(() => backups.make({ personId: 'x', userName: 'helen', address: 'local' }), { code: 'no_recovery_key' });
  t.match(await backups.makeKey({ personId: 'x', userName: 'helen', address: 'local' }), /^AGE-SECRET-KEY-1/);
  t.notMatch(JSON.stringify(plane.record.read((tx) => tx.all('SELECT payload FROM audit'))), /SECRET/);
  writeFileSync(join(folder, 'schoolgate-notes.age'), 'somebody’s own');
  for (let day = 0; day < 16; day++) await backups.daily(START + day * 86_400_000);
  const { kept } = backups.state();
  t.equal(kept.length, 14);
  t.match(kept[0], { name: 'schoolgate-2026-12-08.age' });
  t.equal(readFileSync(backupPath(folder, '2026-12-08T03:30:00.000Z'), 'utf8'), 'archive 16');
  t.ok(readdirSync(folder).includes('schoolgate-notes.age'));
  t.same(keptBackups(join(folder, 'none')), []);
  removeOldBackups(folder);
  t.equal(keptBackups(folder).length, 14);

  const broken = createBackups({
    ...plane,
    recipientFile,
    folder,
    archive: () => Readable.from(failing()),
  });
  await t.rejects(broken.daily(START + 20 * 86_400_000), /the disk is gone/);
  t.equal(keptBackups(folder).length, 14, 'half a backup is none');
  t.equal(plane.acts().filter((act) => act === 'backup.made console').length, 16);
});

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.from('half');
  throw new Error('the disk is gone');
}

void t.test('a sealed file is one that age’s own tools know', async (t) => {
  const file = join(tempFolder(t), 'x.age');
  await pipeline(await seal(Readable.from([Buffer.from('x')]), recipient), createWriteStream(file));
  t.equal((await buffer(createReadStream(file))).toString('latin1', 0, 21), 'age-encryption.org/v1');
});
