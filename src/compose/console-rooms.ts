import type { AuditPages } from '../audit/pages-service.ts';
import type { AuditPeople } from '../audit/routes.ts';
import type { Backups } from '../backup/service.ts';
import type { IndexSnapshot } from '../categories/index-snapshot.ts';
import type { Lists } from '../categories/service.ts';
import type { Environment } from '../config/environment.ts';
import type { SnapshotPublisher } from '../events/bus.ts';
import { loadOrCreateKeys, signSnapshot } from '../events/signing.ts';
import { type Evidence, evidencePublicKey } from '../evidence/service.ts';
import {
  type DeviceSessions,
  createDeviceSessions,
  renewalsSince,
  standingDevices,
} from '../identity/device-service.ts';
import { type Agreements, createAgreements } from '../identity/agreements/service.ts';
import { createAccountWatch } from '../identity/watch-accounts.ts';
import { type Vouchers, createVouchers } from '../identity/voucher-service.ts';
import {
  type Directory,
  createDirectory,
  directorySnapshot,
  suspensionsInForce,
} from '../identity/directory/service.ts';
import { keepDirectory } from '../identity/past-service.ts';
import { createPasswords } from '../identity/passwords.ts';
import { createSecretBox, loadOrCreateSecondFactorKey } from '../identity/staff/secret-box.ts';
import { createIdMaker } from '../kernel/ids.ts';
import type { LiveSnapshot } from '../policy/snapshot.ts';
import { createConsoleAudit } from './console-audit.ts';
import { createConsoleBackups } from './console-backups.ts';
import { auditPeople } from './audit-people.ts';
import { createConsoleConcerns, createConsoleWatch } from './console-concerns.ts';
import { createConsoleInvestigations } from './console-history.ts';
import type { Investigations } from '../history/service.ts';
import { type ConsoleAccounts, createConsoleAccounts } from './console-accounts.ts';
import { type ConsoleAlerts, createConsoleAlerts } from './console-alerts.ts';
import { type ConsoleChecks, createConsoleChecks } from './console-checks.ts';
import { type ConsoleIncidents, createConsoleIncidents } from './console-incidents.ts';
import { createConsoleEvidence } from './console-evidence.ts';
import type { ConsoleRecord } from './console-record.ts';
import { type ConsoleReports, createConsoleReports } from './console-reports.ts';
import { createConsoleLessons } from './console-lessons.ts';
import { createConsoleLists } from './console-lists.ts';
import { type ConsoleMail, createConsoleMail } from './console-mail.ts';
import { createConsolePolicy } from './console-policy.ts';
import { type ConsoleRetention, createConsoleRetention } from './console-retention.ts';
import { type ConsoleUnblocks, createConsoleUnblocks } from './console-unblocks.ts';
import { type HistoryUpkeep, historyUpkeep } from './convert-apart.ts';
import { createKnownDirectory } from './known-directory.ts';
import { createKnownSchool } from './known-school.ts';
import { createOpenIndex } from './listed-sites.ts';
import type { School } from '../lessons/reach.ts';
import { type Lessons, teacherLessons } from '../lessons/service.ts';
import { isForPupils } from '../policy/diff-people.ts';
import type { Drafts } from '../policy/draft-service.ts';
import { type PolicyService, policySnapshot } from '../policy/service.ts';
import { type Publishing, type PublishingOptions, type SentSnapshot, createPublishing } from '../publishing/service.ts';
import type { Concerns } from '../safeguarding/concerns/service.ts';
import { type Safeguarding, createSafeguarding } from '../safeguarding/service.ts';
import type { ReadTx } from '../store/database.ts';
import type { Logger } from '../telemetry/log.ts';
import { liveSnapshot } from '../unblock/service.ts';

/** Where a school lies before its policy has said so. */
export const DEFAULT_ZONE = 'Europe/London';

