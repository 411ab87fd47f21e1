import t from 'tap';
import type { AlertDue } from '../../src/alerts/model.ts';
import { routeAlert, type Surroundings } from '../../src/alerts/routing.ts';
import type { Person } from '../../src/identity/accounts.ts';
import type { Role } from '../../src/identity/roles.ts';
import { type AlertRules, SHIPPED_ALERTS } from '../../src/policy/alert-rules.ts';
import { createMomentAt } from '../../src/policy/schedule.ts';

const person = (id: string, ...roles: Role[]): Person => ({ id, userName: id, fullName: id, roles });
const PEOPLE = [
  person('lead', 'safeguarding-lead'),
  person('deputy', 'safeguarding-lead'),
  person('head', 'headteacher'),
  person('chair', 'chair-of-governors'),
  person('tutor', 'teacher'),
  person('gone'),
];
const MONDAY_NOON = Date.UTC(2026, 10, 23, 12);
const DUE: AlertDue = {
  id: '01J0000000000000000000000A',
  about: 'concern:01J0000000000000000000000C',
  theme: 'self-harm',
  severity: 'danger',
  why: 'opened',
  at: MONDAY_NOON,
  subjects: { personIds: ['pupil'], isStaff: false },
  subjectName: 'Pat Pupil',
  level: 'ks3',
  groups: ['9X'],
};

function routed(due: Partial<AlertDue>, rules: Partial<AlertRules> = {}, at = MONDAY_NOON, people = PEOPLE): string {
  const moment = createMomentAt({ timeZone: 'Europe/London' })(at);
  const around: Surroundings = { rules: { ...SHIPPED_ALERTS, ...rules }, people, moment };
  const { steps, afterMinutes, webhooks, isQuiet } = routeAlert({ ...DUE, ...due }, around);
  const groups = steps.map((group) => group.map(({ id }) => id).join('+')).join(' > ');
  return `${groups || (isQuiet ? 'the page' : 'nobody')}${steps.length > 1 ? ` after ${afterMinutes}` : ''}${webhooks.map((name) => ` & ${name}`).join('')}`;
}

const ROUTES: AlertRules['routes'] = [
  {
    name: 'At night',
    rule: 'alerts.yaml#routes.At night',
    severities: ['danger'],
    when: [{ days: [0, 1, 2, 3, 4, 5, 6], from: 1080, to: 1920 }],
    tell: [{ onCall: true }],
    webhooks: ['records'],
    escalate: { afterMinutes: 10, to: [[{ role: 'safeguarding-lead' }], [{ role: 'headteacher' }]] },
  },
  { name: 'Form', rule: 'r', groups: ['9X'], themes: ['bullying'], tell: [{ user: 'tutor' }], webhooks: [] },
  { name: 'Small', rule: 'r', severities: ['advisory'], tell: [], webhooks: [] },
  { name: 'Rest', rule: 'r', tell: [{ role: 'safeguarding-lead' }], webhooks: [] },
];

void t.test('theme, severity, group and hours choose the route', async (t) => {
  const rules = { routes: ROUTES, onCall: [{ user: 'deputy', from: '2026-11-23', to: '2026-11-24' }] };
  const night = MONDAY_NOON + 10 * 3_600_000;
  t.equal(routed({}), 'lead+deputy > head after 30', 'as shipped');
  t.equal(routed({ severity: 'advisory' }), 'the page', 'as shipped nobody is called for an advisory one');
  t.equal(routed({}, rules), 'lead+deputy');
  t.equal(routed({}, rules, night), 'deputy > lead > head after 10 & records', 'nobody is told twice');
  t.equal(
    routed({}, rules, night + 4 * 3_600_000),
    'deputy > lead > head after 10 & records',
    'after midnight as well',
  );
  t.equal(routed({}, rules, night + 48 * 3_600_000), 'lead+deputy > head after 10 & records', 'nobody is on call');
  t.equal(routed({ theme: 'bullying', severity: 'caution' }, rules), 'tutor');
  t.equal(routed({ theme: 'bullying', severity: 'caution', groups: [] }, rules), 'lead+deputy');
  t.equal(routed({ severity: 'advisory' }, rules), 'the page', 'the school wants nobody told');
});

void t.test('an alert never falls silent because nobody holds the role that a route names', async (t) => {
  const route = { name: 'x', rule: 'r', webhooks: [] };
  t.equal(routed({}, { routes: [{ ...route, tell: [{ user: 'nobody' }] }] }), 'lead+deputy > head > chair after 30');
  t.equal(routed({}, { routes: [{ ...route, tell: [{ user: 'gone' }] }] }), 'lead+deputy > head > chair after 30');
  t.equal(routed({}, {}, MONDAY_NOON, [person('tutor', 'teacher')]), 'nobody');
});

void t.test('an alert about staff takes no route of the school’s', async (t) => {
  const tellAll: AlertRules = {
    ...SHIPPED_ALERTS,
    webhooks: { records: 'https://records.example/' },
    routes: [{ name: 'x', rule: 'r', tell: [{ role: 'safeguarding-lead' }, { user: 'tutor' }], webhooks: ['records'] }],
  };
  const about = (...personIds: string[]) => ({ subjects: { personIds, isStaff: true } });
  t.equal(routed(about('tutor'), tellAll), 'head > chair after 30');
  t.equal(routed(about('head'), tellAll), 'chair');
  t.equal(routed(about('chair'), tellAll), 'nobody');
});

void t.test('nobody hears by a mailbox that a subject reads', async (t) => {
  const subjects = { personIds: ['lead'], isStaff: false };
  t.equal(routed({ subjects }), 'deputy > head after 30');
  const mail = { lead: 'Safeguarding@school.example', deputy: 'safeguarding@school.example' };
  t.equal(routed({ subjects }, { mail }), 'head');
});
