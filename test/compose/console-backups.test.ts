import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { unseal } from '../../src/backup/seal.ts';
import { unpackInto } from '../../src/backup/archive.ts';
import { createConsoleBackups } from '../../src/compose/console-backups.ts';
import { openConsoleRecord } from '../../src/compose/console-record.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { manualClock, START } from '../helpers/control-plane.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const ACTOR = { personId: 'x', userName: 'n.manager', address: 'local' };

void t.test('the backup process fills the folder of daily backups, and a day without one is an alarm', async (t) => {
  const [folder, dataDir] = [tempFolder(t), tempFolder(t)];
  const environment = readEnvironment(
    { SCHOOLGATE_BACKUP_DIR: folder, SCHOOLGATE_DATA_DIR: dataDir },
    join(import.meta.dirname, '../..'),
  );
  const base = openConsoleRecord(environment, manualClock(), () => {});
  t.teardown(() => base.record.close());
  const raised: string[] = [];
  const backups = createConsoleBackups(environment, {
    ...base,
    log: createLogger('console', 'silent'),
    raise: (_code, text) => void raised.push(text),
  });
  const secret = await backups.makeKey(ACTOR);
  await backups.daily(START);
  const into = tempFolder(t);
  await unpackInto(into, await unseal(createReadStream(join(folder, 'schoolgate-2026-11-23.age')), secret));
  t.ok(readdirSync(into).includes('record.sqlite'));
  t.same(readdirSync(base.layout.run), []);
  t.same(raised, []);

  // Where copies are made there is no room any more.
  rmSync(base.layout.run, { recursive: true });
  await t.rejects(backups.daily(START + 86_400_000), /the backup process ended with 1: .*ENOENT/);
  t.match(raised, [/^The backup of today could not be made: .*ENOENT/]);
  t.same(readdirSync(folder), ['schoolgate-2026-11-23.age'], 'no part of one');
  mkdirSync(base.layout.run);
  await t.rejects(buffer(failing(backups)), /destroyed|aborted|premature/i, 'whoever stops reading ends the process');
});

function failing(backups: ReturnType<typeof createConsoleBackups>): ReturnType<typeof backups.make> {
  const sealed = backups.make(ACTOR);
  sealed.once('data', () => sealed.destroy(new Error('aborted')));
  return sealed;
}
