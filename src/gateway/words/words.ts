import type { HelplineId } from './helplines.ts';

/** How a page speaks: to a young child, a teenager or an adult. */
export type Voice = 'child' | 'teen' | 'adult';

/** What kind of page it is: a refusal, a warning, an offer of help, or our own fault. Decides colour and eyebrow, nothing else. */
export type Tone = 'blocked' | 'warned' | 'help' | 'fault';

/** What a refusal says. `CATEGORY` in a sentence stands for the category's title. Plain text, not markup. */
export interface Words {
  readonly tone: Tone;
  readonly heading: string;
  readonly why: readonly string[];
  readonly todo: readonly string[];
  readonly help: readonly HelplineId[];
  /** True where danger may be near: the page names 999. */
  readonly urgent: boolean;
}

export type WordsByVoice = Readonly<Record<Voice, Words>>;

/** Where a sentence takes the category's title. Not a character that a title or a URL can hold. */
export const CATEGORY = '\0category\0';

type Part = Partial<Words> & Pick<Words, 'why'>;

const NEXT_STEPS: Readonly<Record<Voice, readonly string[]>> = {
  child: [
    'You are not in trouble. Go back and pick another page.',
    'Do you need this page for school work? Show this page to the person named here and ask.',
  ],
  teen: [
    'Go back and try another site.',
    'If you need this for school work, ask the person named here and give them the reference.',
  ],
  adult: [
    'If you need this site for teaching or for your work, ask for it below and quote the reference.',
    'If you think it is in the wrong group, tell us that as well: lists make mistakes.',
  ],
};

/** Fills in what most refusals share, so that a theme only says what is its own. */
export function byVoice(common: Partial<Words>, child: Part, teen: Part, adult: Part): WordsByVoice {
  const fill = (voice: Voice, own: Part): Words => ({
    tone: 'blocked',
    heading: 'This page is blocked',
    todo: NEXT_STEPS[voice],
    help: [],
    urgent: false,
    ...common,
    ...own,
  });
  return { child: fill('child', child), teen: fill('teen', teen), adult: fill('adult', adult) };
}
