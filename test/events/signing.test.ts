import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import * as fc from 'fast-check';
import type { DataLayout } from '../../src/config/data-layout.ts';
import type { SignedSnapshot } from '../../src/events/bus.ts';
import {
  loadOrCreateKeys,
  loadPublicKey,
  type SigningKeys,
  signSnapshot,
  verifySnapshot,
} from '../../src/events/signing.ts';
import { createSnapshotKeeper, readLastGood, readSigned } from '../../src/events/snapshot-keeper.ts';
import { dataFolder } from './sample.ts';

const AT = '2026-11-23T10:00:00.000Z';

void t.test('keys are made once, the private one for nobody else, the public one always beside it', async (t) => {
  const layout = dataFolder(t);
  const first = loadOrCreateKeys(layout);
  t.equal(statSync(layout.signingKey).mode & 0o777, 0o600);
  t.match(readFileSync(layout.signingKey, 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/);
  const second = loadOrCreateKeys(layout);
  t.ok(first.privateKey.equals(second.privateKey));
  t.ok(loadPublicKey(layout).equals(first.publicKey));
  rmSync(layout.signingPublicKey);
  loadOrCreateKeys(layout);
  t.ok(loadPublicKey(layout).equals(first.publicKey), 'made again from the private one');
});

void t.test('keys that cannot be used are refused in one sentence that says what to do', async (t) => {
  const layout = dataFolder(t);
  t.throws(() => loadPublicKey(layout), { code: 'signing_key', message: /copy keys\/console\.pub from the console/ });
  writeFileSync(layout.signingPublicKey, 'not a key');
  t.throws(() => loadPublicKey(layout), /not an Ed25519 key/);
  loadOrCreateKeys(layout);
  chmodSync(layout.signingKey, 0o640);
  t.throws(() => loadOrCreateKeys(layout), /can be read by other accounts; run chmod 600/);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  rmSync(layout.signingKey);
  writeFileSync(layout.signingKey, rsa.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  t.throws(() => loadOrCreateKeys(layout), /not an Ed25519 key/);
  const kept = readFileSync(layout.signingKey, 'utf8');
  t.match(kept, /BEGIN PRIVATE KEY/, 'a wrong key is not overwritten');
});

void t.test('a signature holds for its kind, serial, instant and body, and for nothing else', async (t) => {
  const keys = loadOrCreateKeys(dataFolder(t));
  const good = signSnapshot(keys.privateKey, { kind: 'policy', serial: 12, at: AT, body: '3\n{"a":1}' });
  t.ok(verifySnapshot(keys.publicKey, good));
  const changed: Partial<SignedSnapshot>[] = [
    { kind: 'live' },
    { serial: 13 },
    { serial: 1 },
    { at: '2026-11-23T10:00:00.001Z' },
    { body: '3\n{"a":2}' },
    { at: `${AT}\n3`, body: '{"a":1}' },
    { signature: '' },
    { signature: 'AAAA' },
    { signature: good.signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) },
  ];
  for (const change of changed) {
    const json = JSON.stringify({ ...good, ...change });
    t.equal(readSigned(change.kind ?? 'policy', json, keys.publicKey), null, JSON.stringify(change));
  }
});

void t.test('no text that is not a signed snapshot is taken for one, and none throws', async (t) => {
  const { publicKey, privateKey } = loadOrCreateKeys(dataFolder(t));
  const good = signSnapshot(privateKey, { kind: 'live', serial: 1, at: AT, body: '{}' });
  const wrong = ['', 'null', '[]', '7', '{}', '{"kind":"live"}', JSON.stringify({ ...good, extra: 1 })];
  for (const json of [...wrong, JSON.stringify({ ...good, serial: '1' }), JSON.stringify({ ...good, serial: 1.5 })]) {
    t.equal(readSigned('live', json, publicKey), null, json);
  }
  fc.assert(fc.property(fc.json(), (json) => readSigned('live', json, publicKey) === null));
  const fields = ['kind', 'serial', 'at', 'body', 'signature'] as const;
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
      fc.pre(JSON.stringify(value) !== JSON.stringify(good[field]));
      return readSigned('live', JSON.stringify({ ...good, [field]: value }), publicKey) === null;
    }),
  );
  const text = JSON.stringify(good);
  for (let length = 0; length < text.length; length++)
    t.equal(readSigned('live', text.slice(0, length), publicKey), null);
});

