import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { hiddenHits } from '../../src/compose/concern-alerts.ts';
import type { Actor } from '../../src/audit/entry.ts';
import { buildIndex } from '../../src/categories/build-index.ts';
import { loadCurrentIllegal, readManifest } from '../../src/categories/current-index.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import type { AccessRecord, IllegalHitRecord } from '../../src/events/access-record.ts';
import { EVENT_VERSIONS } from '../../src/events/catalogue.ts';
import { openTarget, publicKeyText, sealTarget } from '../../src/events/evidence-seal.ts';
import type { HolderInput } from '../../src/evidence/service.ts';
import { stretch, unwrapByPair, wrapForPair } from '../../src/evidence/wrap.ts';
import { appCode } from '../helpers/authenticator.ts';
import { type ControlPlane, controlPlane, START } from '../helpers/control-plane.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { addPerson, PASSWORD } from '../helpers/test-console.ts';
import { sampleRecord } from '../events/sample.ts';

const URL = 'http://marker.test/what-was-asked-for';
const HIT = '01J0000000000000000000HHHH';
const HOUR = 3_600_000;

type Holder = (userName: string, evidencePassword?: string) => HolderInput;

/** What people type; each time it is read, the code is one that was not used yet. */
function holderOf(plane: ControlPlane): Holder {
  return (userName, evidencePassword = `evidence of ${userName}`) => ({
    userName,
    password: PASSWORD,
    get code() {
      return appCode(plane);
    },
    evidencePassword,
  });
}

async function staff(
  t: Test,
  dataDir?: string,
): Promise<{ plane: ControlPlane; as: (name: string) => Actor; holder: Holder }> {
  const plane = controlPlane(dataDir === undefined ? {} : { dataDir });
  t.teardown(() => plane.close());
  await addPerson(plane, 'helen', ['headteacher']);
  for (const name of ['nadia', 'dev', 'other']) await addPerson(plane, name, ['network-manager']);
  await addPerson(plane, 'tina', ['teacher']);
  const as = (name: string): Actor => {
    const personId = plane.accounts.people().find(({ userName }) => userName === name)!.id;
    return { personId, userName: name, address: '127.0.0.1' };
  };
  return { plane, as, holder: holderOf(plane) };
}

function takeHit(plane: ControlPlane, id: string, more: Partial<IllegalHitRecord>): void {
  const locked = { reason: 'illegal', step: 'illegal', category: 'csam', lists: ['members'] } as const;
  const data: AccessRecord = {
    ...sampleRecord({ ...locked, id, target: null, host: null, locked: true, flagged: true }),
    ...more,
  };
  const at = new Date(START).toISOString();
  plane.safeguarding.take([JSON.stringify({ id, type: 'illegal.hit', v: EVENT_VERSIONS['illegal.hit'], at, data })]);
}

void t.test('whatever is sealed is read with the one key alone, and not if it was changed', async (t) => {
  const [own, other] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')];
  const publicKey = publicKeyText(own.publicKey);
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 600 }),
      (text) => openTarget(own.privateKey, sealTarget(publicKey, text)) === text,
    ),
    { numRuns: 50 },
  );
  const sealed = sealTarget(publicKey, URL);
  t.not(sealed, sealTarget(publicKey, URL));
  t.equal(sealed.length, sealTarget(publicKey, 'http://a.test/').length, 'it does not tell how long the address is');
  t.throws(() => openTarget(other.privateKey, sealed));
  for (let at = 0; at < Buffer.from(sealed, 'base64').length; at += 11) {
    const changed = Buffer.from(sealed, 'base64');
    changed[at]! ^= 1;
    t.throws(() => openTarget(own.privateKey, changed.toString('base64')), `byte ${at}`);
  }
});

void t.test('a secret that is wrapped for two needs both', async (t) => {
  const [a, b] = [
    await stretch('one password', 'c2FsdHNhbHRzYWx0'),
    await stretch('another password', 'c2FsdHNhbHRzYWx0'),
  ];
  const wrapped = wrapForPair(Buffer.from('secret'), a, b);
  t.equal(unwrapByPair(wrapped, a, b)?.toString(), 'secret');
  for (const [first, second] of [
    [a, a],
    [b, b],
    [b, a],
    [a, Buffer.alloc(32)],
  ] as const) {
    t.equal(unwrapByPair(wrapped, first, second), null);
  }
});

