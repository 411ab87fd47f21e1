import type { MonthReportsOptions } from '../audit/month-service.ts';
import type { PeopleMail } from '../delivery/people-mail-service.ts';
import { may } from '../identity/permissions.ts';
import { staffPeople } from '../identity/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { type PolicyMail, createPolicyMail } from '../policy/mail-service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { RecordDatabase } from '../store/database.ts';
import { type RequestMail, createRequestMail } from '../unblock/mail-service.ts';

export interface ConsoleMailOptions {
  readonly record: RecordDatabase;
  readonly clock: Clock;
  readonly peopleMail: PeopleMail;
  readonly policy: () => PolicySnapshot | null;
  readonly defaultZone: string;
}

/** What rooms mail to people with an account. */
export interface ConsoleMail {
  readonly requestMail: RequestMail;
  readonly policyMail: PolicyMail;
  /** For the network manager's own month. */
  readonly monthReports: MonthReportsOptions;
}

export function createConsoleMail({ record, clock, peopleMail, policy, defaultZone }: ConsoleMailOptions): ConsoleMail {
  const common = {
    record,
    clock,
    mail: peopleMail,
    people: (tx: Parameters<typeof staffPeople>[0]) => staffPeople(tx, clock()),
    may: ({ roles }: { readonly roles: Parameters<typeof may>[0] }, permission: Parameters<typeof may>[1]) =>
      may(roles, permission),
    timeZone: () => policy()?.timeZone ?? defaultZone,
  };
  return { requestMail: createRequestMail(common), policyMail: createPolicyMail(common), monthReports: common };
}
