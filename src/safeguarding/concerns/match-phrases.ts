import { SEVERITIES, type Severity, type ThemeRules, wordsOf } from '../../policy/safeguarding-rules.ts';

/** A phrase that stands in a search. */
export interface PhraseMatch {
  readonly phrase: string;
  readonly severity: Severity;
}

/** The worst phrase of a theme that stands in a search, false friends taken out first; null: none. */
export function worstPhrase(term: string, { phrases, not }: Pick<ThemeRules, 'phrases' | 'not'>): PhraseMatch | null {
  const words = withoutFalseFriends(wordsOf(term), not);
  for (const severity of SEVERITIES) {
    const found = phrases.find((phrase) => phrase.severity === severity && placeOf(phrase.words, words) >= 0);
    if (found !== undefined) return { phrase: found.words.join(' '), severity };
  }
  return null;
}

/** Each is replaced by a word that no phrase has, so that what stood around it does not grow together. */
function withoutFalseFriends(words: readonly string[], not: readonly (readonly string[])[]): readonly string[] {
  let left = words;
  for (const friend of not) {
    for (let at = placeOf(friend, left); at >= 0; at = placeOf(friend, left)) {
      left = [...left.slice(0, at), '', ...left.slice(at + friend.length)];
    }
  }
  return left;
}

/** Where a phrase begins among words, or -1. A star ends a stem. */
function placeOf(phrase: readonly string[], words: readonly string[]): number {
  for (let at = 0; at + phrase.length <= words.length; at++) {
    if (phrase.every((part, i) => isWord(part, words[at + i]!))) return at;
  }
  return -1;
}

function isWord(part: string, word: string): boolean {
  return part.endsWith('*') ? word.startsWith(part.slice(0, -1)) : word === part;
}