/** Every room of the control plane. */
export interface ConsoleRooms
  extends
    ConsoleRecord,
    ConsoleAccounts,
    ConsoleAlerts,
    ConsoleChecks,
    ConsoleIncidents,
    ConsoleReports,
    ConsoleRetention,
    ConsoleMail,
    ConsoleUnblocks {
  readonly auditPages: AuditPages;
  readonly auditPeople: AuditPeople;
  readonly agreements: Agreements;
  readonly directory: Directory;
  readonly devices: DeviceSessions;
  readonly vouchers: Vouchers;
  readonly publishing: Publishing;
  readonly policy: PolicyService;
  readonly drafts: Drafts;
  /** The school's pupils and classes. */
  readonly knownSchool: () => School;
  readonly lessons: Lessons;
  readonly safeguarding: Safeguarding;
  readonly concerns: Concerns;
  readonly listUpdates: Lists;
  readonly evidence: Evidence;
  readonly backups: Backups;
  readonly investigations: Investigations;
  readonly historyUpkeep: HistoryUpkeep;
}

export interface RoomsOptions extends ConsoleRecord {
  readonly environment: Environment;
  readonly publisher: SnapshotPublisher;
  /** The index to be sent; null before the first. */
  readonly index: () => IndexSnapshot | null;
  /** Builds the index where lists have changed; tells of what an adult should know, and gives it. */
  readonly rebuild: () => Promise<readonly string[]>;
  readonly log: Logger;
}

