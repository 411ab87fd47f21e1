import type { AccessRecord, IllegalHitRecord } from '../events/access-record.ts';
import { EVENT_VERSIONS, type EventEnvelope } from '../events/catalogue.ts';
import { sealTarget } from '../events/evidence-seal.ts';
import { isSelfTest } from '../identity/identify.ts';
import { isoTime } from '../kernel/clock.ts';
import type { Admission } from './admit.ts';
import type { GatewayContext } from './context.ts';

/** How a request or tunnel went. */
export interface Outcome {
  /** Status sent to the client; 0 when none could be. */
  readonly status: number;
  readonly up: number;
  readonly down: number;
  readonly error?: string | undefined;
  readonly serverName?: string | undefined;
  readonly ech?: boolean | undefined;
}

export const NOTHING_YET: Outcome = { status: 0, up: 0, down: 0 };

/** One admission and its outcome as the line that is kept. A locked target leaves no name behind. */
export function accessRecord(context: GatewayContext, admission: Admission, outcome: Outcome): AccessRecord {
  const { ask, who, decision, match, snapshots } = admission;
  const { locked } = decision;
  return {
    id: admission.id,
    at: isoTime(admission.startedAt),
    gateway: context.gateway,
    worker: context.worker,
    client: ask.client,
    user: who.user,
    identified: who.identified,
    ...(who.account !== undefined && { account: who.account }),
    level: who.level,
    method: ask.method,
    target: locked || ask.target === null ? null : ask.target.text,
    host: locked || ask.target === null ? null : ask.target.host.name,
    verdict: decision.verdict,
    action: decision.action,
    reason: decision.reason,
    step: decision.step,
    category: decision.category,
    categories: match.categories,
    lists: match.lists,
    // The console's own test of a level is on record like any other, and nobody's concern.
    flagged: decision.flagged && !isSelfTest(who.user),
    locked,
    rule: decision.rule,
    policy: snapshots.hash,
    serial: snapshots.serial,
    status: outcome.status,
    up: outcome.up,
    down: outcome.down,
    ms: Math.max(0, context.clock() - admission.startedAt),
    ...(admission.retarget !== null && !locked && { retarget: admission.retarget.name }),
    ...(outcome.serverName !== undefined && !locked && { sni: outcome.serverName }),
    ...(outcome.ech === true && { ech: true }),
    ...(outcome.error !== undefined && { error: outcome.error }),
  };
}

/**
 * Sends word of what an adult should know, before the client gets its answer: resolves when the event would survive kill -9.
 * Null when there is nothing to tell, so that the common path waits for nothing. `id` is the event's: a record that is told
 * of a second time needs another one, because an id takes effect once.
 */
export function announce(
  context: GatewayContext,
  admission: Admission,
  record: AccessRecord,
  id = record.id,
): Promise<void> | null {
  if (record.reason === 'fault') {
    const { gateway, worker } = context;
    const data = { gateway, worker, what: 'deciding failed; the request was refused', record };
    return context.spool.event(envelope(id, 'fault', record, data));
  }
  if (!record.flagged) return null;
  if (record.locked) return context.spool.event(envelope(id, 'illegal.hit', record, illegalHit(admission, record)));
  return context.spool.event(
    envelope(id, record.verdict === 'block' ? 'access.blocked' : 'access.flagged', record, record),
  );
}

/** The target itself is told to nobody; its mark shows which hits were of the same one. */
function illegalHit({ snapshots, serverName, ask }: Admission, record: AccessRecord): IllegalHitRecord {
  const target = serverName?.name ?? ask.target?.text;
  if (snapshots.illegal === null || target === undefined) return record;
  const { evidenceKey } = snapshots;
  const sealed = evidenceKey === null ? {} : { sealed: sealTarget(evidenceKey, target) };
  return { ...record, mark: snapshots.illegal.mark(target), ...sealed };
}

function envelope<T extends 'fault' | 'illegal.hit' | 'access.blocked' | 'access.flagged'>(
  id: string,
  type: T,
  record: AccessRecord,
  data: EventEnvelope<T>['data'],
): EventEnvelope<T> {
  return { id, type, v: EVENT_VERSIONS[type], at: record.at, data };
}

/** The one exit: every request, tunnel and upgrade ends here exactly once. */
export function finish(context: GatewayContext, record: AccessRecord): void {
  context.spool.record(record);
  context.metrics.finished(record);
  if (record.verdict === 'block') context.refusals.add(record);
}
