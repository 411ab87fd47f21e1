// every level of the policy ── samples ──► what do the rules say? ──► the real proxy, as that level ──► log of checks
import type { Audit } from '../audit/service.ts';
import { readFindings } from '../categories/canary-findings.ts';
import { readManifest } from '../categories/current-index.ts';
import { OPEN_SAMPLES, REFUSED_SAMPLES, SEARCH_SAMPLE } from '../checks/samples.ts';
import { type Foreseen, type Sample, type TriedSample, judgeAnswer, judgeForeseen } from '../checks/self-test.ts';
import { type Checks, type LevelFound, createChecks } from '../checks/service.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { PeopleMail } from '../delivery/people-mail-service.ts';
import { may } from '../identity/permissions.ts';
import { findFullName, staffPeople } from '../identity/service.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { safeAddress } from '../policy/safe-search.ts';
import type { CompiledLevel, PolicySnapshot } from '../policy/snapshot.ts';
import type { Tx } from '../store/database.ts';
import { type SiteCheck, type SiteCheckOptions, createSiteCheck, prepareSiteCheck } from './console-check.ts';
import { judgeCanaries } from './doctor/content.ts';
import { type ProxyPlace, type SelfTestLogins, askProxy, createSelfTestLogins } from './self-test-proxy.ts';

export interface ConsoleChecks {
  readonly siteCheck: SiteCheck;
  readonly checks: Checks;
  /** For whoever answers gateways. */
  readonly selfTestLogins: SelfTestLogins;
  /** The proxy's port, where any free one was asked for. */
  readonly setProxyPort: (port: number) => void;
}

export interface ConsoleChecksOptions extends SiteCheckOptions {
  readonly audit: Audit;
  readonly newId: IdMaker;
  readonly layout: DataLayout;
  readonly environment: { readonly proxyHost: string; readonly proxyPort: number };
  readonly defaultZone: string;
  readonly peopleMail: PeopleMail;
  readonly raise: (code: 'self-test-failed' | 'check-overdue', text: string) => void;
}

/** What the filter would answer, and what it does answer. */
export function createConsoleChecks(options: ConsoleChecksOptions): ConsoleChecks {
  const { environment, policy, defaultZone, clock } = options;
  let port = environment.proxyPort === 0 ? null : environment.proxyPort;
  const logins = createSelfTestLogins(clock);
  const place: ProxyPlace = { host: environment.proxyHost, port: () => port };
  const checks = createChecks({
    ...options,
    timeZone: () => policy()?.timeZone ?? defaultZone,
    levels: () => Object.keys(policy()?.levels ?? {}),
    everyDays: () => policy()?.checks?.everyDays ?? null,
    fullNameOf: findFullName,
    tryAll: () => tryAll(options, place, logins),
    tell: (tx, about, subject, text) => tell(options, tx, about, subject, text),
  });
  return {
    siteCheck: createSiteCheck(options),
    checks,
    selfTestLogins: logins,
    setProxyPort: (found) => void (port = found),
  };
}

/** Whoever may start a self-test can see to what it finds. */
function tell({ peopleMail, clock }: ConsoleChecksOptions, tx: Tx, about: string, subject: string, text: string): void {
  const where = peopleMail.where('/checks', 'under Filter, Checks');
  const content = { subject, text: [text, '', 'The log of checks:', where, ''].join('\n') };
  for (const person of staffPeople(tx, clock())) {
    const isTold = person.roles.some((role) => role === 'network-manager' || role === 'safeguarding-lead');
    if (isTold && may(person.roles, 'checks.record')) peopleMail.queue(tx, person, about, content);
  }
}

async function tryAll(
  options: ConsoleChecksOptions,
  place: ProxyPlace,
  logins: SelfTestLogins,
): Promise<readonly LevelFound[]> {
  const { policy, layout, clock } = options;
  const [rules, check] = [policy(), await prepareSiteCheck(options)];
  const canaries = { level: null, samples: canarySamples(layout, clock()) };
  if (rules === null || check === null) return [canaries];
  const found: LevelFound[] = [];
  // One level after the other: a school's gateway has something else to do.
  for (const level of Object.keys(rules.levels)) {
    const foresee = (host: string): Foreseen => check({ url: host, level }, clock()).verdict;
    found.push({ level, samples: await tryLevel(level, samplesOf(rules, level, foresee), foresee, place, logins) });
  }
  return [...found, canaries];
}

async function tryLevel(
  level: string,
  samples: readonly Sample[],
  foresee: (host: string) => Foreseen,
  place: ProxyPlace,
  logins: SelfTestLogins,
): Promise<readonly TriedSample[]> {
  const login = logins.open(level);
  try {
    return await Promise.all(
      samples.map(
        async (sample) =>
          judgeForeseen(sample, foresee(sample.host)) ??
          judgeAnswer(sample, await askProxy(place, sample.host, login.authorization)),
      ),
    );
  } finally {
    login.close();
  }
}

/** What is to be tried at a level: what it refuses, what all must reach, and a search engine where it may search. */
function samplesOf(rules: PolicySnapshot, id: string, foresee: (host: string) => Foreseen): readonly Sample[] {
  const level = rules.levels[id]!;
  const { refused = {}, open = [] } = rules.checks ?? {};
  const own = Object.entries(refused).map(([category, host]) => ({ category, host }));
  // What a school names for a category stands in place of ours.
  const ours = REFUSED_SAMPLES.filter(({ category }) => refused[category] === undefined);
  const safe = safeAddress(level, SEARCH_SAMPLE)?.name;
  return [
    ...[...ours, ...own]
      .filter(({ category }) => isRefused(level, category))
      .map(({ category, host }): Sample => ({
        what: rules.categories[category]?.title ?? category,
        host,
        expects: 'refused',
      })),
    ...[...new Set([...OPEN_SAMPLES, ...open])].map((host): Sample => ({
      what: 'Help and schoolwork',
      host,
      expects: 'open',
    })),
    ...(safe !== undefined && foresee(SEARCH_SAMPLE).verdict === 'allow'
      ? [{ what: 'SafeSearch', host: SEARCH_SAMPLE, expects: 'safe', safeHost: safe } as const]
      : []),
  ];
}

function isRefused({ categories }: CompiledLevel, category: string): boolean {
  const action = categories[category]?.action;
  return action === 'block' || action === 'warn';
}

/** The canary of each list of illegal content, as the gateway of this machine asked for it: that holds for every level. */
function canarySamples(layout: DataLayout, now: number): readonly TriedSample[] {
  const lists = readManifest(layout)?.illegal?.lists.map(({ id }) => id) ?? [];
  const findings = readFindings(layout);
  if (lists.length === 0) {
    return [{ what: 'Canary', host: '', result: 'not-tried', why: 'No list of illegal content is loaded.' }];
  }
  return lists.map((id) => {
    const { status, text } = judgeCanaries([id], findings, now);
    const result = status === 'ok' ? 'passed' : status === 'failed' ? 'failed' : 'not-tried';
    return { what: `Canary of list ${id}`, host: '', result, why: text };
  });
}
