import { SchoolgateError } from '../kernel/errors.ts';
import { REASONS, STEPS } from '../policy/verdict.ts';
import type { AccessRecord } from './access-record.ts';
import { EVENT_VERSIONS, type EventEnvelope, type EventPayloads, type EventType } from './catalogue.ts';

/** Why an event cannot be taken: `event_unknown` and `event_newer` may be by a later release, `event_malformed` never. */
export class UnreadableEventError extends SchoolgateError {
  constructor(code: 'event_unknown' | 'event_newer' | 'event_malformed', text: string) {
    super(code, 'us', text);
    this.name = 'UnreadableEventError';
  }
}

type Check = (value: unknown) => boolean;
type Shape<T> = { readonly [K in keyof T]-?: Check };
type Fields = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string';
const isTextOrNull: Check = (value) => value === null || typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isDuration: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isInstant: Check = (value) => isText(value) && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value as string);
const isUlid: Check = (value) => isText(value) && /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(value as string);
const oneOf = (...words: readonly string[]): Check => {
  const closed = new Set<unknown>(words);
  return (value) => closed.has(value);
};
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const shaped =
  (fields: Fields): Check =>
  (value) =>
    misfit(fields, value) === null;

const ACCESS_RECORD = {
  id: isUlid,
  at: isInstant,
  gateway: isText,
  worker: isCount,
  client: isText,
  user: isTextOrNull,
  identified: isText,
  account: optional(oneOf('class')),
  level: isText,
  method: isText,
  target: isTextOrNull,
  host: isTextOrNull,
  verdict: oneOf('allow', 'block'),
  action: oneOf('allow', 'monitor', 'warn', 'block'),
  reason: oneOf(...REASONS),
  step: oneOf(...STEPS),
  category: isTextOrNull,
  categories: isTexts,
  lists: isTexts,
  flagged: isBoolean,
  locked: isBoolean,
  rule: isTextOrNull,
  policy: isText,
  serial: isCount,
  status: isCount,
  up: isCount,
  down: isCount,
  ms: isDuration,
  retarget: optional(isText),
  sni: optional(isText),
  ech: optional(isBoolean),
  error: optional(isText),
} satisfies Shape<AccessRecord>;

const PAYLOADS: Readonly<Record<EventType, Fields>> = {
  'access.blocked': ACCESS_RECORD,
  'access.flagged': ACCESS_RECORD,
  'illegal.hit': { ...ACCESS_RECORD, mark: optional(isText), sealed: optional(isText) },
  fault: { gateway: isText, worker: isCount, what: isText, record: shaped(ACCESS_RECORD) },
  alarm: { gateway: isText, code: isText, text: isText },
  'history.gap': { gateway: isText, worker: isCount, from: isInstant, until: isInstant },
  'accounts.active': {
    gateway: isText,
    seen: (value) => Array.isArray(value) && value.every(shaped({ user: isText, address: isText })),
  },
  'account.misplaced': {
    what: oneOf('staff-name-among-pupils', 'account-at-two-places'),
    user: isText,
    addresses: isTexts,
    level: isTextOrNull,
  },
  'devices.active': { gateway: isText, addresses: isTexts },
  'gateway.state': { gateway: isText, workers: isCount, up: isCount, serial: isCount },
} satisfies { readonly [T in EventType]: Shape<EventPayloads[T]> };

const ENVELOPE = {
  id: isUlid,
  type: isText,
  v: isCount,
  at: isInstant,
  data: () => true,
} satisfies Shape<EventEnvelope>;

/**
 * Reads an event as it arrived, strictly: every field there and of its kind, none besides. Throws an UnreadableEventError,
 * on which a consumer parks the text and goes on; nothing is guessed.
 */
export function parseEnvelope(json: string): EventEnvelope {
  const found = parseJson(json);
  const wrong = misfit(ENVELOPE, found);
  if (wrong !== null) throw malformed(wrong);
  const envelope = found as EventEnvelope;
  if (!Object.hasOwn(EVENT_VERSIONS, envelope.type)) {
    throw new UnreadableEventError('event_unknown', `This release knows no event "${envelope.type}".`);
  }
  if (envelope.v !== EVENT_VERSIONS[envelope.type]) throw otherVersion(envelope);
  const wrongData = misfit(PAYLOADS[envelope.type], envelope.data);
  if (wrongData !== null) throw malformed(`data.${wrongData}`);
  return envelope;
}

function otherVersion({ type, v }: EventEnvelope): UnreadableEventError {
  const known = EVENT_VERSIONS[type];
  if (v > known) {
    return new UnreadableEventError(
      'event_newer',
      `An event "${type}" of version ${v} came; this release knows ${known}.`,
    );
  }
  return malformed('v');
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw malformed('JSON');
  }
}

/** The first field that is missing, too many or of the wrong kind; null if there is none. */
function misfit(checks: Fields, value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'object';
  const found = value as Record<string, unknown>;
  for (const [name, check] of Object.entries(checks)) if (!check(found[name])) return name;
  return Object.keys(found).find((name) => !Object.hasOwn(checks, name)) ?? null;
}

function malformed(what: string): UnreadableEventError {
  return new UnreadableEventError('event_malformed', `An event came that is not well-formed (${what}).`);
}
