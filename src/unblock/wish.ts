import { readSite } from '../categories/typed-site.ts';
import { type FieldProblem, InvalidFieldsError, SchoolgateError, wrongField } from '../kernel/errors.ts';
import { isWithin } from '../kernel/host.ts';
import { type KnownPolicy, plainText } from './terms.ts';
import { parseObject } from '../kernel/json.ts';

/** `open`: a site is needed, by a pupil or by staff; `close`: a site should be blocked. */
export type WishKind = 'open' | 'close';

/** What somebody would like. It opens and closes nothing: whoever answers makes a request, or a change of the policy, of their own. */
export interface Wish {
  readonly id: string;
  readonly kind: WishKind;
  readonly state: 'waiting' | 'passed-on' | 'taken-up' | 'refused';
  /** Canonical hosts. */
  readonly hosts: readonly string[];
  readonly reason: string;
  /** Person's id and user name; ms since the epoch. */
  readonly asked: { readonly by: string; readonly userName: string; readonly at: number };
  readonly answered: { readonly by: string; readonly at: number } | null;
  /** What whoever asked is told; empty: nothing. */
  readonly word: string;
  /** The request that it became. */
  readonly unblockId: string | null;
  /** The draft of a policy that it became. */
  readonly draftId: string | null;
}

/** Where it stands at an instant: one that nobody has answered for long has `lapsed`. */
export type WishState = Wish['state'] | 'lapsed';

export type WishAnswer = 'pass-on' | 'take-up' | 'refuse';

/** Every legal answer to what waits: to which kind, and what comes of it. */
export const ANSWERS: Readonly<
  Record<WishAnswer, { readonly kinds: readonly WishKind[]; readonly to: Wish['state'] }>
> = {
  'pass-on': { kinds: ['open'], to: 'passed-on' },
  'take-up': { kinds: ['close'], to: 'taken-up' },
  refuse: { kinds: ['open', 'close'], to: 'refused' },
};

/** Two weeks: what a lesson needed then, it needs no more. */
const LAPSES_MS = 14 * 86_400_000;

export function wishState({ state, asked }: Wish, now: number): WishState {
  return state === 'waiting' && now - asked.at >= LAPSES_MS ? 'lapsed' : state;
}

/** What a wish became. */
export type BecameOf = Partial<Pick<Wish, 'unblockId' | 'draftId'>>;

/** The wish once answered. Throws a SchoolgateError (`wish_answered`), or an InvalidFieldsError where a refusal says nothing. */
export function answerWish(
  wish: Wish,
  answer: WishAnswer,
  act: { readonly by: string; readonly at: number },
  word: string,
  became: BecameOf = {},
): Wish {
  const { kinds, to } = ANSWERS[answer];
  const state = wishState(wish, act.at);
  if (state !== 'waiting' || !kinds.includes(wish.kind)) {
    throw new SchoolgateError(
      'wish_answered',
      'client',
      `This is ${STATE_WORDS[state]}, so there is nothing to answer.`,
    );
  }
  const said = plainText(word);
  if (answer === 'refuse' && said === '') throw wrongField(`word-${wish.id}`, 'Say why, in a word to whoever asked.');
  if (said.length > MAX_TEXT) throw wrongField(`word-${wish.id}`, `Say it in at most ${MAX_TEXT} characters.`);
  return { ...wish, state: to, answered: act, word: said, ...became };
}

const STATE_WORDS: Readonly<Record<WishState, string>> = {
  waiting: 'answered otherwise',
  'passed-on': 'passed on already',
  'taken-up': 'taken up already',
  refused: 'refused already',
  lapsed: 'older than two weeks',
};

const MAX_TEXT = 300;
const MAX_SITES = 10;

/** What a form brings; sites are parted by lines or commas. */
export interface TypedWish {
  readonly kind: WishKind;
  readonly sites: string;
  readonly reason: string;
}

/** Throws an InvalidFieldsError with every field that is wrong. */
export function readWish({ kind, sites, reason }: TypedWish, policy: Pick<KnownPolicy, 'never'>) {
  const problems: FieldProblem[] = [];
  const say = (field: string, words: string): void => void problems.push({ field, reason: words });
  const parts = sites.split(/[\n,]/).flatMap((part) => part.trim() || []);
  if (parts.length === 0) say('sites', 'Give at least one site.');
  if (parts.length > MAX_SITES) say('sites', `Give at most ${MAX_SITES} sites at a time.`);
  const hosts = parts.slice(0, MAX_SITES).map(readSite);
  for (const host of hosts) {
    if (typeof host !== 'string') say('sites', host.reason);
    else if (kind === 'open' && policy.never.some((entry) => entry.path === null && isWithin(host, entry.host))) {
      say('sites', `The school keeps “${host}” closed for everybody.`);
    }
  }
  const text = plainText(reason);
  if (text === '') say('reason', kind === 'open' ? 'Say what you need it for.' : 'Say why it should be blocked.');
  if (text.length > MAX_TEXT) say('reason', `Say it in at most ${MAX_TEXT} characters.`);
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return { kind, hosts: [...new Set(hosts.filter((host) => typeof host === 'string'))], reason: text };
}

/** What somebody at a device asks. Plain data, as it travels. */
export type WishAsk = { readonly act: 'see' } | ({ readonly act: 'make'; readonly key: string } & TypedWish);

/** Null: it is none. Anybody who reaches the bus can put a question. */
export function readWishAsk(json: string): WishAsk | null {
  const ask = parseObject(json);
  if (ask === null) return null;
  const { act, kind, sites, reason, key } = ask;
  if (act === 'see') return { act };
  const isText = [sites, reason, key].every((one) => typeof one === 'string' && one.length <= 5000);
  if (act !== 'make' || (kind !== 'open' && kind !== 'close') || !isText) return null;
  return { act, kind, sites: sites as string, reason: reason as string, key: key as string };
}

/** What somebody at a device is told of what they asked. */
export interface OwnWish {
  readonly kind: WishKind;
  readonly hosts: readonly string[];
  /** Ms since the epoch. */
  readonly at: number;
  /** In words. */
  readonly state: string;
  readonly word: string;
}

export interface WishView {
  readonly fullName: string;
  /** Whom it goes to. */
  readonly isPupil: boolean;
  readonly wishes: readonly OwnWish[];
}

export type DeskWishAnswer =
  | { readonly state: 'done'; readonly view: WishView }
  | { readonly state: 'wrong'; readonly view: WishView; readonly fields: readonly FieldProblem[] }
  | { readonly state: 'nobody' }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'no-answer' };
