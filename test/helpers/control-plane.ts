import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Actor } from '../../src/audit/entry.ts';
import { newestRows } from '../../src/audit/repository.ts';
import type { AuditPages } from '../../src/audit/pages-service.ts';
import type { AuditPeople } from '../../src/audit/routes.ts';
import { type Audit, createAudit, verifyChain } from '../../src/audit/service.ts';
import { type Backups, createBackups } from '../../src/backup/service.ts';
import { auditPeople } from '../../src/compose/audit-people.ts';
import { createConsoleAudit } from '../../src/compose/console-audit.ts';
import { createConsoleConcerns, createConsoleWatch } from '../../src/compose/console-concerns.ts';
import { type ConsoleAccounts, createConsoleAccounts } from '../../src/compose/console-accounts.ts';
import { type ConsoleAlerts, createConsoleAlerts } from '../../src/compose/console-alerts.ts';
import { type ConsoleChecks, createConsoleChecks } from '../../src/compose/console-checks.ts';
import { type ConsoleIncidents, createConsoleIncidents } from '../../src/compose/console-incidents.ts';
import { createConsoleEvidence } from '../../src/compose/console-evidence.ts';
import { createConsoleReports } from '../../src/compose/console-reports.ts';
import type { KeptReports } from '../../src/reports/kept-service.ts';
import { createConsoleInvestigations } from '../../src/compose/console-history.ts';
import { createConsoleLessons } from '../../src/compose/console-lessons.ts';
import { type ConsoleMail, createConsoleMail } from '../../src/compose/console-mail.ts';
import { type ConsoleRetention, createConsoleRetention } from '../../src/compose/console-retention.ts';
import { type ConsoleUnblocks, createConsoleUnblocks } from '../../src/compose/console-unblocks.ts';
import { createKnownDirectory } from '../../src/compose/known-directory.ts';
import { createKnownSchool } from '../../src/compose/known-school.ts';
import { createOpenIndex } from '../../src/compose/listed-sites.ts';
import { keepSent, wholeLive } from '../../src/compose/console-rooms.ts';
import { dataLayout } from '../../src/config/data-layout.ts';
import type { Evidence } from '../../src/evidence/service.ts';
import type { SignedSnapshot, SnapshotKind } from '../../src/events/bus.ts';
import type { AlarmCode } from '../../src/events/catalogue.ts';
import { signSnapshot } from '../../src/events/signing.ts';
import type { Investigations } from '../../src/history/service.ts';
import { type Agreements, createAgreements } from '../../src/identity/agreements/service.ts';
import type { DirectorySnapshot } from '../../src/identity/directory-snapshot.ts';
import { type Directory, createDirectory, directorySnapshot } from '../../src/identity/directory/service.ts';
import type { Role } from '../../src/identity/roles.ts';
import { createPasswords } from '../../src/identity/passwords.ts';
import { may } from '../../src/identity/permissions.ts';
import { insertPerson, storePassword } from '../../src/identity/repository.ts';
import { storeRoles } from '../../src/identity/staff/repository.ts';
import { type DeviceSessions, createDeviceSessions } from '../../src/identity/device-service.ts';
import { createAccountWatch } from '../../src/identity/watch-accounts.ts';
import { type Vouchers, createVouchers } from '../../src/identity/voucher-service.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import type { School } from '../../src/lessons/reach.ts';
import type { Lessons } from '../../src/lessons/service.ts';
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import type { Problem } from '../../src/kernel/errors.ts';
import { isForPupils } from '../../src/policy/diff-people.ts';
import { type Drafts, createDrafts } from '../../src/policy/draft-service.ts';
import type { ExaminedPolicy } from '../../src/policy/load.ts';
import { type PolicyService, type ReadFiles, createPolicyService, policySnapshot } from '../../src/policy/service.ts';
import type { LiveSnapshot, PolicySnapshot } from '../../src/policy/snapshot.ts';
import { type PolicyTexts, sameTexts } from '../../src/policy/texts.ts';
import { createVersions } from '../../src/policy/version-service.ts';
import { type Publishing, createPublishing } from '../../src/publishing/service.ts';
import type { Concerns } from '../../src/safeguarding/concerns/service.ts';
import { type Safeguarding, createSafeguarding } from '../../src/safeguarding/service.ts';
import { type RecordDatabase, openRecord } from '../../src/store/database.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { APP_SECRETS, addApp } from './authenticator.ts';
import { testPolicy } from './test-policy.ts';

