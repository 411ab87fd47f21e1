// Passwords that guessers try first, by how they are made; our own list, because those that circulate are other people's work.

/** Words that weak passwords are made of, in lower case without signs. */
const WORDS =
  `password passwort passphrase passcode pass word secret letmein login logon signin welcome hello changeme change default
temp temporary test testing guest user admin administrator root master super manager network access computer laptop internet server
school schools academy college primary secondary teacher teachers head headteacher office staff pupil pupils student students class
classroom education learning learn reception governor safeguarding filter filtering proxy schoolgate google microsoft windows apple
office365 iloveyou love loveyou lovely baby angel princess prince sunshine rainbow flower butterfly dragon monkey tiger lion unicorn
superman batman spiderman starwars pokemon minecraft fortnite football cricket rugby netball liverpool arsenal chelsea everton manchester
united city tottenham newcastle england london wales scotland british king queen monday tuesday wednesday thursday friday saturday sunday
january february march april may june july august september october november december spring summer autumn winter christmas easter
holiday halloween michael jessica charlie daniel thomas george james jordan ashley matthew joshua andrew hannah amelia olivia
trustno freedom whatever computer1 money cheese chocolate cookie banana orange qwerty asdf zxcv abc abcd`
    .split(/\s+/)
    .filter((word) => word !== '');

/** Keys beside each other, and what is counted up or down. */
const ROWS = [
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  '1234567890',
  '0123456789',
  'abcdefghijklmnopqrstuvwxyz',
  '1q2w3e4r5t6y7u8i9o0p',
];
const RUNS = ROWS.flatMap((row) => [row, Array.from(row).toReversed().join('')]);
const SHORTEST_RUN = 3;
const LONGEST_PIECE = 26;
const SIGNS = /[^\p{L}\p{N}]/gu;

const DISGUISES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/**
 * Whether nothing of a password is its owner's invention: all of it is common words, names that belong to it (`names`: the owner's, the
 * school's), runs of keys, numbers, or one piece again and again, with signs between and letters disguised as digits or not.
 */
export function isCommonPassword(password: string, names: readonly string[]): boolean {
  const lower = password.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const words = new Set([...WORDS, ...names.flatMap(wordsOf)]);
  return isRepeated(lower.replace(SIGNS, '')) || isMadeOf(lower, words);
}

function wordsOf(name: string): string[] {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length >= 3);
}

/** One piece of up to six characters again and again. */
function isRepeated(text: string): boolean {
  return /^(.{1,6}?)\1+$/u.test(text);
}

/** Whether pieces cover the text from its start to its end. */
function isMadeOf(text: string, words: ReadonlySet<string>): boolean {
  const isCovered = [true];
  for (let end = 1; end <= text.length; end++) {
    isCovered[end] = false;
    for (let start = Math.max(0, end - LONGEST_PIECE); start < end && !isCovered[end]; start++) {
      isCovered[end] = isCovered[start]! && isPiece(text.slice(start, end), words);
    }
  }
  return isCovered[text.length]!;
}

function isPiece(piece: string, words: ReadonlySet<string>): boolean {
  if (/^(?:\p{N}{1,8}|[^\p{L}\p{N}])$/u.test(piece)) return true;
  if (piece.length >= SHORTEST_RUN && RUNS.some((run) => run.includes(piece))) return true;
  const undisguised = Array.from(piece, (letter) => DISGUISES[letter] ?? letter).join('');
  return words.has(piece) || words.has(undisguised.replace(SIGNS, ''));
}
