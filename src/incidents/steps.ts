/** Outside addresses that a school writes into its settings; left out: what everybody in the country uses. */
export interface IncidentContacts {
  readonly police?: string;
  readonly iwf?: string;
  readonly lado?: string;
  readonly ceop?: string;
  readonly school?: string;
}

/** What is the same for every school in the country. The LADO and the school's own differ: these only a school can say. */
const NATIONAL = {
  police: '999 where somebody is in danger now, otherwise 101',
  iwf: 'https://report.iwf.org.uk/',
  ceop: 'https://www.ceop.police.uk/safety-centre/',
} as const;

export const STEP_STATES = { done: 'Done', 'not-needed': 'Does not apply' } as const;
export type StepState = keyof typeof STEP_STATES;

export interface Step {
  readonly id: string;
  readonly text: string;
  /** Whose contact stands beside it. */
  readonly contact?: keyof IncidentContacts;
}

/**
 * What to do about something illegal, in this order. After "Sharing nudes and semi-nudes: advice for education settings" (UKCIS) and
 * Keeping children safe in education, part four.
 */
const STEPS: readonly Step[] = [
  { id: 'screen', text: 'Switch off the screen, or turn it away. Leave the device running.' },
  { id: 'view', text: 'Do not look at it again, and let nobody else look, not even to make sure.' },
  {
    id: 'copy',
    text: 'Do not copy, print, photograph or forward it, also not as evidence: that can be an offence of its own.',
  },
  { id: 'preserve', text: 'Preserve: take the device out of use as it is, lock it away, note when and from whom.' },
  { id: 'police', text: 'Tell the police, and do what they say before anybody is questioned.', contact: 'police' },
  {
    id: 'iwf',
    text: 'Images of sexual abuse of children on the web: report them to the Internet Watch Foundation.',
    contact: 'iwf',
  },
  { id: 'ceop', text: 'A child was approached, groomed or exploited online: report it to CEOP.', contact: 'ceop' },
  {
    id: 'lado',
    text: 'Somebody who works with children: tell the local authority designated officer within one working day.',
    contact: 'lado',
  },
  { id: 'school', text: 'Tell whom the school wants told.', contact: 'school' },
];

export const STEP_IDS = STEPS.map(({ id }) => id);

/** The steps for something illegal; the designated officer's only where somebody of the staff is in it. */
export function stepsFor(people: readonly { readonly kind: string }[]): readonly Step[] {
  const hasStaff = people.some(({ kind }) => kind === 'staff');
  return STEPS.filter(({ id }) => id !== 'lado' || hasStaff);
}

/** How they are reached; null: the school has not said. */
export function contactText(of: keyof IncidentContacts, contacts: IncidentContacts): string | null {
  const national: IncidentContacts = NATIONAL;
  return contacts[of] ?? national[of] ?? null;
}
