import type { OutgoingMail } from '../delivery/outgoing.ts';
import { whereToLook } from '../delivery/people-mail-service.ts';
import { isoTime } from '../kernel/clock.ts';
import { localText } from '../kernel/local-time.ts';
import type { AlertRules } from '../policy/alert-rules.ts';
import { THEMES } from '../policy/safeguarding-rules.ts';
import { type Alert, idOf } from './model.ts';

export interface MailWords {
  readonly rules: Pick<AlertRules, 'console' | 'fullNames'>;
  readonly zone: string;
  /** The level as people call it. */
  readonly levelTitle: string;
}

const WHY: Readonly<Record<Exclude<Alert['why'], 'reported'>, string>> = {
  opened: 'There is a new concern',
  raised: 'A concern has become more serious',
  again: 'It has happened again',
};

/**
 * An alert as mail: enough to know how fast to look, and no more. No site and no name (unless the school wants names): mail
 * lies in mailboxes and shows on locked telephones. `step`: above 0 because nobody before has taken notice.
 */
export function alertMail(alert: Alert, step: number, words: MailWords): OutgoingMail {
  const { rules, zone, levelTitle } = words;
  if (alert.why === 'reported' || alert.theme === null) return reportedMail(alert, step, words);
  const who = rules.fullNames && !alert.subjects.isStaff ? onOneLine(alert.subjectName) : whoInFew(alert, levelTitle);
  const lines = [
    `${WHY[alert.why]}: ${alert.severity}, ${THEMES[alert.theme].toLowerCase()}.`,
    ...(step > 0 ? [NOT_NOTICED] : []),
    '',
    `Who: ${who}`,
    `When: ${localText(alert.at, zone)}`,
    '',
    'What was seen is shown after signing in. Take notice of it there, so that nobody else is called:',
    linkTo(rules, `/alerts/${alert.id}`),
    '',
  ];
  return {
    subject: `Schoolgate alert: ${alert.severity}${step > 0 ? ', not yet noticed' : ''}`,
    text: lines.join('\n'),
  };
}

const NOT_NOTICED = 'Nobody who was told before has taken notice of it yet.';

/** Whoever it is about may have been named in it: nothing of it is said but that it is there. */
function reportedMail({ id, at }: Alert, step: number, { rules, zone }: MailWords): OutgoingMail {
  const lines = [
    `Somebody has reported something at the front desk, ${localText(at, zone)}.`,
    ...(step > 0 ? [NOT_NOTICED, 'Make sure that somebody reads it.'] : []),
    '',
    'It is shown after signing in to whoever may read it. Take notice there, so that nobody else is called:',
    linkTo(rules, `/alerts/${id}`),
    '',
  ];
  return {
    subject: `Schoolgate: something was reported${step > 0 ? ', not yet noticed' : ''}`,
    text: lines.join('\n'),
  };
}

/** A name with line breaks could say in mail what we do not. */
function onOneLine(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

function whoInFew({ subjects }: Alert, levelTitle: string): string {
  if (subjects.isStaff) return 'a member of staff';
  return subjects.personIds.length > 0 ? `a pupil (${levelTitle})` : `a device with nobody signed in (${levelTitle})`;
}

function linkTo({ console }: Pick<AlertRules, 'console'>, path: string): string {
  return whereToLook(console === undefined ? null : console + path, 'under Alerts');
}

/** The same for a program: ids and closed words, nothing that was typed or visited. */
export function alertCall(alert: Alert, { rules, levelTitle }: MailWords): string {
  const { id, about, theme, severity, why, at, level } = alert;
  return JSON.stringify({
    type: 'alert',
    v: 1,
    id,
    concern: idOf(about, 'concern'),
    theme,
    severity,
    why,
    at: isoTime(at),
    level,
    levelTitle,
    link: rules.console === undefined ? null : `${rules.console}/alerts/${id}`,
  });
}

/** What is known of the way that alerts go. Instants are ms since the epoch; `unnoticed`: of those that the reader may see. */
export interface WayOfAlerts {
  readonly lastNewsAt: number | null;
  readonly unnoticed: number;
  readonly unsent: number;
}

/** The daily sign of life. */
export function heartbeatMail(
  school: string | null,
  date: string,
  way: WayOfAlerts,
  { rules, zone }: Omit<MailWords, 'levelTitle'>,
): OutgoingMail {
  const news = way.lastNewsAt === null ? 'never yet' : localText(way.lastNewsAt, zone);
  const text = [
    `Schoolgate${school === null ? '' : ` of ${school}`} is watching. This mail comes every day by the same way as alerts: when it stays away, so do they.`,
    '',
    `News from gateways last came: ${news}.`,
    `Alerts that are yours to see and nobody has taken notice of: ${way.unnoticed}.`,
    `Mail and calls that could not be sent yet: ${way.unsent}.`,
    '',
    linkTo(rules, '/alerts'),
    '',
  ];
  return { subject: `Schoolgate is watching, ${date}`, text: text.join('\n') };
}

/** Something on the way of alerts is out of order. */
export function troubleMail(text: string, rules: Pick<AlertRules, 'console'>): OutgoingMail {
  const lines = [text, '', 'Alerts may not come meanwhile. Tell the network manager.', linkTo(rules, '/'), ''];
  return { subject: 'Schoolgate: alerts may not come', text: lines.join('\n') };
}
