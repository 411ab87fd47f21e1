// What is done to the record behind our back is found, and erasing what the law wants erased is not taken for that.
import * as fc from 'fast-check';
import t from 'tap';
import { type Anchor, anchorLine, makeAnchor, parseAnchors } from '../../src/audit/anchor.ts';
import { chainRow, sealHead } from '../../src/audit/chain.ts';
import { type AuditEntry, type AuditRow, payloadOf } from '../../src/audit/entry.ts';
import { createAudit, newestRows, readHead, verifyChain } from '../../src/audit/service.ts';
import { type ChainCheck, ChainWalk } from '../../src/audit/verify.ts';
import { openRecord } from '../../src/store/database.ts';

const KEY = Buffer.alloc(32, 7);
const START = Date.UTC(2026, 10, 23, 9);
const DAY_MS = 86_400_000;
const at = (i: number): string => new Date(START + i * 60_000).toISOString();

const entry = (i: number): AuditEntry => ({
  actor: `person.${i % 3}`,
  action: i % 2 === 0 ? 'person.looked-at' : 'unblock.approved',
  subject: `person:${i % 4}`,
  reason: `because of ${i}`,
});

/** A chain of `length` rows, as whoever holds `key` writes it. `word` tells one chain from another. */
function chain(length: number, key: Uint8Array = KEY, word = ''): AuditRow[] {
  const rows: AuditRow[] = [];
  for (let i = 1; i <= length; i++) {
    const last = rows.at(-1);
    const head = last === undefined ? null : sealHead(last.seq, last.hash, key);
    rows.push(chainRow({ ...entry(i), reason: `${word}${i}` }, at(i), `salt${i}`, head));
  }
  return rows;
}

const anchorOf = (row: AuditRow): Anchor => makeAnchor(row, row.at, KEY);

function check(rows: readonly AuditRow[], anchors: readonly Anchor[] = [], end = rows.at(-1)): ChainCheck {
  const walk = new ChainWalk(KEY, anchors);
  return walk.take(rows) ?? walk.end(end === undefined ? null : sealHead(end.seq, end.hash, KEY));
}

/** Seals whatever it is given, as somebody does who has the key as well: root on the machine. */
function rechained(rows: readonly AuditRow[]): AuditRow[] {
  const made: AuditRow[] = [];
  for (const { actor, action, subject, approver, at: when, salt, payload } of rows) {
    const last = made.at(-1);
    const head = last === undefined ? null : sealHead(last.seq, last.hash, KEY);
    const { before, after, reason, address } = payloadOf({ payload })!;
    made.push(chainRow({ actor, action, subject, approver, before, after, reason, address }, when, salt, head));
  }
  return made;
}

type Tamper = (rows: AuditRow[], i: number, j: number) => AuditRow[];
const TAMPERS: Readonly<Record<string, Tamper>> = {
  edit: (rows, i) => rows.with(i, { ...rows[i]!, actor: 'somebody.else' }),
  remove: (rows, i) => rows.toSpliced(i, 1),
  insert: (rows, i) => rows.toSpliced(i, 0, chain(i + 1, KEY, 'forged ')[i]!),
  swap: (rows, i, j) => rows.with(i, rows[j]!).with(j, rows[i]!),
  renumber: (rows, i, j) => rows.with(i, { ...rows[j]!, seq: i + 1 }).with(j, { ...rows[i]!, seq: j + 1 }),
  cut: (rows, i) => rows.slice(0, i),
  erase: (rows, i) => rows.with(i, { ...rows[i]!, payload: '', salt: '' }),
};

const spot = fc.record({
  length: fc.integer({ min: 2, max: 12 }),
  i: fc.nat(),
  j: fc.nat(),
  how: fc.constantFrom(...Object.keys(TAMPERS)),
});

void t.test('whatever is done to any row is found, without the key', async () => {
  fc.assert(
    fc.property(spot, ({ length, i, j, how }) => {
      const rows = chain(length);
      const first = i % length;
      const second = (first + 1 + (j % (length - 1))) % length;
      const done = TAMPERS[how]!(rows, first, second);
      return check(rows).intact && !check(done, [], rows.at(-1)).intact;
    }),
    { numRuns: 300 },
  );
});

