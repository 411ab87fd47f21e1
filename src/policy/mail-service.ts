import type { OutgoingMail } from '../delivery/outgoing.ts';
import type { PeopleMail } from '../delivery/people-mail-service.ts';
import type { Person } from '../identity/accounts.ts';
import type { Permission } from '../identity/permissions.ts';
import { localText, localTime } from '../kernel/local-time.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import type { PolicyDraft } from './draft.ts';
import { type PolicyVersion, unreviewed } from './repository.ts';

/** Mail about changes of the policy, each in the transaction of what it tells of and once for each recipient. Nothing typed goes into it. */
export interface PolicyMail {
  /** To everybody who may approve a proposal. */
  proposed(tx: Tx, draft: PolicyDraft, doesLoosen: boolean): void;
  /** To whoever reviews what one person changed alone. */
  emergency(tx: Tx, version: PolicyVersion): void;
  /** The same again, of every emergency that nobody has reviewed; on one day once. Returns of how many. `now`: ms since the epoch. */
  remindOfEmergencies(now: number): number;
}

export interface PolicyMailOptions {
  readonly record: RecordDatabase;
  readonly mail: PeopleMail;
  /** Everybody with an account in the console. */
  readonly people: (tx: ReadTx) => readonly Person[];
  readonly may: (person: Person, permission: Permission) => boolean;
  /** IANA zone of the school's clocks. */
  readonly timeZone: () => string;
}

/** Where the console has it. */
const PLACE = 'under Policy';

export function createPolicyMail(options: PolicyMailOptions): PolicyMail {
  const { record, mail, people, may } = options;
  return {
    proposed(tx, { id, revision, author }, doesLoosen) {
      const content = proposedMail(doesLoosen, mail.where(`/policy/drafts/${id}`, PLACE));
      const mayApprove = (person: Person): boolean =>
        person.id !== author && may(person, 'policy.decide') && (!doesLoosen || may(person, 'policy.loosen'));
      for (const person of people(tx).filter(mayApprove)) {
        mail.queue(tx, person, `policy-draft:${id}#${revision}`, content);
      }
    },
    emergency: (tx, version) => tellOf(options, tx, version, 'now', false),
    remindOfEmergencies: (now) =>
      record.write((tx) => {
        const { date } = localTime(now, options.timeZone());
        const waiting = unreviewed(tx);
        for (const version of waiting) tellOf(options, tx, version, date, true);
        return waiting.length;
      }),
  };
}

function tellOf(
  options: PolicyMailOptions,
  tx: Tx,
  { serial, author, publishedAt }: Pick<PolicyVersion, 'serial' | 'author' | 'publishedAt'>,
  step: string,
  isReminder: boolean,
): void {
  const { mail, people, timeZone } = options;
  const everybody = people(tx);
  const facts = {
    by: everybody.find(({ id }) => id === author)?.fullName ?? 'Somebody',
    at: localText(publishedAt, timeZone()),
    where: mail.where(`/policy/versions/${serial}`, PLACE),
  };
  for (const person of reviewers(options, everybody, author)) {
    mail.queue(tx, person, `policy:${serial}#${step}`, emergencyMail(facts, isReminder));
  }
}

/** Where whoever could review it is its author, everybody else who decides on the policy hears of it. */
function reviewers({ may }: PolicyMailOptions, people: readonly Person[], author: string | null): readonly Person[] {
  const others = people.filter(({ id }) => id !== author);
  const first = others.filter((person) => may(person, 'policy.review'));
  return first.length > 0 ? first : others.filter((person) => may(person, 'policy.decide'));
}

function proposedMail(doesLoosen: boolean, where: string): OutgoingMail {
  const lines = [
    'A change of the filter’s policy waits for a second person.',
    ...(doesLoosen ? ['It opens something for pupils.'] : []),
    '',
    'What it changes, who wrote it and why is shown after signing in:',
    where,
    '',
  ];
  return { subject: 'Schoolgate: a policy change waits for a second person', text: lines.join('\n') };
}

function emergencyMail(
  { by, at, where }: { readonly by: string; readonly at: string; readonly where: string },
  isReminder: boolean,
): OutgoingMail {
  const lines = [
    `${by} changed the filter’s policy alone, in an emergency: ${at}. It is in force.`,
    ...(isReminder ? ['Nobody has reviewed it yet.'] : []),
    '',
    'Read it, and keep it or take it back, after signing in:',
    where,
    '',
  ];
  const what = isReminder ? 'an emergency change is still to be reviewed' : 'the policy was changed in an emergency';
  return { subject: `Schoolgate: ${what}`, text: lines.join('\n') };
}
