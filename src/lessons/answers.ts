import type { Reason, Verdict } from '../policy/verdict.ts';

/** Whether somebody could open a site, in a teacher's words. */
export interface SiteAnswer {
  /** As it was asked for. */
  readonly site: string;
  /** Whom this is true for, such as `9X`. */
  readonly forWhom: string;
  readonly opens: boolean;
  readonly why: string;
  /** Null: nothing need be done. */
  readonly todo: string | null;
}

/** What the words may name. */
export interface AnswerFacts {
  /** Title of the category that decided, or an empty text. */
  readonly category: string;
  /** Whom staff turn to. */
  readonly contact: string;
}

type Sentence = (facts: AnswerFacts) => string;

const ASK: Sentence = ({ contact }) => `Ask for an unblock: in the console, or from ${contact}.`;
const CHECK: Sentence = () => 'Check how the address is spelt.';
const TURN_TO: Sentence = ({ contact }) => `Ask ${contact} why.`;
const LISTED: Sentence = ({ category }) => `It is listed under “${category}”, which is closed for them.`;
const OTHERWISE: readonly [Sentence, Sentence] = [() => 'The filter keeps it closed for them.', TURN_TO];

/** Why a site stays closed and what to do about it, where it is not simply the filter's affair. */
const CLOSED: Readonly<Partial<Record<Reason, readonly [why: Sentence, todo: Sentence]>>> = {
  malformed: [() => 'This is not an address that can be opened.', CHECK],
  protocol: [() => 'Only http and https can be opened here.', CHECK],
  port: [() => 'The port in this address is closed.', CHECK],
  destination: [() => 'This address leads into a private network.', CHECK],
  never: [() => 'The school keeps it closed for everybody.', () => 'No unblock can open it, so choose another site.'],
  lesson: [
    () => 'A lesson list is in force for them, and this site is not on it.',
    () => 'Add it to the list, or end the list.',
  ],
  group: [() => 'The school’s policy closes it for this class.', ASK],
  'block-list': [() => 'The school’s policy closes it for their level.', ASK],
  category: [LISTED, ASK],
  default: [LISTED, ASK],
  uncategorised: [() => 'It is on no list, and such sites are closed for them.', ASK],
  schedule: [() => 'The web is closed for them at that time.', ASK],
};

/** The verdict for an audience in words. Lists of locked categories were not asked, so this says nothing of them. */
export function siteAnswer(
  site: string,
  forWhom: string,
  { verdict, action, reason }: Pick<Verdict, 'verdict' | 'action' | 'reason'>,
  facts: AnswerFacts,
): SiteAnswer {
  if (verdict === 'allow') return { site, forWhom, opens: true, why: openWords(action, reason), todo: null };
  if (action === 'warn') {
    const why = `They are warned first, because it is listed under “${facts.category}”.`;
    return { site, forWhom, opens: false, why, todo: ASK(facts) };
  }
  const [why, todo] = CLOSED[reason] ?? OTHERWISE;
  return { site, forWhom, opens: false, why: why(facts), todo: todo(facts) };
}

function openWords(action: Verdict['action'], reason: Reason): string {
  if (reason === 'unblock') return 'They can open it for now, because of an unblock.';
  return action === 'monitor' ? 'They can open it, and the school takes note that they did.' : 'They can open it.';
}

/** Answers that differ only in whom they are for, as one. */
export function mergeAnswers(answers: readonly SiteAnswer[]): SiteAnswer[] {
  const same = Map.groupBy(answers, ({ site, why }) => `${site}\n${why}`);
  return [...same.values()].map((group) => {
    const names = [...new Set(group.map(({ forWhom }) => forWhom))];
    const { site, opens, why, todo } = group[0]!;
    return { site, forWhom: names.join(', '), opens, why, todo };
  });
}