void t.test(
  'whoever has the key as well is found by an anchor: any edit, removal, insertion, swap or cut before it',
  async () => {
    fc.assert(
      fc.property(spot, fc.nat(), ({ length, i, j, how }, where) => {
        fc.pre(how !== 'erase');
        const rows = chain(length);
        const first = i % length;
        const second = (first + 1 + (j % (length - 1))) % length;
        const changedFrom = how === 'swap' || how === 'renumber' ? Math.min(first, second) : first;
        const anchored = rows[changedFrom + (where % (length - changedFrom))]!;
        const done = rechained(TAMPERS[how]!(rows, first, second));
        const anchors = [anchorOf(rows[0]!), anchorOf(anchored)];
        return check(done).intact && check(rows, anchors).intact && !check(done, anchors).intact;
      }),
      { numRuns: 300 },
    );
  },
);

void t.test('what an anchor says', async (t) => {
  const rows = chain(5);
  const anchors = [2, 4].map((seq) => anchorOf(rows[seq - 1]!));
  t.match(check(rows, anchors), { intact: true, rows: 5 });
  t.match(check(rows.slice(0, 3), anchors), {
    intact: false,
    row: 4,
    problem: /rows 4 to 4, anchored on 2026-11-23T09:04/,
  });
  t.match(check(chain(5, KEY, 'other '), anchors), {
    intact: false,
    row: 2,
    problem: /is not the row that was anchored/,
  });
  const forged = makeAnchor(rows[3]!, at(4), Buffer.alloc(32, 9));
  t.match(check(rows, [forged]), { intact: false, row: 4, problem: /not made with this installation/ });
  const text = `${anchors.map(anchorLine).join('\r\n')}\n\nsomething else\n`;
  t.strictSame(parseAnchors(text), { anchors, unreadable: [4] });
  t.equal(parseAnchors('').anchors.length, 0);
});

void t.test('what has been erased still verifies, and only what the record says was erased', async (t) => {
  const record = openRecord(':memory:');
  t.teardown(() => record.close());
  let now = START;
  const audit = createAudit(KEY, () => now);
  const add = (n: number): void => {
    for (let i = 0; i < n; i++) record.write((tx) => audit.append(tx, entry(i)));
  };
  const verify = (): ChainCheck => record.read((tx) => verifyChain(tx, KEY));
  add(4);
  const anchor = makeAnchor(record.read(readHead)!, at(0), KEY);
  now += DAY_MS;
  add(3);
  t.equal(
    record.write((tx) => audit.erasePayloads(tx, START)),
    0,
    'nothing is old enough',
  );
  t.equal(
    record.write((tx) => audit.erasePayloads(tx, now)),
    4,
  );
  t.equal(
    record.write((tx) => audit.erasePayloads(tx, now)),
    0,
    'once is enough, and makes one row',
  );
  const rows = record.read((tx) => newestRows(tx, null, 20)).toReversed();
  t.strictSame(
    rows.map((row) => payloadOf(row)?.reason ?? null),
    [null, null, null, null, 'because of 0', 'because of 1', 'because of 2', null],
  );
  t.match(rows.at(-1), { action: 'audit.payloads-erased', subject: 'audit:1-4' });
  t.match(rows[0], { actor: 'person.0', salt: '', payload: '' }, 'who and what stays');
  t.match(verify(), { intact: true, rows: 8 });
  t.match(await audit.verify(record, [anchor]), { intact: true, rows: 8 });

  t.throws(() => record.write((tx) => tx.run("UPDATE audit SET payload = '' WHERE seq = 6")), /never changed/);
  t.throws(
    () => record.write((tx) => tx.run("UPDATE audit SET payload = '', salt = '', actor = 'x' WHERE seq = 6")),
    /never changed/,
  );
  record.write((tx) => tx.run("UPDATE audit SET payload = '', salt = '' WHERE seq = 6"));
  t.match(verify(), { intact: false, row: 6, problem: /no erasure is on record/ });
});
