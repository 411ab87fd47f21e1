import { SchoolgateError, wrongField } from '../kernel/errors.ts';
import type { DraftView } from './draft.ts';

// What a draft cannot be done with, in sentences for whoever tried.

const MAX_REASON = 500;

/** What is proposed or published is valid, differs from what is in force, and is what was seen. */
export function mustBeWhole(
  { hash, stale }: Pick<DraftView, 'hash' | 'stale'>,
  seen: string,
  inForce: string | null,
): void {
  if (stale !== null) {
    throw refusal('policy_stale', 'Another policy was published since this was begun; bring the draft up to it first.');
  }
  if (hash === null) throw refusal('policy_invalid', 'This draft has mistakes, so it cannot be used; put them right.');
  if (hash !== seen) {
    throw refusal('policy_changed', 'The draft was changed while you were looking; read the differences again.');
  }
  if (hash === inForce) {
    throw refusal('policy_nothing', 'This draft changes nothing.');
  }
}

/** What somebody says for the record. Throws an InvalidFieldsError. */
export function readWord(field: string, typed: string): string {
  const word = typed.trim();
  const fault =
    word === ''
      ? 'Say why, for whoever reads the record.'
      : word.length > MAX_REASON
        ? `Say why in at most ${MAX_REASON} characters.`
        : null;
  if (fault !== null) throw wrongField(field, fault);
  return word;
}

export const decided = (): SchoolgateError =>
  refusal('draft_decided', 'This change was decided already, or has changed since.');
export const notYours = (): SchoolgateError =>
  refusal('draft_not_yours', 'Only the person who wrote this draft can change it.');
export const changedMeanwhile = (): SchoolgateError =>
  refusal('draft_changed', 'This draft was changed in another window since; what you typed stands below.');

export function refusal(code: string, text: string): SchoolgateError {
  return new SchoolgateError(code, 'client', text);
}
