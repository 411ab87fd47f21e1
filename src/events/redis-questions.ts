// gateway: RedisAsker ── sealed question ──► channel ──► console: RedisAnswerer ── sealed answer ──► the asker's own channel
import { type KeyObject, randomBytes } from 'node:crypto';
import type { AnswererOptions, OnAlarm, QuestionAnswerer, QuestionAsker } from './bus.ts';
import { connectRedis, isReady, type Redis, type RedisKeys, type RedisOptions, whenReady } from './redis-link.ts';
import {
  type AnswerSeal,
  type QuestionKey,
  QuestionKeys,
  readQuestionKey,
  readSealedQuestion,
  sealQuestion,
} from './seal-question.ts';
import { parseObject } from '../kernel/json.ts';

/** Questions that are under way at once, here and there; more are turned away. */
const MOST_AT_ONCE = 256;
/** Longest text on a channel; room for the longest form of the front desk. */
const MOST_CHARACTERS = 1 << 18;
/** A question key is good for this long and as long again: that is how long a question could be held back on its way, ms. */
const KEY_MS = 10_000;

interface Waiting {
  readonly question: unknown;
  readonly to: number;
  readonly answer: AnswerSeal;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  /** It was sealed to a key that the console does not have any more, and is asked a second time; never a third. */
  readonly isSecond: boolean;
  isMeddled: boolean;
}

/** A gateway's end: what it asks lies nowhere, and is on its way sealed. */
export class RedisAsker implements QuestionAsker {
  readonly #keys: RedisKeys;
  readonly #publicKey: KeyObject;
  readonly #onAlarm: OnAlarm;
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  /** A new one each run: what was meant for an earlier one finds nobody. */
  readonly #from = randomBytes(16).toString('hex');
  readonly #waiting = new Map<string, Waiting>();
  #isHearing = false;
  #newest: QuestionKey | null = null;
  /** What stood in Redis at the last look. */
  #seen = '';

  constructor(options: RedisOptions, keys: RedisKeys, publicKey: KeyObject, onAlarm: OnAlarm) {
    this.#keys = keys;
    this.#publicKey = publicKey;
    this.#onAlarm = onAlarm;
    this.#redis = connectRedis(options, () => {});
    this.#subscriber = connectRedis(options, () => {
      const hear = this.#subscriber.subscribe(keys.answers(this.#from));
      // Where it fails, the connection is lost and comes back.
      hear.then(() => (this.#isHearing = true)).catch(() => {});
    });
    this.#subscriber.on('close', () => (this.#isHearing = false));
    this.#subscriber.on('message', (_channel, text) => this.#take(text));
  }

  async ask(question: unknown, ms: number): Promise<unknown> {
    if (!this.#isHearing || !isReady(this.#redis)) throw new Error('Redis is out of reach');
    const key = await this.#key();
    if (this.#waiting.size >= MOST_AT_ONCE) throw new Error('too many questions are under way');
    return await new Promise((resolve, reject) => {
      this.#send(question, key, { resolve, reject, isSecond: false }, ms);
    });
  }

  close(): void {
    for (const [id] of this.#waiting) this.#settle(id)?.reject(new Error('closed'));
    this.#redis.disconnect();
    this.#subscriber.disconnect();
  }

  #send(question: unknown, key: QuestionKey, how: Pick<Waiting, 'resolve' | 'reject' | 'isSecond'>, ms: number): void {
    const { sealed, answer } = sealQuestion(question, this.#from, key);
    const giveUp = (why: string): void => this.#settle(sealed.key)?.reject(new Error(why));
    const timer = setTimeout(() => giveUp(`no answer within ${ms} ms`), ms);
    this.#waiting.set(sealed.key, { ...how, question, to: key.serial, answer, timer, isMeddled: false });
    this.#redis.publish(this.#keys.questions, JSON.stringify(sealed)).then(
      (heard) => heard === 0 && giveUp('no console is listening'),
      () => giveUp('Redis is out of reach'),
    );
  }

  #settle(id: string): Waiting | undefined {
    const found = this.#waiting.get(id);
    clearTimeout(found?.timer);
    this.#waiting.delete(id);
    return found;
  }

  /** Anybody may have written it. What answers nothing that waits here is late, or somebody's invention: it changes nothing. */
  #take(text: string): void {
    const found = readAnswer(text);
    const waiting = this.#waiting.get(found?.to ?? '');
    if (found === null || waiting === undefined) return;
    if (found.box === undefined) return void this.#askAgain(found.to, waiting);
    try {
      const { answer } = waiting.answer.open(found.box) as { readonly answer?: unknown };
      const settled = this.#settle(found.to)!;
      if (answer === undefined) settled.reject(new Error('the console could not answer'));
      else settled.resolve(answer);
    } catch {
      if (waiting.isMeddled) return;
      waiting.isMeddled = true;
      this.#onAlarm('answer-refused', `An answer about a sign-in that the console did not seal was refused. ${WHO}`);
    }
  }

