import type { CompiledLevel, PolicySnapshot } from './snapshot.ts';
import type { Reason } from './verdict.ts';

export type Voice = CompiledLevel['voice'];

/** What a refusal's words may name. */
export interface WordingFacts {
  /** Whom a person can go to: the policy's contacts. */
  readonly contact: string;
  /** Title of the category that decided, or an empty text. */
  readonly category: string;
}

type Sentence = (facts: WordingFacts) => string;

/** What can be refused, with the cases of one reason that need other words. An unblock and an allow list only allow. */
export type RefusalKind = Exclude<Reason, 'unblock' | 'allow-list'> | 'suspended' | 'download' | 'warned';

/**
 * What a refused person is told, by kind and by voice: why, and what to do. The child's sentences are for a nine-year-old:
 * short words, nobody is scolded, and no grown-up subject is named.
 */
const REFUSALS: Readonly<Record<RefusalKind, Readonly<Record<Voice, Sentence>>>> = {
  malformed: {
    child: ({ contact }) => `This web address has a mistake in it. Check how it is spelt, or ask ${contact}.`,
    teen: () => 'This web address has a mistake in it. Check how it is spelt and try again.',
    adult: () => 'This is not a web address that can be opened. Check how it is spelt and try again.',
  },
  protocol: {
    child: ({ contact }) => `This link is not for a web page. Ask ${contact} what you can use instead.`,
    teen: () => 'Only addresses that begin with http or https can be opened here.',
    adult: () => 'Only http and https can be used through this proxy.',
  },
  port: {
    child: ({ contact }) => `This web address goes a way that is closed here. Ask ${contact} for help.`,
    teen: ({ contact }) =>
      `This address has a port number that the school does not use. Ask ${contact} if you need it.`,
    adult: ({ contact }) => `The port in this address is not open. If it is needed, ask ${contact}.`,
  },
  destination: {
    child: ({ contact }) => `This web address is not on the internet. Ask ${contact} for help.`,
    teen: ({ contact }) =>
      `This address leads into the school’s own network, which is closed. Ask ${contact} if you need it.`,
    adult: ({ contact }) => `This address leads into a private network. If it is needed, ask ${contact} to open it.`,
  },
  illegal: {
    child: ({ contact }) =>
      `Nobody may open this page. If something upset you, tell ${contact}. You are not in trouble.`,
    teen: ({ contact }) =>
      `Nobody may open this page, because what is on it is against the law. If you came here by accident or you are worried, tell ${contact}.`,
    adult: () =>
      'Access is denied to everybody, because this address is on a list of illegal material. If you came here by accident, tell the designated safeguarding lead.',
  },
  never: {
    child: ({ contact }) => `Our school keeps this site closed for everyone. Ask ${contact} for another site.`,
    teen: ({ contact }) =>
      `The school keeps this site closed for everyone. Ask ${contact} if you have a question about it.`,
    adult: ({ contact }) => `The school keeps this site closed for everyone. Questions go to ${contact}.`,
  },
  person: {
    child: ({ contact }) => `This site is closed for you just now. You can ask ${contact} why.`,
    teen: ({ contact }) => `This site has been closed for you. You can ask ${contact} why.`,
    adult: ({ contact }) => `This site has been closed for your account. Questions go to ${contact}.`,
  },
  suspended: {
    child: ({ contact }) => `You cannot use the web just now. Talk to ${contact}.`,
    teen: ({ contact }) => `Your web access has been stopped for now. Talk to ${contact}.`,
    adult: ({ contact }) => `Your web access has been suspended. Speak to ${contact}.`,
  },
  group: {
    child: ({ contact }) => `This site is closed for your class. If you need it, ask ${contact}.`,
    teen: ({ contact }) => `This site is closed for your class or group. If you need it for your work, ask ${contact}.`,
    adult: ({ contact }) => `This site is closed for a group you belong to. If it is needed, ask ${contact}.`,
  },
  'block-list': {
    child: ({ contact }) => `Our school has closed this site. If you need it, ask ${contact}.`,
    teen: ({ contact }) => `The school has closed this site. If you need it for your work, ask ${contact}.`,
    adult: ({ contact }) => `The school has closed this site. If it is needed, ask ${contact}.`,
  },
  download: {
    child: ({ contact }) => `This is a program, and we do not download programs here. Ask ${contact} for help.`,
    teen: ({ contact }) =>
      `Programs cannot be downloaded here, because they can harm a computer. If you need one, ask ${contact}.`,
    adult: ({ contact }) => `Programs cannot be downloaded here. If one is needed, ask ${contact}.`,
  },
  category: {
    child: ({ contact }) => `This site is not for school. If you need it for your work, ask ${contact}.`,
    teen: ({ contact, category }) =>
      `This site is closed because it belongs to “${category}”. If you need it for your work, ask ${contact}.`,
    adult: ({ contact, category }) =>
      `This site is closed because it is listed under “${category}”. If it is needed, ask ${contact}.`,
  },
  warned: {
    child: ({ contact }) =>
      `This site may not be right for you. Read the warning, and ask ${contact} if you are not sure.`,
    teen: ({ category }) =>
      `Take care: this site ${category === '' ? 'is not known to the school' : `belongs to “${category}”`}. Read the warning; you can go on from there.`,
    adult: ({ category }) =>
      `Take care: this site is ${category === '' ? 'on no list yet' : `listed under “${category}”`}. Read the warning; you can go on from there.`,
  },
  uncategorised: {
    child: ({ contact }) => `We do not know this site yet, so it is closed. If you need it, ask ${contact}.`,
    teen: ({ contact }) =>
      `Nobody has checked this site yet, so it is closed. If you need it for your work, ask ${contact}.`,
    adult: ({ contact }) =>
      `This site is on no list yet, and such sites are closed here. If it is needed, ask ${contact}.`,
  },
  schedule: {
    child: () => 'The web is closed at this time. Try again later.',
    teen: () => 'The web is closed for you at this time of day. Try again later.',
    adult: ({ contact }) => `The web is closed at this time of day. Opening times are set by ${contact}.`,
  },
  lesson: {
    child: () => 'In this lesson you can only open the sites your teacher chose. Try one of those.',
    teen: () =>
      'In this lesson only the sites that your teacher chose are open. Ask your teacher to add this one if you need it.',
    adult: () =>
      'A lesson list is in force for your group, and this site is not on it. The teacher who set it can add it.',
  },
  agreement: {
    child: ({ contact }) => `Before you use the web, a grown-up at school needs to say yes. Ask ${contact}.`,
    teen: () => 'Read and accept the school’s rules for using the web first.',
    adult: () => 'Read and accept the school’s acceptable use agreement first.',
  },
  identity: {
    child: ({ contact }) => `Sign in first, so that we know who you are. Ask ${contact} if you do not know how.`,
    teen: () => 'Sign in first, so that the school knows who you are.',
    adult: () => 'Sign in first: the school only opens the web to people it knows.',
  },
  limit: {
    child: () => 'Too many pages are opening at once. Wait a minute and try again.',
    teen: () => 'Too many connections are open from this device. Wait a minute and try again.',
    adult: ({ contact }) =>
      `Too many connections are open from this device. Wait a minute; if it lasts, tell ${contact}.`,
  },
  default: {
    child: ({ contact }) => `This site is not for school. If you need it for your work, ask ${contact}.`,
    teen: ({ contact, category }) =>
      `This site belongs to “${category}”, which nobody has opened for you. If you need it, ask ${contact}.`,
    adult: ({ contact, category }) =>
      `This site is listed under “${category}”, which your level says nothing about. If it is needed, ask ${contact}.`,
  },
  fault: {
    child: ({ contact }) => `Something went wrong on our side. Try again, or tell ${contact}.`,
    teen: ({ contact }) =>
      `Something went wrong on our side, so this site stays closed. Try again; if it lasts, tell ${contact}.`,
    adult: ({ contact }) =>
      `Something went wrong in the filter, so this site stays closed. Try again; if it lasts, tell ${contact}.`,
  },
};

/** The sentence for a refusal. */
export function refusalText(kind: RefusalKind, voice: Voice, facts: WordingFacts): string {
  return REFUSALS[kind][voice](facts);
}

/** Whom a person of this voice goes to. */
export function contactFor(contacts: PolicySnapshot['contacts'], voice: Voice): string {
  return voice === 'adult' ? contacts.staff : contacts.pupils;
}

/** Categories whose refusal may meet somebody who is not well: they are shown help. */
const HELP_CATEGORIES: ReadonlySet<string> = new Set(['self-harm', 'eating-disorders']);

const HELP: Readonly<Record<Voice, string>> = {
  child: 'If you feel sad or worried, you can talk to Childline at any time: call 0800 1111. It is free and private.',
  teen: 'If things are hard, you can talk to somebody now, free and in private: Childline 0800 1111, or Samaritans 116 123.',
  adult: 'If you or somebody you know is struggling, Samaritans answer at any time on 116 123.',
};

/** Where to find help when what was refused may mean that somebody needs it; null otherwise. */
export function helpText(categories: readonly string[], voice: Voice): string | null {
  return categories.some((category) => HELP_CATEGORIES.has(category)) ? HELP[voice] : null;
}
