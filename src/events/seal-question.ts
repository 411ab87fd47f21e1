// gateway: sealQuestion ─► { to, from, key, box } ─► console: QuestionKeys.open ─► what was asked, and what seals the answer to it
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { parseObject } from '../kernel/json.ts';

/** The key to which questions to the console are sealed at the moment, signed with the console's Ed25519 key. */
export interface QuestionKey {
  /** Grows with each key, over restarts too. */
  readonly serial: number;
  /** X25519, base64url. */
  readonly key: string;
  /** Ed25519 over serial and key, base64. */
  readonly signature: string;
}

/** A question as it travels. Nobody but the holder of the private half of `to` can read it, and every part is bound to it. */
export interface SealedQuestion {
  /** Serial of the question key. */
  readonly to: number;
  /** Where the answer is waited for. */
  readonly from: string;
  /** X25519, base64url: made for this question, which it names. */
  readonly key: string;
  readonly box: string;
}

/** What seals and opens the one answer to a question. Each may be used once. */
export interface AnswerSeal {
  seal(answer: unknown): string;
  /** Throws for whatever was not sealed as the answer to this very question. */
  open(box: string): unknown;
}

/** Lengths of texts are hidden up to so many bytes: a password's is nobody's business. */
const PAD_BYTES = 1024;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
/** Of AES-GCM. Each key seals one text only, so it needs no other. */
const NONCE = Buffer.alloc(12);

interface Pair {
  readonly privateKey: KeyObject;
  /** Base64url. */
  readonly text: string;
}

function newPair(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { privateKey, text: publicKey.export({ format: 'jwk' }).x! };
}

/** Seals a question to the console's key; the seal opens its answer. Throws for a key that is none. */
export function sealQuestion(
  question: unknown,
  from: string,
  { serial, key }: QuestionKey,
): { readonly sealed: SealedQuestion; readonly answer: AnswerSeal } {
  const own = newPair();
  const head = { to: serial, from, key: own.text };
  const keys = deriveKeys(own.privateKey, key, head);
  return { sealed: { ...head, box: seal(keys.question, question) }, answer: answerSeal(keys.answer) };
}

/** Two keys, one a direction, from what only the two ends can compute. The head is part of it: nothing in it can be exchanged. */
function deriveKeys(
  own: KeyObject,
  other: string,
  { to, from, key }: Omit<SealedQuestion, 'box'>,
): { readonly question: Buffer; readonly answer: Buffer } {
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: other }, format: 'jwk' });
  const shared = diffieHellman({ privateKey: own, publicKey });
  const info = ['schoolgate question 1', to, from, key].join('\n');
  const bytes = Buffer.from(hkdfSync('sha256', shared, '', info, 2 * KEY_BYTES));
  return { question: bytes.subarray(0, KEY_BYTES), answer: bytes.subarray(KEY_BYTES) };
}

function answerSeal(key: Buffer): AnswerSeal {
  return { seal: (answer) => seal(key, answer), open: (box) => open(key, box) };
}

function seal(key: Buffer, value: unknown): string {
  const text = Buffer.from(JSON.stringify(value));
  const padded = Buffer.alloc(Math.ceil(text.length / PAD_BYTES) * PAD_BYTES, ' ');
  text.copy(padded);
  const cipher = createCipheriv('aes-256-gcm', key, NONCE);
  return Buffer.concat([cipher.update(padded), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function open(key: Buffer, box: string): unknown {
  const bytes = Buffer.from(box, 'base64');
  const end = Math.max(0, bytes.length - TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(end));
  const text = Buffer.concat([decipher.update(bytes.subarray(0, end)), decipher.final()]);
  return JSON.parse(text.toString('utf8'));
}

function signedBytes(serial: number, key: string): Buffer {
  return Buffer.from(['schoolgate question key 1', serial, key].join('\n'));
}

/** The question key in a text that claims to be one; null unless it is whole and signed by the console. */
export function readQuestionKey(json: string, publicKey: KeyObject): QuestionKey | null {
  const { serial, key, signature } = fieldsOf(json);
  if (!isSerial(serial) || typeof key !== 'string' || typeof signature !== 'string') return null;
  const isSigned = verify(null, signedBytes(serial, key), publicKey, Buffer.from(signature, 'base64'));
  return isSigned ? { serial, key, signature } : null;
}

/** The sealed question in a text; null for anything else. */
export function readSealedQuestion(json: string): SealedQuestion | null {
  const { to, from, key, box } = fieldsOf(json);
  const isWhole = isSerial(to) && isText(from, /^[0-9a-f]{32}$/) && isText(key, /^[\w-]{43}$/) && isText(box, /^./);
  return isWhole ? { to, from, key, box } : null;
}

function isSerial(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  return parseObject(json) ?? {};
}

/** A question that was opened, or why it was not. `unknown-key`: sealed to a key that is not here any more, or never was. */
export type Opened =
  | { readonly question: unknown; readonly answer: AnswerSeal }
  | 'unknown-key'
  | 'forged'
  | 'replayed';

interface HeldKey {
  readonly announced: QuestionKey;
  readonly privateKey: KeyObject;
  /** Every question that was opened with it: none is answered twice. */
  readonly opened: Set<string>;
}

/** More questions than a school asks in a key's time: then the key goes early, so that what is remembered stays bounded. */
const MOST_OPENED = 20_000;

/**
 * The console's question keys: the one of the moment and the one before. They are in memory only and soon gone, so what somebody
 * recorded cannot be read later, with no key that is found then, nor be played back.
 */
export class QuestionKeys {
  readonly #signWith: KeyObject;
  readonly #most: number;
  #current: HeldKey | null = null;
  #before: HeldKey | null = null;

  /** `signWith`: the console's Ed25519 private key. */
  constructor(signWith: KeyObject, most = MOST_OPENED) {
    this.#signWith = signWith;
    this.#most = most;
  }

  /** Makes the next key, and forgets the one before the last. `now` in ms since the epoch. */
  next(now: number): QuestionKey {
    const { privateKey, text: key } = newPair();
    const serial = Math.max(now, (this.#current?.announced.serial ?? 0) + 1);
    const signature = sign(null, signedBytes(serial, key), this.#signWith).toString('base64');
    this.#before = this.#current;
    this.#current = { announced: { serial, key, signature }, privateKey, opened: new Set() };
    return this.#current.announced;
  }

  /** Whether another key is due for the number of questions alone. */
  get isUsedUp(): boolean {
    return (this.#current?.opened.size ?? 0) >= this.#most;
  }

  open(sealed: SealedQuestion): Opened {
    const held = [this.#current, this.#before].find((one) => one?.announced.serial === sealed.to);
    if (held === undefined || held === null) return 'unknown-key';
    if (held.opened.has(sealed.key)) return 'replayed';
    try {
      const keys = deriveKeys(held.privateKey, sealed.key, sealed);
      const question = open(keys.question, sealed.box);
      held.opened.add(sealed.key);
      return { question, answer: answerSeal(keys.answer) };
    } catch {
      return 'forged';
    }
  }
}
