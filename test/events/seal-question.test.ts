import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import {
  QuestionKeys,
  readQuestionKey,
  readSealedQuestion,
  type SealedQuestion,
  sealQuestion,
} from '../../src/events/seal-question.ts';

const FROM = 'a'.repeat(32);
const QUESTION = { type: 'verify', name: 'p.pupil', password: 'seven purple walrus lanterns' };
const ed25519 = generateKeyPairSync('ed25519');

function exchange() {
  const keys = new QuestionKeys(ed25519.privateKey);
  const { sealed, answer } = sealQuestion(QUESTION, FROM, keys.next(1_000));
  return { keys, sealed, answer };
}

/** The same text with one bit of its bytes turned. */
function bent(base64: string, encoding: 'base64' | 'base64url', at: number): string {
  const bytes = Buffer.from(base64, encoding);
  bytes[at]! ^= 128;
  return bytes.toString(encoding);
}

void t.test('a question and its answer can be read at the two ends alone', async (t) => {
  const { keys, sealed, answer } = exchange();
  t.notMatch(JSON.stringify(sealed), /pupil|walrus/);
  const opened = keys.open(readSealedQuestion(JSON.stringify(sealed))!);
  if (typeof opened === 'string') throw new Error(opened);
  t.same(opened.question, QUESTION);
  const box = opened.answer.seal({ user: 'p.pupil' });
  t.notMatch(Buffer.from(box, 'base64').toString('latin1'), /pupil/);
  t.same(answer.open(box), { user: 'p.pupil' });
});

void t.test('how long a name or password is does not show', async (t) => {
  const key = new QuestionKeys(ed25519.privateKey).next(1);
  const lengthOf = (password: string): number => sealQuestion({ password }, FROM, key).sealed.box.length;
  t.equal(lengthOf('short'), lengthOf('a much longer password than that one is'));
});

void t.test('no part of a question can be exchanged', async (t) => {
  const changes: Record<string, (one: SealedQuestion, other: SealedQuestion) => Partial<SealedQuestion>> = {
    'where the answer goes': () => ({ from: 'b'.repeat(32) }),
    'a bit of the box': ({ box }) => ({ box: bent(box, 'base64', 100) }),
    'a bit of its tag': ({ box }) => ({ box: bent(box, 'base64', Buffer.from(box, 'base64').length - 1) }),
    'nothing in the box': () => ({ box: '=' }),
    'the box of another': (_, { box }) => ({ box }),
    'the key of another': (_, { key }) => ({ key }),
    // X25519 does not look at this bit: the secret is the same, and the question would not look like a repeat.
    'the bit of its key that does not count': ({ key }) => ({ key: bent(key, 'base64url', 31) }),
    'a key that leads to a secret of zeros': () => ({ key: Buffer.alloc(32).toString('base64url') }),
  };
  for (const [what, change] of Object.entries(changes)) {
    const keys = new QuestionKeys(ed25519.privateKey);
    const key = keys.next(1);
    const [one, other] = [sealQuestion(QUESTION, FROM, key).sealed, sealQuestion({ other: 1 }, FROM, key).sealed];
    t.equal(keys.open({ ...one, ...change(one, other) }), 'forged', what);
    t.match(keys.open(one), { question: QUESTION }, 'and the right one is opened after it');
  }
});

void t.test('a question is opened once, and not at all when its key has gone', async (t) => {
  const { keys, sealed } = exchange();
  const late = sealQuestion(QUESTION, FROM, keys.next(2_000)).sealed;
  t.match(keys.open(sealed), { question: QUESTION }, 'by the key before');
  t.equal(keys.open(sealed), 'replayed');
  keys.next(3_000);
  t.equal(keys.open(sealed), 'unknown-key');
  t.match(keys.open(late), { question: QUESTION });
  t.equal(exchange().keys.open({ ...late }), 'unknown-key', 'a console that was started again has other keys');
});

void t.test('what is remembered of a key’s questions is bounded', async (t) => {
  const keys = new QuestionKeys(ed25519.privateKey, 3);
  const key = keys.next(1);
  for (let i = 0; i < 3; i++) {
    t.notOk(keys.isUsedUp);
    keys.open(sealQuestion(i, FROM, key).sealed);
  }
  t.ok(keys.isUsedUp);
  keys.next(2);
  t.notOk(keys.isUsedUp);
});

void t.test('serials grow, also when the clock stands or goes back', async (t) => {
  const keys = new QuestionKeys(ed25519.privateKey);
  t.same(
    [5, 5, 3, 9].map((now) => keys.next(now).serial),
    [5, 6, 7, 9],
  );
});

void t.test('an answer to another question, or a changed one, is none', async (t) => {
  const [one, other] = [exchange(), exchange()];
  const opened = one.keys.open(one.sealed);
  if (typeof opened === 'string') throw new Error(opened);
  const box = opened.answer.seal({ user: 'h.teacher' });
  t.throws(() => other.answer.open(box));
  t.throws(() => one.answer.open(bent(box, 'base64', 3)));
  t.throws(() => one.answer.open(''));
  t.throws(() => one.answer.open(one.sealed.box), 'nor is the question itself');
});

void t.test('a question key counts by the console’s signature alone', async (t) => {
  const key = new QuestionKeys(ed25519.privateKey).next(7);
  const read = (change: object): unknown => readQuestionKey(JSON.stringify({ ...key, ...change }), ed25519.publicKey);
  t.same(read({}), key);
  const stranger = new QuestionKeys(generateKeyPairSync('ed25519').privateKey).next(7);
  for (const change of [{ serial: 8 }, { serial: '7' }, { key: stranger.key }, { signature: '' }, stranger]) {
    t.equal(read(change), null, JSON.stringify(change));
  }
  for (const text of ['', '{', 'null', '[]', '7']) t.equal(readQuestionKey(text, ed25519.publicKey), null, text);
});

void t.test('what is no sealed question is not read as one', async (t) => {
  const { sealed } = exchange();
  const changes = [{ to: '1' }, { to: 1.5 }, { from: 'x' }, { from: null }, { key: 'short' }, { key: 1 }, { box: '' }];
  for (const change of changes) {
    t.equal(readSealedQuestion(JSON.stringify({ ...sealed, ...change })), null, JSON.stringify(change));
  }
  for (const text of ['', 'null', '{}', '"x"']) t.equal(readSealedQuestion(text), null, text);
});
