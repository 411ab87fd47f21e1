/** Somebody outside the school who helps: name, how to reach them, and their page. */
export interface Helpline {
  readonly name: string;
  readonly how: string;
  readonly url: string;
}

/**
 * UK helplines that pages of ours name. Numbers and addresses are those each service publishes; look them over once a year.
 * Inside a number stand no-break spaces, so that it is never torn over two lines.
 */
export const HELPLINES = {
  childline: {
    name: 'Childline',
    how: 'Call 0800\u00a01111. It is free, day and night, for everyone under 19.',
    url: 'https://www.childline.org.uk/',
  },
  samaritans: {
    name: 'Samaritans',
    how: 'Call 116\u00a0123. It is free, day and night, for everyone.',
    url: 'https://www.samaritans.org/',
  },
  shout: {
    name: 'Shout',
    how: 'Text SHOUT to 85258. It is free, day and night.',
    url: 'https://giveusashout.org/',
  },
  papyrus: {
    name: 'Papyrus HOPELINE247',
    how: 'Call 0800\u00a0068\u00a04141 if you, or a young person you know, think about suicide. It is free, day and night.',
    url: 'https://www.papyrus-uk.org/',
  },
  beat: {
    name: 'Beat',
    how: 'Help with eating disorders: call 0808\u00a0801\u00a00677, or find your nation’s number on their website.',
    url: 'https://www.beateatingdisorders.org.uk/',
  },
  ceop: {
    name: 'CEOP',
    how: 'Report someone who frightens you, asks for pictures or touches you: tell the police team for children online.',
    url: 'https://www.ceop.police.uk/safety-centre/',
  },
  nspcc: {
    name: 'NSPCC',
    how: 'For adults who worry about a child: call 0808\u00a0800\u00a05000.',
    url: 'https://www.nspcc.org.uk/',
  },
  stopItNow: {
    name: 'Stop It Now',
    how: 'For any adult worried about their own or someone else’s sexual thoughts or behaviour towards children: call 0808\u00a01000\u00a0900, free and in confidence.',
    url: 'https://www.stopitnow.org.uk/',
  },
  iwf: {
    name: 'Internet Watch Foundation',
    how: 'Report a page that shows child sexual abuse. You need not give your name.',
    url: 'https://report.iwf.org.uk/',
  },
  actEarly: {
    name: 'ACT Early',
    how: 'Worried that someone is being drawn into extremism? Call 0800\u00a0011\u00a03764.',
    url: 'https://actearly.uk/',
  },
  frank: {
    name: 'Talk to FRANK',
    how: 'Honest facts about drugs: call 0300\u00a0123\u00a06600, day and night.',
    url: 'https://www.talktofrank.com/',
  },
  gambling: {
    name: 'National Gambling Helpline',
    how: 'Call 0808\u00a08020\u00a0133. It is free, day and night.',
    url: 'https://www.gamcare.org.uk/',
  },
} as const satisfies Record<string, Helpline>;

export type HelplineId = keyof typeof HELPLINES;
