import { byVoice, CATEGORY, type Voice, type WordsByVoice } from './words.ts';

const NEXT_STEPS: Readonly<Record<Voice, readonly string[]>> = {
  child: ['Not sure? Go back, or ask the person named here.'],
  teen: ['If you do not need this site for your work, go back.', 'Not sure? Ask the person named here.'],
  adult: ['If you did not mean to open this site, go back.'],
};

const COMMON = { heading: 'Read this before you go on', tone: 'warned' } as const;

/** What whoever presses the button should know. */
export const WENT_ON_IS_SEEN: Readonly<Record<Voice, string>> = {
  child: 'Grown-ups who keep you safe at school can see that you went on.',
  teen: 'Staff who look after pupils’ safety can see that you went on.',
  adult: 'That you went on is recorded, and the designated safeguarding lead may look at it.',
};

/** What is said before a site that whoever reads it may then open. */
export const WARNING_WORDS = {
  warned: byVoice(
    COMMON,
    {
      heading: 'Stop and think first',
      why: [`This site is in a group called “${CATEGORY}”. It may not be right for you.`],
      todo: NEXT_STEPS.child,
    },
    {
      why: [
        `This site is in the group “${CATEGORY}”. Your school leaves it to you whether you need it for your work, and wants you to think first.`,
      ],
      todo: NEXT_STEPS.teen,
    },
    {
      why: [`This site is in the category “${CATEGORY}”, which the school’s policy opens to you after a warning.`],
      todo: NEXT_STEPS.adult,
    },
  ),
  'warned-help': byVoice(
    { ...COMMON, tone: 'help', urgent: true },
    {
      heading: 'Stop and think first',
      why: ['What is on this site can make you feel worse. You do not have to look at it alone.'],
      todo: ['If you feel sad, scared or mixed up, tell a grown-up you trust today.', ...NEXT_STEPS.child],
      help: ['childline', 'shout'],
    },
    {
      why: [
        `This site is in the group “${CATEGORY}”. What is on it can be hard to see, and can make things feel worse.`,
      ],
      todo: [
        'If this is about you or a friend, talk to somebody first. It helps, and it stays private.',
        ...NEXT_STEPS.teen,
      ],
      help: ['childline', 'shout', 'samaritans'],
    },
    {
      why: [
        `This site is in the category “${CATEGORY}”, which the school’s policy opens to you after a warning. It may be distressing.`,
      ],
      todo: NEXT_STEPS.adult,
      help: ['samaritans'],
    },
  ),
  'warned-unknown': byVoice(
    COMMON,
    {
      heading: 'Stop and think first',
      why: ['We do not know this site yet. It may not be right for you.'],
      todo: NEXT_STEPS.child,
    },
    {
      why: ['Nobody has sorted this site into a group yet, so we cannot say what is on it.'],
      todo: NEXT_STEPS.teen,
    },
    {
      why: ['This site is in no category yet, so nobody has looked at what is on it.'],
      todo: NEXT_STEPS.adult,
    },
  ),
} as const satisfies Record<string, WordsByVoice>;