// Whoever had tried to see something illegal found themselves in the list, and could be one of the two who open it.
void t.test('nobody sees or opens a hit of their own, nor of the staff unless it is theirs to hear of', async (t) => {
  const { plane, as, holder } = await staff(t);
  const { evidence, record, clock } = plane;
  await evidence.init(
    as('helen'),
    ['helen', 'nadia', 'dev'].map((name) => holder(name)),
  );
  await plane.publishing.send();
  const { evidenceKey } = plane.last('live')!;
  takeHit(plane, HIT, { user: 'nadia', mark: 'ab', sealed: sealTarget(evidenceKey!, URL) });
  const seen = (name: string): string[] => evidence.state(as(name).personId, 10).hits.map(({ id }) => id);
  t.strictSame([seen('helen'), seen('nadia'), seen('dev')], [[HIT], [], []]);
  const hidden = (name: string): string[] => {
    const { personId } = as(name);
    return record.read((tx) => hiddenHits(tx, personId, clock()));
  };
  t.strictSame([hidden('helen'), hidden('nadia'), hidden('dev')], [[], [`hit:${HIT}`], [`hit:${HIT}`]]);
  for (const [by, second, code] of [
    ['nadia', 'helen', 'evidence_unknown'],
    ['dev', 'helen', 'evidence_unknown'],
    ['helen', 'nadia', 'evidence_refused'],
  ] as const) {
    await t.rejects(evidence.open(as(by), HIT, `evidence of ${by}`, holder(second)), { code }, `${by} with ${second}`);
  }
  t.equal(await evidence.open(as('helen'), HIT, 'evidence of helen', holder('dev')), URL);
  takeHit(plane, '01J0000000000000000000JJJJ', { user: 'some.pupil' });
  t.equal(seen('dev').length, 1, 'of pupils those see who always did');
});

void t.test('any two of three open a hit; nobody alone, nobody else', async (t) => {
  const { plane, as, holder } = await staff(t);
  const { evidence } = plane;
  takeHit(plane, '01J0000000000000000000BBBB', {});
  const three = ['helen', 'nadia', 'dev'].map((name) => holder(name));
  const bad: [string, readonly HolderInput[], string][] = [
    ['two people', three.slice(0, 2), 'evidence_holders'],
    ['one twice', [three[0]!, three[1]!, three[1]!], 'evidence_holders'],
    ['others', [three[1]!, three[2]!, holder('other')], 'evidence_holders'],
    ['a stranger', [three[0]!, three[1]!, holder('nobody')], 'evidence_person'],
    ['a short password', [three[0]!, three[1]!, holder('dev', 'short')], 'evidence_password'],
    ['a teacher', [three[0]!, three[1]!, holder('tina')], 'evidence_person'],
    ['the account’s password', [three[0]!, three[1]!, holder('dev', PASSWORD)], 'evidence_password'],
  ];
  for (const [what, given, code] of bad) await t.rejects(evidence.init(as('helen'), given), { code }, what);
  t.equal(evidence.state(as('helen').personId, 10).key, null);
  await evidence.init(as('helen'), three);
  await plane.publishing.send();
  const { evidenceKey } = plane.last('live')!;
  t.match(evidenceKey, /^[A-Za-z0-9+/]{43}=$/);
  await t.rejects(evidence.init(as('helen'), three), { code: 'evidence_exists' });
  t.same(new Set(evidence.state(as('helen').personId, 10).key!.holders), new Set(['helen', 'nadia', 'dev']));

  takeHit(plane, HIT, { mark: 'ab', sealed: sealTarget(evidenceKey!, URL) });
  t.match(evidence.state(as('helen').personId, 10).hits, [
    { id: HIT, lists: ['members'], isSealed: true },
    { id: '01J0000000000000000000BBBB', isSealed: false },
  ]);
  const pairs: [string, string][] = [
    ['helen', 'nadia'],
    ['dev', 'helen'],
    ['nadia', 'dev'],
  ];
  for (const [a, b] of pairs)
    t.equal(await evidence.open(as(a), HIT, `evidence of ${a}`, holder(b)), URL, `${a} and ${b}`);
  const refused: [string, string, string, HolderInput][] = [
    ['alone', 'helen', 'evidence of helen', holder('helen')],
    ['a wrong evidence password', 'helen', 'evidence of nadia', holder('nadia')],
    ['the other’s is wrong', 'helen', 'evidence of helen', holder('nadia', 'evidence of dev')],
    ['a wrong account password', 'helen', 'evidence of helen', { ...holder('nadia'), password: 'no' }],
    ['somebody else', 'other', 'evidence of other', holder('nadia')],
    ['with somebody else', 'helen', 'evidence of helen', holder('other')],
  ];
  for (const [what, name, password, second] of refused) {
    await t.rejects(evidence.open(as(name), HIT, password, second), { code: 'evidence_refused' }, what);
  }
  await t.rejects(evidence.open(as('helen'), '01J0000000000000000000BBBB', 'x', holder('dev')), {
    code: 'evidence_unsealed',
  });
  await t.rejects(evidence.open(as('helen'), '01J0000000000000000000CCCC', 'x', holder('dev')), {
    code: 'evidence_unknown',
  });
  const acts = plane.acts().filter((act) => act.startsWith('evidence'));
  t.same(acts, [
    'evidence.initialised helen',
    ...pairs.map(([a]) => `evidence.opened ${a}`),
    ...refused.map(([, name]) => `evidence.refused ${name}`),
  ]);
  const all = JSON.stringify(plane.record.read((tx) => tx.all('SELECT * FROM audit')));
  for (const secret of [URL, 'evidence of', PASSWORD]) t.notMatch(all, secret);
});