export { agreementPolicy, testPolicy } from './test-policy.ts';

export const AUDIT_KEY = Buffer.alloc(32, 7);
/** Monday 23 November 2026, 09:00 in London. */
export const START = Date.UTC(2026, 10, 23, 9);

/** A clock that stands until the test moves it. */
export interface ManualClock {
  (): number;
  set(ms: number): void;
  advance(ms: number): void;
}

export function manualClock(start = START): ManualClock {
  let now = start;
  return Object.assign(() => now, {
    set: (ms: number) => void (now = ms),
    advance: (ms: number) => void (now += ms),
  });
}

/** A bus that remembers what it was given, and can be told to refuse. */
export interface TestBus {
  readonly sent: SignedSnapshot[];
  down: boolean;
}

/** The whole control plane over one record, without doors. */
export interface ControlPlane
  extends
    ConsoleAccounts,
    ConsoleAlerts,
    ConsoleChecks,
    ConsoleIncidents,
    ConsoleRetention,
    ConsoleMail,
    ConsoleUnblocks {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: ManualClock;
  readonly bus: TestBus;
  readonly publishing: Publishing;
  readonly policy: PolicyService;
  readonly drafts: Drafts;
  /** Somebody who is in the record already, such as by a roster. */
  readonly giveRole: (personId: string, role: Role) => void;
  readonly knownSchool: () => School;
  readonly lessons: Lessons;
  readonly agreements: Agreements;
  readonly directory: Directory;
  readonly auditPages: AuditPages;
  readonly auditPeople: AuditPeople;
  readonly devices: DeviceSessions;
  readonly vouchers: Vouchers;
  readonly safeguarding: Safeguarding;
  readonly concerns: Concerns;
  readonly evidence: Evidence;
  readonly backups: Backups;
  readonly investigations: Investigations;
  readonly keptReports: KeptReports;
  /** What is on disk, as compiled. */
  disk: DiskPolicy;
  readonly invalid: unknown[];
  readonly different: unknown[];
  /** Serials of emergencies of which everybody was told. */
  readonly emergencies: number[];
  /** The audit as `action actor` lines, oldest first; throws if the chain does not verify. */
  acts(): string[];
  /** What gateways have been sent last. */
  last(kind: 'live'): LiveSnapshot | undefined;
  last(kind: 'people'): DirectorySnapshot | undefined;
  last(kind: 'policy'): PolicySnapshot | undefined;
  close(): Promise<void>;
}

/** A policy folder; default: one of a single file that says a compiled policy as it is. */
export interface PolicyFiles {
  read(): ReadFiles;
  examine(texts: PolicyTexts): ExaminedPolicy;
  write(before: PolicyTexts, after: PolicyTexts): string | null;
}

function filesOf({ snapshot }: { readonly snapshot: PolicySnapshot }): PolicyTexts {
  return { 'school.yaml': JSON.stringify(snapshot) };
}

/** Proposes what stands on disk; gives the draft's id, and the hash that was seen. */
export function proposeDisk(plane: ControlPlane, actor: Actor, reason: string): { id: string; hash: string } {
  const { id } = plane.policy.status().drafts.find(({ diskHash }) => diskHash !== null)!;
  const hash = plane.drafts.view(id).hash!;
  plane.drafts.propose(actor, id, hash, reason);
  return { id, hash };
}

type DiskPolicy = CompiledPolicy & { readonly warnings?: readonly Problem[] };

export interface ControlPlaneOptions {
  /** Default: in memory. */
  readonly path?: string;
  readonly clock?: ManualClock;
  readonly disk?: DiskPolicy;
  readonly policyFiles?: PolicyFiles;
  /** Where illegal lists lie; default: nowhere. */
  readonly dataDir?: string;
  /** What hosts are listed as, for unblocks; default: nothing. */
  readonly listed?: Readonly<Record<string, readonly string[]>>;
}

