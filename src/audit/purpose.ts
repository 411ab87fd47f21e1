import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';

/** Why somebody looks at a person's data. Closed, so that it can be counted; the words are what people choose from. */
export const PURPOSES = {
  safeguarding: 'A safeguarding concern',
  behaviour: 'Behaviour, or how the web was used',
  help: 'Help with signing in, or with a site that is blocked',
  account: 'Keeping their account, classes or access right',
  asked: 'The person, a parent or an authority has asked for it',
  review: 'A review of how the filter or this record is used',
  other: 'Something else',
} as const;
export type PurposeCode = keyof typeof PURPOSES;

export interface Purpose {
  readonly code: PurposeCode;
  /** In their own words; never null with `other`. */
  readonly note: string | null;
}

const MOST_NOTE = 300;

/** A purpose as typed. Throws an InvalidFieldsError with all that is wrong. */
export function readPurpose(typed: { readonly purpose?: string; readonly note?: string }): Purpose {
  const problems: FieldProblem[] = [];
  const note = (typed.note ?? '').replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  const code = isPurpose(typed.purpose) ? typed.purpose : null;
  if (code === null) problems.push({ field: 'purpose', reason: 'Choose what you look for; it stands on the record.' });
  if (code === 'other' && note === '') problems.push({ field: 'note', reason: 'Say what it is, in a few words.' });
  if (note.length > MOST_NOTE)
    problems.push({ field: 'note', reason: `Say it in at most ${MOST_NOTE} characters; this has ${note.length}.` });
  if (code === null || problems.length > 0) throw new InvalidFieldsError(problems);
  return { code, note: note === '' ? null : note };
}

/** As it stands on the record. */
export function purposeText({ code, note }: Purpose): string {
  if (note === null) return PURPOSES[code];
  return code === 'other' ? note : `${PURPOSES[code]}: ${note}`;
}

function isPurpose(text: string | undefined): text is PurposeCode {
  return text !== undefined && Object.hasOwn(PURPOSES, text);
}