interface Kept {
  readonly layout: DataLayout;
  readonly keys: SigningKeys;
  readonly accepted: unknown[];
  readonly alarms: string[];
  readonly offer: (snapshot: Partial<SignedSnapshot> & { serial: number }) => string;
}

function keeper(t: Test, layout = dataFolder(t)): Kept {
  const keys = loadOrCreateKeys(layout);
  const kept = { accepted: [] as unknown[], alarms: [] as string[] };
  const keeping = createSnapshotKeeper({
    layout,
    publicKey: keys.publicKey,
    onAccepted: (kind, { serial, body }) => kept.accepted.push([kind, serial, body]),
    onAlarm: (code) => kept.alarms.push(code),
  });
  const sign = ({
    kind = 'live',
    serial,
    at = AT,
    body = '{"grants":[]}',
  }: Partial<SignedSnapshot> & { serial: number }) => signSnapshot(keys.privateKey, { kind, serial, at, body });
  return {
    layout,
    keys,
    ...kept,
    offer: (snapshot) => keeping.offer(snapshot.kind ?? 'live', JSON.stringify(sign(snapshot))),
  };
}

void t.test('only a higher serial is taken, also after a restart; the same again is no news', async (t) => {
  const first = keeper(t);
  const table: [number, string, string][] = [
    [5, '{"a":1}', 'accepted'],
    [5, '{"a":1}', 'known'],
    [5, '{"a":2}', 'refused'],
    [4, '{"a":1}', 'refused'],
    [9, '{"a":3}', 'accepted'],
    [8, '{"a":4}', 'refused'],
  ];
  for (const [serial, body, answer] of table) t.equal(first.offer({ serial, body }), answer, `${serial} ${body}`);
  t.same(first.accepted, [
    ['live', 5, { a: 1 }],
    ['live', 9, { a: 3 }],
  ]);
  t.same(first.alarms, ['snapshot-refused', 'snapshot-refused', 'snapshot-refused']);
  const second = keeper(t, first.layout);
  t.equal(second.offer({ serial: 9, body: '{"a":3}' }), 'known');
  t.equal(second.offer({ serial: 8, body: '{"a":4}' }), 'refused');
  t.equal(second.offer({ kind: 'policy', serial: 1, body: '{}' }), 'accepted', 'each kind counts for itself');
  t.same(readLastGood(first.layout, 'live', first.keys.publicKey), { kind: 'live', serial: 9, at: AT, body: { a: 3 } });
});

void t.test(
  'what is stored is checked again; what is damaged is said, and replaced by the next good one',
  async (t) => {
    const { layout, keys, offer } = keeper(t);
    t.equal(readLastGood(layout, 'policy', keys.publicKey), null, 'none yet');
    offer({ serial: 3 });
    const path = join(layout.lastGoodSnapshots, 'live.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"serial":3', '"serial":2'));
    t.throws(() => readLastGood(layout, 'live', keys.publicKey), {
      code: 'snapshot_unusable',
      message: /live\.json is damaged/,
    });
    const again = keeper(t, layout);
    t.same(again.alarms, ['snapshot-refused']);
    t.equal(again.offer({ serial: 3 }), 'accepted');
    t.equal(readLastGood(layout, 'live', keys.publicKey)?.serial, 3);
  },
);

void t.test('a snapshot that the disk refuses is in force all the same, with an alarm', async (t) => {
  const { layout, offer, accepted, alarms } = keeper(t);
  rmSync(layout.lastGoodSnapshots, { recursive: true });
  writeFileSync(layout.lastGoodSnapshots, 'a file where the folder should be');
  t.equal(offer({ serial: 1 }), 'accepted');
  t.equal(accepted.length, 1);
  t.same(alarms, ['disk-refuses']);
  t.equal(offer({ serial: 0 }), 'refused', 'and its serial counts');
});