void t.test('attempts are limited, also many at once', async (t) => {
  const { plane, as, holder } = await staff(t);
  const { evidence } = plane;
  await evidence.init(
    as('helen'),
    ['helen', 'nadia', 'dev'].map((name) => holder(name)),
  );
  await plane.publishing.send();
  takeHit(plane, HIT, { sealed: sealTarget(plane.last('live')!.evidenceKey!, URL) });
  const wrong = (): Promise<unknown> =>
    evidence.open(as('helen'), HIT, 'not the password', holder('nadia')).catch((error: { code: string }) => error.code);
  const codes = await Promise.all(Array.from({ length: 8 }, wrong));
  t.equal(codes.filter((code) => code === 'evidence_refused').length, 5);
  t.equal(codes.filter((code) => code === 'evidence_held').length, 3);
  await t.rejects(evidence.open(as('helen'), HIT, 'evidence of helen', holder('nadia')), { code: 'evidence_held' });
  plane.clock.advance(HOUR + 1);
  t.equal(await evidence.open(as('helen'), HIT, 'evidence of helen', holder('nadia')), URL);
});

void t.test('an enforced illegal list ends when two different people say so', async (t) => {
  const root = tempFolder(t);
  const layout = dataLayout(join(root, 'data'));
  createDataFolders(layout);
  const listsDir = join(root, 'lists');
  mkdirSync(listsDir);
  writeFileSync(
    join(listsDir, 'categories.yaml'),
    'categories:\n  - { id: csam, title: x, description: x, uksic: x, locked: true }\n',
  );
  const row = (id: string): string =>
    `  - { id: ${id}, category: csam, format: illegal-urls, source: ./x.txt, enabled: true }\n`;
  writeFileSync(join(listsDir, 'catalogue.yaml'), `lists:\n${row('one')}${row('two')}`);
  writeFileSync(join(listsDir, 'x.txt'), 'listed.test\n');
  await buildIndex({ listsDir, layout, clock: () => START });
  const { plane, as } = await staff(t, layout.root);
  const { evidence } = plane;
  const lists = (): string[] => readManifest(layout)?.illegal?.lists.map(({ id }) => id) ?? [];
  await t.rejects(evidence.removeList(as('nadia'), 'unknown'), { code: 'removal_unknown' });
  t.equal(await evidence.removeList(as('nadia'), 'one'), 'asked');
  await t.rejects(evidence.removeList(as('nadia'), 'one'), { code: 'removal_own' });
  await t.rejects(
    evidence.removeList(as('dev'), 'one'),
    { code: 'removal_lead' },
    'two network managers are not enough',
  );
  t.same(lists(), ['one', 'two']);
  plane.clock.advance(8 * 24 * HOUR);
  t.equal(await evidence.removeList(as('helen'), 'one'), 'asked', 'what was asked for a week ago is forgotten');
  t.equal(await evidence.removeList(as('nadia'), 'one'), 'removed');
  t.same(lists(), ['two']);
  t.same(loadCurrentIllegal(layout)!.lists, [{ id: 'two', category: 'csam' }]);
  t.equal(readdirSync(layout.index).filter((name) => name.endsWith('.sgf')).length, 1, 'no older file holds it');
  t.equal(await evidence.removeList(as('dev'), 'two'), 'asked');
  t.equal(await evidence.removeList(as('helen'), 'two'), 'removed');
  t.same([lists(), loadCurrentIllegal(layout)], [[], null]);
  t.equal(readdirSync(layout.index).filter((name) => name.endsWith('.sgf')).length, 0);
  t.notMatch(readFileSync(join(layout.index, 'current.json'), 'utf8'), 'sgf');
  t.same(
    plane.acts().filter((act) => act.startsWith('list.')),
    [
      'list.removal-asked nadia',
      'list.removal-asked helen',
      'list.removed nadia',
      'list.removal-asked dev',
      'list.removed helen',
    ],
  );
  await buildIndex({ listsDir, layout, clock: () => START });
  t.same(lists(), ['one', 'two'], 'what the catalogue names comes back from its source');
});
