import { SchoolgateError } from '../kernel/errors.ts';

/** What nodemailer's errors carry. */
interface SmtpFault {
  readonly code?: string;
  readonly responseCode?: number;
  readonly message: string;
}

/**
 * Why a mail did not leave, in one sentence that says what to do. Names the server, never the address it was configured
 * by: that holds the password, and what a server answers to it may repeat it.
 */
export function smtpFailure(error: unknown, server: string): SchoolgateError {
  const fault: SmtpFault = error instanceof Error ? error : { message: String(error) };
  const answer = fault.responseCode === undefined ? '' : ` (it answered ${fault.responseCode})`;
  return new SchoolgateError(
    'mail_not_sent',
    'upstream',
    `The mail was not sent: ${whatToDo(fault, server)}${answer}.`,
  );
}

function whatToDo(fault: SmtpFault, server: string): string {
  switch (fault.code) {
    case 'EAUTH':
      return `the mail server ${server} did not accept the sign-in; check user and password in SCHOOLGATE_SMTP_URL`;
    case 'EENVELOPE':
      return `the mail server ${server} refused the sender or the recipient; check SCHOOLGATE_MAIL_FROM and the address`;
    case 'ETLS':
      return `the connection to ${server} could not be encrypted; check its certificate, or use smtps:// in SCHOOLGATE_SMTP_URL`;
    case 'EABORT':
    case 'ETIMEDOUT':
      return `the mail server ${server} did not answer in time; check that it is up and that the firewall lets this machine reach it`;
    case 'EDNS':
    case 'ECONNECTION':
    case 'ESOCKET':
      return `the mail server ${server} cannot be reached; check host and port in SCHOOLGATE_SMTP_URL and the firewall`;
    default:
      return `the mail server ${server} did not take it; look at its log`;
  }
}
