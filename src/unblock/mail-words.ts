import type { OutgoingMail } from '../delivery/outgoing.ts';
import { localText } from '../kernel/local-time.ts';
import { type Unblock, needsAgreement } from './model.ts';

// Mail about requests. Nothing that anybody typed goes into it: topics and reasons may name a pupil, and lie in mailboxes for years. What
// is asked for, for whom and why stands behind signing in.

/** What mail says of a request besides itself. `where`: a link, or where to look in words. */
export interface MailFacts {
  readonly askedBy: string;
  readonly where: string;
  /** IANA zone of the school's clocks. */
  readonly zone: string;
}

/** To whoever may decide. `isReminder`: nobody has, and it begins soon. */
export function waitingMail(unblock: Unblock, facts: MailFacts, isReminder: boolean): OutgoingMail {
  const { askedBy, where, zone } = facts;
  const lines = [
    `${askedBy} asks for ${whatOf(unblock)} to be opened.`,
    `From ${localText(unblock.from, zone)} until ${localText(unblock.until, zone)}.`,
    ...(isReminder ? ['', 'Nobody has decided it yet. What is not decided stays closed.'] : []),
    ...(needsAgreement(unblock)
      ? ['', 'The safeguarding lead must agree, besides the approval of somebody else.']
      : []),
    '',
    'What exactly, for whom and why is shown after signing in:',
    where,
    '',
  ];
  const what = isReminder ? 'an unblock that begins soon is not decided' : 'an unblock waits for a decision';
  return { subject: `Schoolgate: ${what}`, text: lines.join('\n') };
}

function whatOf({ hosts, categories }: Unblock): string {
  const many = (count: number, one: string, more: string): string[] =>
    count === 0 ? [] : [`${count} ${count === 1 ? one : more}`];
  return [...many(hosts.length, 'site', 'sites'), ...many(categories.length, 'category', 'categories')].join(' and ');
}

/** What whoever asked is told of. */
export type Decision = 'approved' | 'refused' | 'revoked' | 'expired';

const DECISIONS: Readonly<Record<Decision, { readonly subject: string; readonly text: string }>> = {
  approved: { subject: 'your unblock was approved', text: 'The unblock that you asked for was approved.' },
  refused: { subject: 'your unblock was refused', text: 'The unblock that you asked for was refused.' },
  revoked: { subject: 'your unblock was ended early', text: 'The unblock that you asked for was ended early.' },
  expired: { subject: 'your unblock was not decided', text: 'Nobody decided in time what you asked for.' },
};

/** To whoever asked. */
export function decidedMail(
  unblock: Unblock,
  decision: Decision,
  { where, zone }: Omit<MailFacts, 'askedBy'>,
): OutgoingMail {
  const { subject, text } = DECISIONS[decision];
  const times = `It was for ${localText(unblock.from, zone)} until ${localText(unblock.until, zone)}.`;
  const why = 'Who decided, and what they said, is shown after signing in:';
  return { subject: `Schoolgate: ${subject}`, text: [text, times, '', why, where, ''].join('\n') };
}

/** To whoever may answer what others wish for. */
export function wishMail(kind: 'open' | 'close', where: string): OutgoingMail {
  const [subject, text] =
    kind === 'open'
      ? ['somebody asks for a site', 'A pupil of yours, or a member of staff, asks for a site to be opened.']
      : ['a site should be blocked', 'Somebody says that a site should be blocked.'];
  const lines = [text, '', 'Which one, who asks and why is shown after signing in:', where, ''];
  return { subject: `Schoolgate: ${subject}`, text: lines.join('\n') };
}
