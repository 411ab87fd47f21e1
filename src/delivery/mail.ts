import { InvalidInputError, type Problem } from '../kernel/errors.ts';

/** One mail to one person: each recipient's mail leaves, fails and is proved by itself. */
export interface Mail {
  /** A plain address, without a name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly attachments?: readonly MailAttachment[];
}

export interface MailAttachment {
  readonly filename: string;
  /** Such as `text/csv; charset=utf-8`. */
  readonly contentType: string;
  readonly content: string;
}

const ADDRESS = /^[^\s<>@,;:"()[\]\\]+@[^\s<>@,;:"()[\]\\]+$/;
/** A line break in a header would begin another header, and so another recipient (CWE-93). */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f\u2028\u2029]/;

/** Throws an InvalidInputError with everything that could become a header of somebody else's making. */
export function checkMail(mail: Mail): void {
  const problems: Problem[] = [];
  const refuse = (file: string, reason: string): void => void problems.push({ file, reason });
  if (CONTROL.test(mail.to) || !ADDRESS.test(mail.to)) refuse('to', 'must be one plain mail address');
  if (CONTROL.test(mail.subject)) refuse('subject', 'must be one line without control characters');
  for (const { filename, contentType } of mail.attachments ?? []) {
    if (CONTROL.test(filename) || /[/\\]/.test(filename))
      refuse('attachment', 'its file name must be a plain name on one line');
    if (CONTROL.test(contentType)) refuse('attachment', 'its content type must be one line');
  }
  if (problems.length > 0) throw new InvalidInputError('The mail was not sent', problems);
}
