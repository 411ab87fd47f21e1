import type { Audit } from '../audit/service.ts';
import { loadCatalogue } from '../categories/catalogue.ts';
import type { Environment } from '../config/environment.ts';
import type { AlarmCode } from '../events/catalogue.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import { may } from '../identity/permissions.ts';
import type { Accounts } from '../identity/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidInputError, formatProblem } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { type Drafts, createDrafts } from '../policy/draft-service.ts';
import { type ExaminedPolicy, examineTexts, readTexts } from '../policy/load.ts';
import type { PolicyMail } from '../policy/mail-service.ts';
import { type PolicyService, createPolicyService } from '../policy/service.ts';
import type { PolicyTexts } from '../policy/texts.ts';
import { createVersions } from '../policy/version-service.ts';
import { writePolicyFiles } from '../policy/write-files.ts';
import type { Publishing } from '../publishing/service.ts';
import type { RecordDatabase } from '../store/database.ts';

export interface ConsolePolicyOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** Whom rosters name. */
  readonly people: () => DirectorySnapshot;
  readonly policyMail: PolicyMail;
  readonly raise: (code: AlarmCode, text: string) => void;
}

/** The policy with its folder, its lists and the people who change it. */
export function createConsolePolicy(
  { policyDir, listsDir }: Environment,
  { people, policyMail, raise, ...options }: ConsolePolicyOptions,
): { readonly policy: PolicyService; readonly drafts: Drafts } {
  const { accounts, record, clock } = options;
  const versions = createVersions({
    ...options,
    writeFiles: (before, after) => writePolicyFiles(policyDir, before, after),
    onUnwritten: (reason) => raise('policy-differs', reason),
  });
  const hasTwoPeople = (): boolean => accounts.haveTwo('policy.propose', 'policy.decide');
  const policy = createPolicyService({
    ...options,
    versions,
    readFiles: () => readTexts(policyDir),
    examine: (files) => examine(listsDir, files, people(), clock()),
    hasTwoPeople,
    onInvalid: (problems) => {
      const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
      raise('policy-invalid', `The policy files cannot be used: ${formatProblem(problems[0]!)}${more}`);
    },
    onDifferent: (changes) => {
      const first = changes[0]?.text ?? 'in ways that nobody would notice';
      const more = changes.length > 1 ? ` (and ${changes.length - 1} more)` : '';
      raise('policy-differs', `The policy files differ from what is published: ${first}${more}`);
    },
  });
  const drafts = createDrafts({
    record,
    audit: options.audit,
    policy,
    versions,
    clock,
    userNameOf: (tx, id) => accounts.userNameOf(tx, id),
    may: (personId, permission) => accounts.people().some(({ id, roles }) => id === personId && may(roles, permission)),
    needsSecondPerson: hasTwoPeople,
    mail: policyMail,
    onEmergency: (version) =>
      raise('policy-emergency', `One person alone changed the policy in an emergency: ${version.reason ?? ''}`),
  });
  return { policy, drafts };
}

/** A category that nothing names any more is as much a problem as a bad line. */
function examine(listsDir: string, files: PolicyTexts, people: DirectorySnapshot, now: number): ExaminedPolicy {
  try {
    return examineTexts(files, loadCatalogue(listsDir), { people, now });
  } catch (error) {
    if (error instanceof InvalidInputError) return { problems: error.problems };
    throw error;
  }
}
