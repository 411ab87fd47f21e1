// environment ─► every check, all at once ─► findings in the order that a person would look
import { dataLayout } from '../../config/data-layout.ts';
import type { Environment } from '../../config/environment.ts';
import type { Clock } from '../../kernel/clock.ts';
import * as content from './content.ts';
import { type Check, type NamedFinding, lookAt } from './finding.ts';
import * as machine from './machine.ts';
import * as reach from './reach.ts';

/** Looks at everything that a school's filter needs. Changes nothing, and works with Schoolgate running or stopped. `leftOut`: checks by name. */
export async function examine(
  environment: Environment,
  clock: Clock,
  leftOut: readonly string[] = [],
): Promise<NamedFinding[]> {
  const checks = checksOf(environment, clock).filter(({ name }) => !leftOut.includes(name));
  return await Promise.all(checks.map(lookAt));
}

function checksOf(environment: Environment, clock: Clock): readonly Check[] {
  const layout = dataLayout(environment.dataDir);
  const { backupDir, dataDir, upstreamProxy, redisUrl, tls } = environment;
  const checks: (Check | null)[] = [
    { name: 'node', look: () => machine.nodeVersion(process.version) },
    { name: 'open files', look: () => machine.openFiles(machine.readLimits()) },
    { name: 'disk', look: () => machine.freeSpace(dataDir) },
    { name: 'clock', look: () => machine.clockFinding(clock(), machine.latestKnown(layout)) },
    { name: 'ports', look: () => reach.portsFinding(environment, layout) },
    tls && { name: 'certificate', look: () => machine.certificate(tls, clock()) },
    { name: 'policy', look: () => content.policyFinding(environment, layout) },
    { name: 'lists', look: () => content.listsFinding(environment, layout, clock()) },
    { name: 'illegal content', look: () => content.illegalFinding(environment, layout) },
    { name: 'canary', look: () => content.canaryFinding(layout, clock()) },
    upstreamProxy === null
      ? { name: 'names', look: () => reach.namesFinding(environment) }
      : { name: 'parent proxy', look: () => reach.parentFinding(upstreamProxy) },
    redisUrl && { name: 'redis', look: () => reach.redisFinding(redisUrl, clock) },
    { name: 'mail', look: () => reach.mailFinding(environment, layout) },
    { name: 'audit', look: () => content.auditFinding(layout) },
    { name: 'retention', look: () => content.retentionFinding(layout, clock()) },
    { name: 'backup', look: () => content.backupFinding(layout, backupDir, clock()) },
  ];
  return checks.filter((check) => check !== null);
}
