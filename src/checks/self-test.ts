import type { CheckResult } from './model.ts';

/** One thing that is tried at a level, through the proxy. */
export interface Sample {
  /** In words, such as `Gambling`. */
  readonly what: string;
  readonly host: string;
  /** `safe`: open, and connected to at `safeHost`. */
  readonly expects: 'refused' | 'open' | 'safe';
  readonly safeHost?: string;
}

/** What the rules say of a sample before it is tried: a sample that they open is not tried, so nothing of it is fetched. */
export interface Foreseen {
  readonly verdict: 'allow' | 'block';
  /** As `verdict.reason`. */
  readonly reason: string;
  /** Where the deciding rule stands; null: none decided. */
  readonly rule: string | null;
}

/** What the proxy answered to a CONNECT. */
export interface ProxyAnswer {
  readonly status: number;
  /** `error` of its Proxy-Status field (RFC 9209 §2.1.1); empty: none. */
  readonly error: string;
  /** `next-hop` of that field (§2.1.2); null: it says none. */
  readonly nextHop: string | null;
}

/** What became of a sample. */
export interface TriedSample {
  readonly what: string;
  readonly host: string;
  readonly result: CheckResult;
  readonly why: string;
}

/** Reasons by which somebody has opened or closed it on purpose; then the sample says nothing of the lists. */
const ON_PURPOSE = new Set(['unblock', 'group', 'allow-list', 'lesson', 'person']);
const CLOSED_NOW = new Set(['schedule', 'lesson', 'limit']);

/** What can be said without trying; null: it is to be tried. */
export function judgeForeseen(
  { what, host, expects }: Sample,
  { verdict, reason, rule }: Foreseen,
): TriedSample | null {
  const by = rule === null ? '' : ` (${rule})`;
  const tried = (result: CheckResult, why: string): TriedSample => ({ what, host, result, why });
  if (expects === 'refused') {
    if (verdict === 'block') return null;
    if (ON_PURPOSE.has(reason)) return tried('not-tried', `Somebody has opened it on purpose${by}.`);
    return tried('failed', `The rules let it through: it is on no list of this kind that is loaded${by}.`);
  }
  if (verdict === 'allow') return null;
  if (CLOSED_NOW.has(reason)) return tried('not-tried', `The web is closed for this level now${by}.`);
  return tried('failed', `The rules refuse it${by}.`);
}

/** What the proxy's answer says of a sample. `answer` null: nothing answered. */
export function judgeAnswer(sample: Sample, answer: ProxyAnswer | null): TriedSample {
  const { what, host, expects } = sample;
  const tried = (result: CheckResult, why: string): TriedSample => ({ what, host, result, why });
  if (answer === null) return tried('not-tried', 'No proxy answers on this machine.');
  const { status, error, nextHop } = answer;
  const isRefused = status === 403;
  // Whoever could not be reached was let through: a filter that is broken is found out also while the internet is away.
  const isUnreached = status === 502 || status === 504;
  if (!isRefused && !isUnreached && status !== 200)
    return tried('not-tried', `The proxy answered ${status}${error === '' ? '' : `, ${error}`}.`);
  if (expects === 'refused') {
    if (isRefused) return tried('passed', 'Refused.');
    return tried('failed', isUnreached ? 'Let through, though nothing answered there.' : 'Let through.');
  }
  if (isRefused) return tried('failed', 'Refused, and it should be open.');
  if (isUnreached)
    return tried('not-tried', 'Let through, and nothing answered there: the internet or the site may be away.');
  if (expects === 'open') return tried('passed', 'Open.');
  if (nextHop === sample.safeHost) return tried('passed', `Connected to ${nextHop}.`);
  return tried('failed', `Open, and not connected to ${sample.safeHost}.`);
}

/** Of all of them together: one failure is a failure, and where nothing could be tried nothing is known. */
export function resultOf(tried: readonly Pick<TriedSample, 'result'>[]): CheckResult {
  if (tried.some(({ result }) => result === 'failed')) return 'failed';
  return tried.some(({ result }) => result === 'passed') ? 'passed' : 'not-tried';
}
