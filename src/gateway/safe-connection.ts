import type { CanonicalHost } from '../kernel/host.ts';
import { decision as decisionOf } from '../policy/level-outcome.ts';
import { safeAddress, safeSettingFor } from '../policy/safe-search.ts';
import type { CompiledLevel } from '../policy/snapshot.ts';
import type { Decision } from '../policy/verdict.ts';
import type { Snapshots } from './snapshots.ts';

/** What a connection is for, and where it really goes. */
export interface Connected {
  readonly host: CanonicalHost;
  readonly retarget: CanonicalHost | null;
}

/** The safe address that a level's allowed request is connected to instead of its host; null: to the host itself, or nowhere. */
export function retargetOf(
  snapshots: Snapshots,
  level: string,
  host: CanonicalHost,
  { verdict }: Decision,
): CanonicalHost | null {
  return verdict === 'allow' ? safeAddress(levelOf(snapshots, level), host.name) : null;
}

/**
 * The decision on a name that a connection carries, once it is known where the connection goes: a name that is bound to a safe
 * address is refused on a connection to anything else, whichever way that came about (another name in the CONNECT, a literal
 * address, a policy that changed while it was open).
 */
export function safelyConnected(
  snapshots: Snapshots,
  level: string,
  host: CanonicalHost,
  decision: Decision,
  to: Connected,
): Decision {
  const needed = retargetOf(snapshots, level, host, decision);
  if (needed === null || needed.name === (to.retarget ?? to.host).name) return decision;
  const rule = safeSettingFor(levelOf(snapshots, level), host.name)?.rule ?? null;
  return decisionOf('block', 'protocol', 'target', { rule });
}

// Whoever gets here was decided on at this level, so there is one. Where services are connected to is the same at all times.
function levelOf(snapshots: Snapshots, level: string): CompiledLevel {
  return snapshots.policy.snapshot.levels[level]!;
}
