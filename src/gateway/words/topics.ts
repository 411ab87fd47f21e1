import { byVoice, CATEGORY, type WordsByVoice } from './words.ts';

/** What a refusal says where the topic of the site decided. Help comes before rules where a child may be in need of it. */
export const TOPIC_WORDS = {
  topic: byVoice(
    {},
    { why: [`This site is in a group called “${CATEGORY}”. Your school keeps this group closed for you.`] },
    { why: [`This site is in the group “${CATEGORY}”, which your school does not open for your year group.`] },
    { why: [`This site is in the category “${CATEGORY}”, which the school’s policy does not open for your account.`] },
  ),
  'grown-up': byVoice(
    { help: ['childline'] },
    {
      why: ['This page is not for children. It may show things that scare or upset you.'],
      todo: [
        'You are not in trouble. Close this page.',
        'Did you see something you did not like? Tell a grown-up you trust. It is never your fault.',
      ],
    },
    {
      why: [`This site is in the group “${CATEGORY}”. Your school keeps it closed for everyone your age.`],
      todo: [
        'If you came here by accident, close the page. You have done nothing wrong.',
        'If something online has upset you, or someone sent you here, talk to an adult you trust.',
        'If you need it for school work, ask the person named here and give them the reference.',
      ],
    },
    { why: [`This site is in the category “${CATEGORY}”, which the school’s policy does not allow.`], help: [] },
  ),
  'self-harm': byVoice(
    { tone: 'help', urgent: true },
    {
      heading: 'Let’s find someone to talk to',
      why: ['This page is blocked. It is about people hurting themselves, and pages like it can make you feel worse.'],
      todo: [
        'You have done nothing wrong, and you are not in trouble.',
        'If you feel sad, scared or mixed up, tell a grown-up you trust today.',
        'You can talk to Childline about anything. They will listen.',
      ],
      help: ['childline', 'shout'],
    },
    {
      heading: 'You do not have to face this alone',
      why: [
        'We keep sites about self-harm and suicide closed, because what they say can make a bad time worse.',
        'You are not in trouble. If things feel too much, talking to someone helps, and it can start with one message.',
      ],
      todo: ['Tell someone you trust how you feel: a friend, a teacher, someone at home.'],
      help: ['childline', 'shout', 'papyrus', 'samaritans'],
    },
    {
      heading: 'Support is there if you need it',
      why: ['This site is blocked because it is listed for self-harm or suicide content.'],
      todo: [
        'If you are worried about yourself, any of the services below will listen.',
        'If you are worried about a pupil, speak to the designated safeguarding lead today.',
        'If you need the site for your work, ask for it below and quote the reference.',
      ],
      help: ['samaritans', 'shout', 'papyrus', 'childline'],
    },
  ),
  'eating-disorders': byVoice(
    { tone: 'help' },
    {
      heading: 'Your body deserves kindness',
      why: ['This page is blocked. It says things about food and bodies that can make you ill.'],
      todo: [
        'You have done nothing wrong, and you are not in trouble.',
        'Do you worry about food or how you look? Tell a grown-up you trust. They can help.',
      ],
      help: ['childline', 'beat'],
    },
    {
      heading: 'You deserve better than this site',
      why: [
        'We keep sites that encourage eating disorders closed, because they make people ill.',
        'You are not in trouble. If food or your body is on your mind a lot, talking to someone helps.',
      ],
      todo: ['Tell someone you trust: a friend, a teacher, the school nurse, someone at home.'],
      help: ['beat', 'childline', 'shout'],
    },
    {
      heading: 'Support is there if you need it',
      why: ['This site is blocked because it is listed for encouraging eating disorders.'],
      todo: [
        'If you are worried about a pupil, speak to the designated safeguarding lead.',
        'If you need the site for your work, ask for it below and quote the reference.',
      ],
      help: ['beat', 'samaritans', 'childline'],
    },
  ),
  abuse: byVoice(
    { tone: 'help', urgent: true },
    {
      heading: 'You can always tell someone',
      why: ['This page is blocked. It may be about people who hurt or scare others.'],
      todo: [
        'You are not in trouble.',
        'Is someone hurting you, scaring you or asking you to keep a bad secret? It is not your fault. Tell a grown-up you trust.',
      ],
      help: ['childline', 'ceop'],
    },
    {
      heading: 'If someone is hurting you, it is not your fault',
      why: [`This site is blocked because it is listed under “${CATEGORY}”.`],
      todo: [
        'You are not in trouble. If someone hurts, threatens or pressures you, online or at home, tell an adult you trust.',
        'If they have pictures of you, help is there for that too.',
      ],
      help: ['childline', 'ceop', 'shout'],
    },
    {
      heading: 'This page is blocked',
      why: [`This site is blocked because it is listed under “${CATEGORY}”.`],
      todo: [
        'If you are worried about a pupil, speak to the designated safeguarding lead today.',
        'If you need the site for your work, ask for it below and quote the reference.',
      ],
      help: ['nspcc', 'ceop', 'childline'],
    },
  ),
  drugs: byVoice(
    { help: ['frank'] },
    { why: ['This page is about drugs, drink or smoking. Your school keeps it closed for you.'], help: ['childline'] },
    {
      why: [`This site is in the group “${CATEGORY}”, which your school does not open for your year group.`],
      todo: [
        'If you want plain facts, or worry about yourself or a friend, FRANK will answer without judging.',
        'If you need this for school work, ask the person named here and give them the reference.',
      ],
    },
    { why: [`This site is in the category “${CATEGORY}”, which the school’s policy does not open for your account.`] },
  ),
  gambling: byVoice(
    { help: ['gambling'] },
    {
      why: ['This page is about playing games for money. That is only for grown-ups.'],
      help: [],
    },
    {
      why: ['Gambling sites are for adults only, and your school keeps them closed.'],
      todo: [
        'If you, a friend or someone at home plays more than is good, you can get help. It is free and private.',
        'If you need this for school work, ask the person named here and give them the reference.',
      ],
    },
    { why: ['Gambling sites are not open on the school’s network.'] },
  ),
  security: byVoice(
    { heading: 'This site is not safe' },
    {
      why: ['This page may harm your computer or play a trick on you. We have kept it away from you.'],
      todo: [
        'You are not in trouble. Close this page.',
        'Did you type a password, or did a message send you here? Tell the person named here now.',
      ],
    },
    {
      why: [
        'This site is known to spread harmful programs or to steal passwords. It was stopped before it could load.',
      ],
      todo: [
        'You have done nothing wrong. Do not try to reach it another way.',
        'If a message sent you here, or you typed a password, tell the person named here now.',
      ],
    },
    {
      why: [`This site is listed under “${CATEGORY}”: it is known to spread malware or to steal passwords.`],
      todo: [
        'Do not open it on another network either.',
        'If a message led you here, or you entered a password, change the password and tell us straight away.',
        'If you are sure that the listing is wrong, tell us and quote the reference.',
      ],
    },
  ),
  bypass: byVoice(
    {},
    {
      why: [
        'This page helps people hide what they do online. Your school keeps it closed, so that it can keep you safe.',
      ],
    },
    {
      why: [
        `This site is in the group “${CATEGORY}”: it is made for getting round filters like this one.`,
        'The filter is there to keep you safe. If it stops something you need, ask for it to be opened.',
      ],
    },
    { why: [`This site is in the category “${CATEGORY}”: it would carry traffic past the school’s filter.`] },
  ),
  adverts: byVoice(
    { todo: ['There is nothing for you to do.'] },
    { why: ['This is an advert, or something that watches what you look at. We keep those away.'] },
    { why: ['This is an advert or a tracker. Your school keeps those off its pages.'] },
    {
      why: ['This address serves adverts or trackers, which the school’s policy keeps out.'],
      todo: ['If a page you need does not work without it, tell us and quote the reference.'],
    },
  ),
  csam: byVoice(
    { heading: 'You cannot open this page', tone: 'help' },
    {
      why: ['Nobody may open this page. It breaks the law, because it may show a child being hurt.'],
      todo: [
        'Came here by accident? Then you have done nothing wrong.',
        'Tell a grown-up you trust, as soon as you can.',
        'If someone sent you here, or someone is hurting you, it is not your fault. Tell someone.',
      ],
      help: ['childline', 'ceop', 'stopItNow'],
    },
    {
      why: [
        'This address is listed because it may show the sexual abuse of children. Nobody may open it: the law forbids looking for, viewing or keeping such images.',
        'Each one is the record of a real child being hurt. The address is not shown here.',
      ],
      todo: [
        'If you came here by accident or someone sent you the link, tell an adult you trust. You have done nothing wrong.',
        'If there are pictures of you online, or you worry about your own thoughts, you can get help without being judged.',
      ],
      help: ['childline', 'ceop', 'stopItNow', 'iwf'],
    },
    {
      why: [
        'Access was refused: this address is on a list of pages that may contain images of child sexual abuse. Making, viewing, sharing or holding such images is a serious criminal offence.',
        'Each one is the record of a real child being abused. The address is not shown here.',
      ],
      todo: [
        'If you came here by accident, write down when and how, and tell the designated safeguarding lead now. Do not try the address again.',
        'If you are troubled by your own thoughts or behaviour, or by someone else’s, call Stop It Now.',
        'If you believe that the listing is a mistake, tell the safeguarding lead. The school cannot open it.',
      ],
      help: ['stopItNow', 'iwf', 'nspcc'],
    },
  ),
  terrorism: byVoice(
    { heading: 'You cannot open this page', tone: 'help' },
    {
      why: ['Nobody may open this page. It breaks the law, because it may ask people to hurt others.'],
      todo: ['Came here by accident? Then you have done nothing wrong.', 'Tell a grown-up you trust.'],
      help: ['childline'],
    },
    {
      why: ['This address is listed as unlawful terrorist material. Nobody may open it, and it is not shown here.'],
      todo: [
        'If you came here by accident or someone sent you the link, tell an adult you trust.',
        'If someone is drawing you or a friend into something that worries you, talk about it early. You will be listened to.',
      ],
      help: ['actEarly', 'childline'],
    },
    {
      why: ['This address is listed as unlawful terrorist material. Nobody may open it, and it is not shown here.'],
      todo: ['Tell the designated safeguarding lead when and how you came to it. The school cannot open it.'],
      help: ['actEarly'],
    },
  ),
  illegal: byVoice(
    { heading: 'You cannot open this page', tone: 'help' },
    {
      why: ['Nobody may open this page, because it breaks the law.'],
      todo: ['Came here by accident? Then you have done nothing wrong.', 'Tell a grown-up you trust.'],
      help: ['childline'],
    },
    {
      why: ['This address is on a list of unlawful pages. Nobody may open it, and it is not shown here.'],
      todo: ['If you came here by accident or someone sent you the link, tell an adult you trust.'],
      help: ['childline'],
    },
    {
      why: ['This address is on a list of unlawful pages. Nobody may open it, and it is not shown here.'],
      todo: ['Tell the designated safeguarding lead when and how you came to it. The school cannot open it.'],
    },
  ),
} as const satisfies Record<string, WordsByVoice>;
