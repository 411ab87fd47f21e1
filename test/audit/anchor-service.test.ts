// Each night the chain is checked and its end is put where whoever could rewrite the record cannot reach it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkAndAnchor } from '../../src/audit/anchor-service.ts';
import { anchorLine, makeAnchor, parseAnchors } from '../../src/audit/anchor.ts';
import { createAudit, newestRows, readHead } from '../../src/audit/service.ts';
import type { Mail } from '../../src/delivery/mail.ts';
import { openRecord } from '../../src/store/database.ts';

const KEY = Buffer.alloc(32, 7);
const START = Date.UTC(2026, 10, 23, 3, 10);

interface Test {
  teardown(end: () => void): unknown;
  testdir(): string;
}

function school(t: Test) {
  const record = openRecord(':memory:');
  t.teardown(() => record.close());
  const audit = createAudit(KEY, () => START);
  const alarms: string[] = [];
  const mails: Mail[] = [];
  const file = join(t.testdir(), 'elsewhere', 'anchors.txt');
  const mail = { down: false };
  const options = {
    record,
    audit,
    clock: () => START,
    file,
    mailTo: 'chair@school.example',
    raise: (text: string) => void alarms.push(text),
    delivery: {
      send: async (one: Mail) => {
        if (mail.down) throw new Error('the mail server is down');
        mails.push(one);
        return { messageId: '<1@x>', via: 'smtp' as const, at: '' };
      },
    },
  };
  const act = (actor: string): void =>
    record.write((tx) => audit.append(tx, { actor, action: 'policy.published', subject: 'policy:1' }));
  const night = async (): Promise<string[]> => {
    alarms.length = 0;
    await checkAndAnchor(options);
    return [...alarms];
  };
  /** Root on the machine: writes past our rules, and seals what it has written with our key. */
  const asRoot = (sql: string): void =>
    record.write((tx) => {
      tx.run('DROP TRIGGER IF EXISTS audit_is_append_only_delete');
      tx.run(sql);
      tx.run('DELETE FROM audit_head');
    });
  return { record, audit, file, mails, mail, options, act, night, asRoot };
}

void t.test('an intact chain is anchored in a file and by mail, night after night', async (t) => {
  const { record, file, mails, act, night, mail } = school(t);
  act('one');
  act('two');
  t.strictSame(await night(), []);
  act('three');
  t.strictSame(await night(), []);
  const { anchors, unreadable } = parseAnchors(readFileSync(file, 'utf8'));
  t.match(anchors, [{ seq: 2 }, { seq: 4 }]);
  t.strictSame(unreadable, []);
  t.equal(mails.length, 2);
  t.match(mails[1], { to: 'chair@school.example', subject: /2026-11-23: 4 rows/ });
  t.equal(mails[1]!.attachments![0]!.content, `${anchorLine(anchors[1]!)}\n`);
  t.strictSame(
    record.read((tx) => newestRows(tx, 'audit:anchor', 9)).map(({ seq, actor }) => [seq, actor]),
    [
      [5, 'console'],
      [3, 'console'],
    ],
  );
  mail.down = true;
  await t.rejects(night(), /mail server is down/, 'so that it is tried again');
});

void t.test(
  'a tail that was cut, and a chain written anew with the very key, raise an alarm and get no new anchor',
  async (t) => {
    const { record, audit, file, act, night, asRoot } = school(t);
    for (const name of ['one', 'two', 'three']) act(name);
    await night();
    const kept = readFileSync(file, 'utf8');
    asRoot('DELETE FROM audit WHERE seq > 2');
    t.match(await night(), [/broken at row 3: rows 3 to 3, anchored on .* were removed/]);
    asRoot('DELETE FROM audit');
    for (const name of ['one', 'forged', 'three', 'four', 'five'])
      record.write((tx) => audit.append(tx, { actor: name, action: 'policy.published', subject: 'policy:1' }));
    t.match(await night(), [/broken at row 3: is not the row that was anchored/]);
    t.equal(readFileSync(file, 'utf8'), kept);
  },
);

void t.test('an anchor file that was moved, changed or forged raises an alarm', async (t) => {
  const { record, file, act, night } = school(t);
  act('one');
  await night();
  rmSync(file);
  t.match(await night(), [/does not hold the last anchor, of row 1/]);
  t.strictSame(await night(), [], 'once: there is a new one');
  writeFileSync(file, `${readFileSync(file, 'utf8')}half a li`);
  t.match(await night(), [/its line 3 is no anchor/]);
  const head = record.read(readHead)!;
  writeFileSync(file, anchorLine(makeAnchor(head, '2026-11-23T03:10:00.000Z', Buffer.alloc(32, 9))));
  t.match(await night(), [/not made with this installation/]);
});

void t.test('after a backup was restored nobody asks for the anchors that were made since', async (t) => {
  const { record, audit, file, act, night } = school(t);
  act('one');
  await night();
  rmSync(file);
  record.write((tx) => audit.append(tx, { actor: 'console', action: 'backup.restored', subject: 'backup' }));
  t.strictSame(await night(), []);
});