  /** A console that was started again has another key, and what was sealed to the last one is lost to it. */
  async #askAgain(id: string, { question, to, isSecond, resolve, reject }: Waiting): Promise<void> {
    if (isSecond) return;
    try {
      const key = await this.#key();
      // Whoever says so without there being another key says nothing.
      if (key.serial <= to || this.#settle(id) === undefined) return;
      this.#send(question, key, { resolve, reject, isSecond: true }, AGAIN_MS);
    } catch {
      // It is out of time soon.
    }
  }

  /** The newest of the console's keys that this process has seen. Rejects while there is none. */
  async #key(): Promise<QuestionKey> {
    const text = await this.#redis.getrange(this.#keys.questionKey, 0, 1024);
    if (text !== this.#seen && text !== '') {
      this.#seen = text;
      const found = readQuestionKey(text, this.#publicKey);
      if (found === null || found.serial < (this.#newest?.serial ?? 0)) {
        const what = found === null ? 'that the console did not sign' : 'that is older than the one before';
        this.#onAlarm('answer-refused', `A key for sign-ins ${what} was refused. ${WHO}`);
      } else this.#newest = found;
    }
    if (this.#newest === null) throw new Error('the console has left no key');
    return this.#newest;
  }
}

/** The second attempt at a question has no more time than one to a console that runs needs, ms. */
const AGAIN_MS = 2_000;
const WHO = 'Somebody may have written to the bus.';

/** `box` undefined: the console does not have the key that the question was sealed to. */
function readAnswer(text: string): { readonly to: string; readonly box?: string } | null {
  if (text.length > MOST_CHARACTERS) return null;
  const { to, box } = parseObject(text) ?? {};
  if (typeof to !== 'string') return null;
  return typeof box === 'string' ? { to, box } : { to };
}

/** The console's end. */
export class RedisAnswerer implements QuestionAnswerer {
  readonly #options: RedisOptions;
  readonly #keys: RedisKeys;
  readonly #answerer: AnswererOptions;
  readonly #held: QuestionKeys;
  readonly #stop = new AbortController();
  #announced = '';
  #connections: Redis[] = [];
  #timer: NodeJS.Timeout | null = null;
  #underWay = 0;
  #isTold = false;

  constructor(options: RedisOptions, keys: RedisKeys, answerer: AnswererOptions) {
    this.#options = options;
    this.#keys = keys;
    this.#answerer = answerer;
    this.#held = new QuestionKeys(answerer.signWith);
  }

  async start(answer: (question: unknown) => Promise<unknown>): Promise<void> {
    const redis = connectRedis(this.#options, () => {});
    const subscriber = connectRedis(this.#options, () => {
      // First the key, then the ears: whoever is heard can have known the key.
      const hear = whenReady(redis, this.#stop.signal).then(async () => {
        await this.#announce(redis);
        await subscriber.subscribe(this.#keys.questions);
      });
      // Where it fails, the connection is lost and comes back.
      hear.catch(() => {});
    });
    subscriber.on('message', (_channel, text) => void this.#take(redis, text, answer));
    this.#connections = [redis, subscriber];
    this.#renew();
    this.#timer = setInterval(() => {
      this.#renew();
      this.#isTold = false;
      // What fails is put there by the next.
      this.#announce(redis).catch(() => {});
    }, KEY_MS);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const redis of this.#connections) redis.disconnect();
  }

  #renew(): void {
    this.#announced = JSON.stringify(this.#held.next(this.#answerer.clock()));
  }

  async #announce(redis: Redis): Promise<void> {
    await redis.set(this.#keys.questionKey, this.#announced);
  }

  async #take(redis: Redis, text: string, answer: (question: unknown) => Promise<unknown>): Promise<void> {
    const sealed = text.length > MOST_CHARACTERS ? null : readSealedQuestion(text);
    const opened = sealed === null ? 'forged' : this.#held.open(sealed);
    if (opened === 'forged' || opened === 'replayed') return this.#refuse(opened);
    if (this.#held.isUsedUp) this.#renew();
    const reply = (box?: string): void => {
      // A gateway that gets no answer says so to whoever asked it.
      redis.publish(this.#keys.answers(sealed!.from), JSON.stringify({ to: sealed!.key, box })).catch(() => {});
    };
    if (opened === 'unknown-key') return reply();
    if (this.#underWay >= MOST_AT_ONCE) return reply(opened.answer.seal({}));
    this.#underWay++;
    const said = await answer(opened.question).then(
      (body) => ({ answer: body }),
      () => ({}),
    );
    this.#underWay--;
    reply(opened.answer.seal(said));
  }

  /** Once a key's time is enough: somebody who meddles does not do it once. */
  #refuse(why: 'forged' | 'replayed'): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const what = why === 'forged' ? 'that no gateway sealed' : 'that had been answered before';
    this.#answerer.onAlarm('question-refused', `A question about a sign-in ${what} was refused. ${WHO}`);
  }
}