export function controlPlane(options: ControlPlaneOptions = {}): ControlPlane {
  const clock = options.clock ?? manualClock();
  const record = openRecord(options.path ?? ':memory:');
  const audit = createAudit(AUDIT_KEY, clock);
  const newId = createIdMaker(clock);
  const { privateKey } = generateKeyPairSync('ed25519');
  const bus: TestBus = { sent: [], down: false };
  const publishing = createPublishing({
    record,
    sources: { policy: policySnapshot, people: directorySnapshot, live: wholeLive, index: () => null },
    sign: (unsigned) => signSnapshot(privateKey, unsigned),
    publisher: {
      async publish(snapshot) {
        if (bus.down) throw new Error('the bus is down');
        bus.sent.push(snapshot);
      },
      close: async () => {},
    },
    clock,
    onSent: keepSent,
    onFailure: () => {},
    retryMs: 5,
  });
  const passwords = createPasswords();
  const people = createKnownDirectory(record, publishing);
  const inForce = () => policy.published()?.snapshot ?? null;
  const ownFolder = mkdtempSync(join(tmpdir(), 'sg-'));
  const layout = dataLayout(options.dataDir ?? ownFolder);
  const telling = createConsoleAlerts({
    environment: { smtpUrl: null, mailFrom: 'filter@school.example', webhookSecret: null },
    layout,
    record,
    audit,
    clock,
    policy: inForce,
    defaultZone: 'Europe/London',
    raise: (code, text) => safeguarding.raise(code, text),
    log: createLogger('console', 'silent'),
  });
  const mail = createConsoleMail({ record, clock, ...telling, policy: inForce, defaultZone: 'Europe/London' });
  const watch = createAccountWatch({
    policy: inForce,
    isForPupils: (level) => isForPupils(inForce()!, level),
    raise: (tx, event) => safeguarding.own(tx, 'account.misplaced', event),
  });
  const identities = createConsoleAccounts({
    record,
    audit,
    clock,
    newId,
    passwords,
    secrets: APP_SECRETS,
    publishing,
    mail: telling.peopleMail,
    policy: inForce,
    watch,
  });
  const { accounts, sessions } = identities;
  const invalid: unknown[] = [];
  const different: unknown[] = [];
  const emergencies: number[] = [];
  const state: { disk: DiskPolicy } = { disk: options.disk ?? { snapshot: testPolicy() } };
  const hasTwoPeople = () => accounts.haveTwo('policy.propose', 'policy.decide');
  const read = (): ReturnType<PolicyFiles['read']> =>
    'snapshot' in state.disk ? { files: filesOf(state.disk) } : state.disk;
  const files: PolicyFiles = options.policyFiles ?? {
    read,
    examine: (texts) => {
      const held = 'snapshot' in state.disk && sameTexts(filesOf(state.disk), texts) ? state.disk : null;
      return { warnings: [], ...(held ?? { snapshot: JSON.parse(texts['school.yaml']!) as PolicySnapshot }) };
    },
    write: (_before, after) => {
      state.disk = { snapshot: JSON.parse(after['school.yaml']!) as PolicySnapshot };
      return null;
    },
  };
  const versions = createVersions({
    record,
    audit,
    publishing,
    clock,
    writeFiles: (before, after) => files.write(before, after),
    onUnwritten: (reason) => different.push(reason),
  });
  const policy = createPolicyService({
    record,
    audit,
    versions,
    clock,
    newId,
    readFiles: () => files.read(),
    examine: (texts) => files.examine(texts),
    hasTwoPeople,
    onInvalid: (problems) => invalid.push(problems),
    onDifferent: (changes) => different.push(changes),
  });
  const drafts = createDrafts({
    record,
    audit,
    policy,
    versions,
    clock,
    userNameOf: (tx, id) => accounts.userNameOf(tx, id),
    may: (id, permission) => accounts.people().some((person) => person.id === id && may(person.roles, permission)),
    needsSecondPerson: hasTwoPeople,
    mail: mail.policyMail,
    onEmergency: (version) => emergencies.push(version.serial),
  });
  const directory = createDirectory({
    record,
    audit,
    publishing,
    passwords,
    clock,
    newId,
    timeZone: () => 'Europe/London',
    policy: inForce,
    onPasswords: () => accounts.forgetWrong(),
    endSessionsOf: (personId, why) => devices.endOf(personId, why),
  });
  const school = createKnownSchool({ people, publishing, directory, policy });
  const openIndex = createOpenIndex(layout);
  const known = { layout, record, audit, publishing, clock, newId, accounts, policy, drafts, school, openIndex };
  const lessons = createConsoleLessons({ ...known, live: wholeLive });
  const listed = { match: (host: string) => ({ categories: options.listed?.[host] ?? [], lists: [] }) };
  const asking = createConsoleUnblocks({ ...known, ...mail, openIndex: async () => listed });
  const members = () => directory.members();
  const agreements = createAgreements({ record, audit, publishing, clock, policy: inForce, members });
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
  const safeguarding = createSafeguarding({
    record,
    clock,
    newId,
    timeZone: () => 'Europe/London',
    concerns: createConsoleWatch({ audit, newId, policy: inForce }),
    devicesActive: (tx, addresses, at) => devices.seen(tx, addresses, at),
    accountsActive: (tx, seen, at) => watch.used(tx, seen, at),
  });
  const common = {
    ...known,
    ...telling,
    policy: inForce,
    defaultZone: 'Europe/London',
    raise: (code: AlarmCode, text: string) => safeguarding.raise(code, text),
  };
  const concerns = createConsoleConcerns({ ...telling, record, audit, clock, newId, policy: inForce });
  const rebuild = async (): Promise<readonly string[]> => [];
  const evidence = createConsoleEvidence({
    record,
    audit,
    publishing,
    clock,
    layout,
    listsDir: layout.root,
    accounts,
    sessions,
    rebuild,
  });
  const named = auditPeople({ record, directory, accounts, publishing });
  const last = (kind: SnapshotKind): never => {
    const body = bus.sent.findLast((snapshot) => snapshot.kind === kind)?.body;
    return (body === undefined ? undefined : JSON.parse(body)) as never;
  };
  return {
    record,
    audit,
    clock,
    bus,
    publishing,
    policy,
    drafts,
    ...asking,
    knownSchool: school,
    giveRole: (personId, role) => record.write((tx) => storeRoles(tx, personId, [{ role, endsAt: null }], clock())),
    lessons,
    agreements,
    directory,
    ...identities,
    auditPages: createConsoleAudit({ record, audit, clock }),
    auditPeople: named,
    ...createConsoleReports({ ...common, listsDir: layout.root, auditPeople: named }),
    devices,
    vouchers: createVouchers({ record, audit, clock, newId, devices }),
    safeguarding,
    concerns,
    ...telling,
    ...createConsoleIncidents({ ...common, directory, concerns }),
    ...mail,
    evidence,
    ...createConsoleRetention({ ...common, alone: (work) => work(), timeZone: () => 'Europe/London' }),
    ...createConsoleChecks({
      ...common,
      environment: { proxyHost: '127.0.0.1', proxyPort: 0 },
      people,
      live: wholeLive,
    }),
    investigations: createConsoleInvestigations({ record, audit, folder: layout.history, policy: inForce }),
    backups: createBackups({
      record,
      audit,
      recipientFile: layout.backupRecipient,
      folder: null,
      archive: () => Readable.from(['sealed bytes']),
    }),
    invalid,
    different,
    emergencies,
    get disk() {
      return state.disk;
    },
    set disk(disk) {
      state.disk = disk;
    },
    acts: () =>
      record.read((tx) => {
        const check = verifyChain(tx, AUDIT_KEY);
        if (!check.intact) throw new Error(`the audit chain is broken at ${check.row}: ${check.problem}`);
        return newestRows(tx, null, 1000)
          .map((row) => `${row.action} ${row.actor}`)
          .toReversed();
      }),
    last,
    async close() {
      await publishing.close();
      record.close();
      rmSync(ownFolder, { recursive: true, force: true });
    },
  };
}

