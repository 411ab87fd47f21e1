import { byVoice, type WordsByVoice } from './words.ts';

const AGAIN_CHILD = 'Wait a minute, then try again.';
const TELL_CHILD = 'Still not working? Tell the person named here.';

/** What a refusal says where something other than the site's topic decided. */
export const REASON_WORDS = {
  school: byVoice(
    {},
    { why: ['Your school has chosen to keep this site closed.'] },
    { why: ['Your school has chosen to keep this site closed for everyone.'] },
    {
      why: ['This site is on the school’s never-list, which stands above every other rule.'],
      todo: ['If you think that it should come off the list, tell us why and quote the reference.'],
    },
  ),
  list: byVoice(
    {},
    { why: ['Your school has chosen to keep this site closed for you.'] },
    { why: ['Your school has put this site on the list of those it keeps closed for your year group.'] },
    { why: ['The school’s policy lists this site as closed for your account.'] },
  ),
  group: byVoice(
    {},
    { why: ['This site is closed for your class.'] },
    { why: ['This site is closed for your class or group.'] },
    { why: ['This site is closed for a class or group you belong to.'] },
  ),
  person: byVoice(
    {},
    {
      why: ['This site is closed for you just now.'],
      todo: ['Ask the person named here. They can tell you why.'],
    },
    {
      why: ['This site has been closed for you.'],
      todo: ['Ask the person named here why, and for how long. Give them the reference.'],
    },
    {
      why: ['This site has been closed for your account.'],
      todo: ['Ask below why, and for how long. Quote the reference.'],
    },
  ),
  suspended: byVoice(
    { heading: 'The internet is closed for you just now' },
    {
      why: ['A grown-up at school has stopped the internet for you for a while.'],
      todo: ['Talk to the person named here. They can tell you why, and when it opens again.'],
    },
    {
      why: ['Your internet access has been stopped for now.'],
      todo: ['Talk to the person named here. They can tell you why, and when it opens again.'],
    },
    {
      why: ['The internet access of your account has been suspended.'],
      todo: ['Ask below why, and until when. Quote the reference.'],
    },
  ),
  lesson: byVoice(
    { heading: 'Not in this lesson' },
    {
      why: ['In this lesson you can only use the sites your teacher has picked.'],
      todo: ['Go back to the page your teacher showed you.', 'Not sure which one? Ask your teacher.'],
    },
    {
      why: ['Your teacher has set which sites are open during this lesson, and this is not one of them.'],
      todo: ['Use the sites for the lesson. If you need this one for the task, ask your teacher.'],
    },
    {
      why: ['A lesson list is in force: only the sites on it are open until it ends.'],
      todo: ['If the class needs this site, ask the teacher who set the list.'],
    },
  ),
  uncategorised: byVoice(
    {},
    {
      why: ['We do not know this site yet, so it stays closed to keep you safe.'],
    },
    { why: ['Nobody has sorted this site into a group yet. Your school opens only sites it knows.'] },
    { why: ['This site is in no category yet, and the policy for your account opens only sites that are.'] },
  ),
  download: byVoice(
    { heading: 'This file cannot be downloaded' },
    {
      why: ['This is a kind of file that can change or harm a computer, so it stays closed.'],
      todo: ['You are not in trouble. Ask the person named here if you need it.'],
    },
    {
      why: ['Programs and similar files cannot be downloaded here, because they can harm the school’s computers.'],
      todo: ['If you need it for school work, ask the person named here and give them the reference.'],
    },
    { why: ['The policy for your account does not allow files of this kind to be downloaded.'] },
  ),
  schedule: byVoice(
    { heading: 'The internet is closed at this time' },
    {
      why: ['Your school has times when the internet is open. Now is not one of them.'],
      todo: ['Come back when it is open.', 'Not sure when that is? Ask the person named here.'],
    },
    {
      why: ['Your school sets the hours in which you can use the internet, and this is outside them.'],
      todo: ['Try again when it is open. If you need it now for school work, ask the person named here.'],
    },
    { why: ['The policy for your account allows internet access at set hours only, and this is outside them.'] },
  ),
  identity: byVoice(
    { heading: 'Please sign in first' },
    {
      why: ['We do not know who is asking, so the page stays closed.'],
      todo: [
        'Open a new page and type the name and password your school gave you.',
        'Ask your teacher if you are stuck.',
      ],
    },
    {
      why: ['The filter has to know who you are before it can open pages.'],
      todo: [
        'Reload the page and sign in with your school account.',
        'If that does not work, ask the person named here.',
      ],
    },
    {
      why: ['The filter has to know who you are before it can open pages.'],
      todo: ['Reload the page and sign in with your school account.', 'If that does not work, contact us below.'],
    },
  ),
  password: byVoice(
    { heading: 'Choose your own password first' },
    {
      why: ['You signed in with the password from your card. It is only for the first time.'],
      todo: ['Ask your teacher to help you choose your own password at schoolgate.internal/password.'],
    },
    {
      why: ['You signed in with the password from your card, which is only good for choosing your own.'],
      todo: ['Go to schoolgate.internal/password and choose a password that only you know.'],
    },
    {
      why: ['You signed in with a temporary password, which is only good for choosing your own.'],
      todo: ['Go to schoolgate.internal/password and choose a password that only you know.'],
    },
  ),
  agreement: byVoice(
    { heading: 'One thing to do first' },
    {
      why: ['You have not yet said yes to the school’s rules for the internet.'],
      todo: ['Go to schoolgate.internal/agreement to see what is missing, or ask your teacher.'],
    },
    {
      why: ['You have not yet accepted the school’s rules for using the internet.'],
      todo: ['Go to schoolgate.internal/agreement, read them and accept them.'],
    },
    {
      why: ['You have not yet accepted the school’s acceptable use agreement.'],
      todo: ['Go to schoolgate.internal/agreement, read it and accept it.'],
    },
  ),
  malformed: byVoice(
    { heading: 'That address does not work' },
    {
      why: ['The address of this page has a mistake in it.'],
      todo: ['Look at the spelling, letter by letter, and try again.', 'Or go back and click another link.'],
    },
    {
      why: ['The address is not written in a way that the filter can read for certain, so it was not opened.'],
      todo: ['Check the spelling. A link that hides a name or password in the address is never opened.'],
    },
    {
      why: [
        'The request has no form that can be judged for certain (its address, its host or its length), so it was refused.',
      ],
      todo: ['Check the address. If a program on your device sends this, tell us and quote the reference.'],
    },
  ),
  protocol: byVoice(
    { heading: 'That kind of link does not work here' },
    {
      why: ['This link is not a web page.'],
      todo: ['Go back and click another link.', 'Ask the person named here if you need it.'],
    },
    {
      why: ['Only web pages (http and https) can be opened here, and this is something else.'],
      todo: ['If you need it for school work, ask the person named here and give them the reference.'],
    },
    { why: ['The filter carries http and https only; this connection speaks, or asks for, something else.'] },
  ),
  port: byVoice(
    { heading: 'That address does not work here' },
    { why: ['This page is at an unusual place that your school keeps closed.'] },
    { why: ['This site uses an unusual port number. Your school opens only the usual ones.'] },
    { why: ['This port is not among those the school’s network opens for web traffic.'] },
  ),
  destination: byVoice(
    { heading: 'That address does not work here' },
    { why: ['This is the address of a machine in the building, not of a web page.'] },
    { why: ['This address belongs to a private network or to one of the school’s own machines, not to the internet.'] },
    {
      why: ['This name leads to a private, local or reserved address, which the filter does not connect to.'],
      todo: ['If it is a service of the school, ask us to add its range to the allowed destinations.'],
    },
  ),
  limit: byVoice(
    { heading: 'Very busy just now', tone: 'fault' },
    { why: ['So many people are online that we could not open your page.'], todo: [AGAIN_CHILD, TELL_CHILD] },
    {
      why: ['Too many pages were asked for at once, here or by this device.'],
      todo: ['Close tabs you do not need, wait a minute, then reload.'],
    },
    {
      why: ['The filter, or this device, has reached its limit of open connections. Nothing is let past unchecked.'],
      todo: ['Wait a minute, then reload. If it stays like this, tell us below.'],
    },
  ),
  fault: byVoice(
    { heading: 'Something went wrong on our side', tone: 'fault' },
    {
      why: [
        'The school’s filter had a problem. It is our fault, not yours.',
        'When we cannot check a page, it stays closed.',
      ],
      todo: [AGAIN_CHILD, TELL_CHILD],
    },
    {
      why: [
        'The school’s filter had a problem and could not check this page. That is our fault, not yours.',
        'What cannot be checked stays closed.',
      ],
      todo: [
        'Wait a minute, then reload.',
        'If it happens again, tell the person named here and give them the reference.',
      ],
    },
    {
      why: ['The filter failed while it judged this request. That is our fault; what cannot be checked stays closed.'],
      todo: ['Reload in a minute. If it happens again, tell us below and quote the reference: it leads to the fault.'],
    },
  ),
  unreachable: byVoice(
    { heading: 'This site does not answer', tone: 'fault' },
    {
      why: ['The site is not working just now. It is not blocked.'],
      todo: ['Look at the spelling of the address.', AGAIN_CHILD, TELL_CHILD],
    },
    {
      why: ['The site could not be reached. It is not blocked: the address may be wrong, or the site is down.'],
      todo: [
        'Check the address, then try again in a few minutes.',
        'If other sites fail as well, tell the person named here.',
      ],
    },
    {
      why: ['The site could not be reached, or its answer was not usable. It is not blocked.'],
      todo: ['Check the address, then try again in a few minutes.', 'If other sites fail as well, tell us below.'],
    },
  ),
  slow: byVoice(
    { heading: 'This site takes too long', tone: 'fault' },
    { why: ['The site did not answer in time. It is not blocked.'], todo: [AGAIN_CHILD, TELL_CHILD] },
    {
      why: ['The site did not answer in time. It is not blocked.'],
      todo: ['Try again in a few minutes.', 'If other sites fail as well, tell the person named here.'],
    },
    {
      why: ['The site did not answer in time. It is not blocked.'],
      todo: ['Try again in a few minutes.', 'If other sites fail as well, tell us below.'],
    },
  ),
} as const satisfies Record<string, WordsByVoice>;