/** Plain constructor calls, each room with the ones it stands on. Starts nothing. */
export function buildRooms({ environment, publisher, index, rebuild, log, ...base }: RoomsOptions): ConsoleRooms {
  const { layout, record, audit, clock } = base;
  const newId = createIdMaker(clock);
  const passwords = createPasswords();
  const keys = loadOrCreateKeys(layout);
  const publishing = createPublishing({
    record,
    sources: { policy: policySnapshot, people: directorySnapshot, live: wholeLive, index },
    sign: (unsigned) => signSnapshot(keys.privateKey, unsigned),
    publisher,
    clock,
    onSent: keepSent,
    onFailure: (error) => log.warn({ err: error }, 'the bus did not take a snapshot; it is tried again'),
  });
  const people = createKnownDirectory(record, publishing);
  const inForce = (): ReturnType<typeof policySnapshot> => policy.published()?.snapshot ?? null;
  const safeguarding = createSafeguarding({
    record,
    clock,
    newId,
    timeZone: () => policy.published()?.snapshot.timeZone ?? DEFAULT_ZONE,
    concerns: createConsoleWatch({ audit, newId, policy: inForce }),
    devicesActive: (tx, addresses, at) => devices.seen(tx, addresses, at),
    accountsActive: (tx, seen, at) => watch.used(tx, seen, at),
  });
  // Early: other rooms mail people by it.
  const telling = createConsoleAlerts({
    ...base,
    environment,
    policy: inForce,
    defaultZone: DEFAULT_ZONE,
    raise: (code, text) => safeguarding.raise(code, text),
    log,
  });
  const mail = createConsoleMail({
    ...base,
    peopleMail: telling.peopleMail,
    policy: inForce,
    defaultZone: DEFAULT_ZONE,
  });
  const watch = createAccountWatch({
    policy: inForce,
    isForPupils: (level) => isForPupils(inForce()!, level),
    raise: (tx, event) => safeguarding.own(tx, 'account.misplaced', event),
  });
  const identities = createConsoleAccounts({
    ...base,
    newId,
    passwords,
    secrets: createSecretBox(loadOrCreateSecondFactorKey(layout.secondFactorKey)),
    publishing,
    mail: telling.peopleMail,
    policy: inForce,
    watch,
  });
  const { accounts, sessions } = identities;
  const { policy, drafts } = createConsolePolicy(environment, {
    ...base,
    publishing,
    accounts,
    newId,
    people,
    policyMail: mail.policyMail,
    raise: (code, text) => safeguarding.raise(code, text),
  });
  const directory = createDirectory({
    record,
    audit,
    publishing,
    passwords,
    clock,
    newId,
    timeZone: () => inForce()?.timeZone ?? DEFAULT_ZONE,
    policy: inForce,
    onPasswords: () => accounts.forgetWrong(),
    endSessionsOf: (personId, why) => devices.endOf(personId, why),
  });
  const school = createKnownSchool({ people, publishing, directory, policy });
  const openIndex = createOpenIndex(layout);
  const known = { ...base, publishing, accounts, policy, drafts, newId, school, openIndex };
  const lessons = createConsoleLessons({ ...known, live: wholeLive });
  const asking = createConsoleUnblocks({ ...known, ...mail });
  const agreements = createAgreements({
    record,
    audit,
    publishing,
    clock,
    policy: inForce,
    members: () => directory.members(),
  });
  const devices = createDeviceSessions({
    record,
    audit,
    passwords,
    clock,
    publishing,
    policy: inForce,
    onPasswords: () => accounts.forgetWrong(),
    agreements,
    watch,
  });
  const listUpdates = createConsoleLists(environment, {
    ...base,
    rebuild,
    raise: (code, text) => safeguarding.raise(code, text),
  });
  const vouchers = createVouchers({ record, audit, clock, newId, devices });
  const concerns = createConsoleConcerns({ ...telling, record, audit, clock, newId, policy: inForce });
  const evidence = createConsoleEvidence({
    ...base,
    listsDir: environment.listsDir,
    publishing,
    accounts,
    sessions,
    rebuild,
  });
  const backups = createConsoleBackups(environment, {
    ...base,
    log,
    raise: (code, text) => safeguarding.raise(code, text),
  });
  const upkeep = historyUpkeep(layout.history, clock, log);
  const named = auditPeople({ record, directory, accounts, publishing });
  return {
    ...base,
    ...createConsoleRetention({
      ...known,
      policy: inForce,
      alone: (work) => upkeep.alone(work),
      timeZone: () => inForce()?.timeZone ?? DEFAULT_ZONE,
      raise: (code, text) => safeguarding.raise(code, text),
    }),
    historyUpkeep: upkeep,
    ...createConsoleReports({
      ...base,
      listsDir: environment.listsDir,
      policy: inForce,
      defaultZone: DEFAULT_ZONE,
      peopleMail: telling.peopleMail,
      auditPeople: named,
    }),
    ...createConsoleChecks({
      ...known,
      ...telling,
      environment,
      policy: inForce,
      defaultZone: DEFAULT_ZONE,
      people,
      live: wholeLive,
      raise: (code, text) => safeguarding.raise(code, text),
    }),
    backups,
    investigations: createConsoleInvestigations({ ...base, folder: layout.history, policy: inForce }),
    listUpdates,
    ...identities,
    auditPages: createConsoleAudit({ record, audit, clock }),
    auditPeople: named,
    agreements,
    directory,
    devices,
    vouchers,
    publishing,
    policy,
    drafts,
    ...asking,
    knownSchool: school,
    lessons,
    safeguarding,
    concerns,
    evidence,
    ...telling,
    ...createConsoleIncidents({
      ...known,
      ...telling,
      policy: inForce,
      defaultZone: DEFAULT_ZONE,
      directory,
      concerns,
    }),
    ...mail,
  };
}

/** Longer than a gateway takes credentials as they were (`VERIFIED_MS`), by the time they travel, ms. */
const RENEWALS_MS = 20 * 60_000;

/** Keeps what checks of the past need. Policies are kept where they are published, and what is live stands in the record. */
export const keepSent: PublishingOptions['onSent'] = (tx, kind, sent) => {
  if (kind === 'people') keepDirectory(tx, sent as SentSnapshot<'people'>);
};

/** What changes by the minute, from every room that has a part in it. */
export function wholeLive(tx: ReadTx, now: number): LiveSnapshot {
  const evidenceKey = evidencePublicKey(tx);
  const sessions = standingDevices(tx, now);
  const suspensions = suspensionsInForce(tx, now);
  const renewals = renewalsSince(tx, now - RENEWALS_MS);
  const lessons = teacherLessons(tx, now);
  const sealing = evidenceKey === null ? {} : { evidenceKey };
  return { ...liveSnapshot(tx, now), sessions, suspensions, renewals, lessons, ...sealing };
}