/** Two people with accounts, without the work of hashing passwords. */
export function twoPeople(plane: ControlPlane): { head: Actor; manager: Actor } {
  const add = (id: string, userName: string, fullName: string, role: 'headteacher' | 'network-manager'): Actor => {
    plane.record.write((tx) => {
      insertPerson(tx, { id, userName, fullName }, userName, plane.clock());
      storeRoles(tx, id, [{ role, endsAt: null }], plane.clock());
      storePassword(tx, id, 'not a hash', plane.clock());
    });
    addApp(plane, id);
    return { personId: id, userName, address: '127.0.0.1' };
  };
  return {
    head: add('01J00000000000000000000001', 'h.teacher', 'Helen Teacher', 'headteacher'),
    manager: add('01J00000000000000000000002', 'n.manager', 'Nadia Manager', 'network-manager'),
  };
}

/** Somebody with a role and no password. */
export function staffMember(
  { record, clock, accounts }: ControlPlane,
  userName: string,
  ...roles: readonly Role[]
): Actor {
  const id = `01J0000000000000000000${String(1000 + accounts.people().length)}`;
  const given = roles.map((role) => ({ role, endsAt: null }));
  record.write((tx) => {
    insertPerson(tx, { id, userName, fullName: userName }, userName, clock());
    storeRoles(tx, id, given, clock());
  });
  return { personId: id, userName, address: '127.0.0.1' };
}
