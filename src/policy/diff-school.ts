import { CARDS_KEPT } from '../identity/identify.ts';
import { DAY_ENDS, timeOfDay } from '../identity/signed-in-devices.ts';
import { type PolicyChange, compare } from './diff-rules.ts';
import { wordingText } from './compile-wording.ts';
import { DAYS } from './document.ts';
import { entryText } from './entry.ts';
import { SHIPPED_REPORT_TIMES } from './report-times.ts';
import { ALL_KEPT, KEPT, daysKept } from './retention-rules.ts';
import type { PolicySnapshot } from './snapshot.ts';

type Two = readonly [before: PolicySnapshot, after: PolicySnapshot];

/** Differences in what holds for the whole school. */
export function diffSchool(...[before, after]: Two): PolicyChange[] {
  const never = compare(before.never.map(entryText), after.never.map(entryText));
  return [
    ...changed('The school’s name', before.school, after.school, false),
    ...changed('The time zone', before.timeZone, after.timeZone, true),
    ...changed('Whom pupils are sent to', before.contacts.pupils, after.contacts.pupils, false),
    ...changed('Whom staff are sent to', before.contacts.staff, after.contacts.staff, false),
    ...diffIncidentContacts(before, after),
    ...diffChecks(before, after),
    ...diffReportTimes(before, after),
    ...diffWording(before, after),
    ...changed('The level of whoever is not identified', before.strictestLevel, after.strictestLevel, true),
    ...changed('The identity mode', before.identity.mode, after.identity.mode, after.identity.mode === 'open'),
    ...never.added.map((site) => ({ text: `Nobody may open ${site} any more`, loosens: false, tightens: true })),
    ...never.removed.map((site) => ({ text: `${site} is no longer closed for everybody`, loosens: true })),
    ...diffRanges(before, after),
    ...diffSignIn(before.identity, after.identity),
    ...diffRosterLevels(before, after),
    ...diffAgreements(before, after),
    ...changed('Who may publish what only closes something for pupils', alone(before), alone(after), false),
    ...diffRetention(before, after),
    ...diffNetwork(before.network, after.network),
    ...diffTraits(before, after),
  ];
}

function changed(what: string, before: string | number, after: string | number, loosens: boolean): PolicyChange[] {
  return before === after ? [] : [{ text: `${what} is now ${after} (was ${before})`, loosens }];
}

function diffChecks(...[before, after]: Two): PolicyChange[] {
  const days = ({ checks }: PolicySnapshot): string => String(checks?.everyDays ?? 'not said');
  const sites = ({ checks }: PolicySnapshot): string =>
    [
      ...Object.entries(checks?.refused ?? {}).map(([category, host]) => `${category}: ${host}`),
      ...(checks?.open ?? []),
    ].join(', ') || 'none';
  return [
    ...changed('How many days may pass between two checks of the filter', days(before), days(after), false),
    ...changed('The school’s own samples for the self-test', sites(before), sites(after), false),
  ];
}

/** Whether a report that comes later tells less cannot be seen: none of it loosens anything for pupils. */
function diffReportTimes(...[before, after]: Two): PolicyChange[] {
  const said = ({ reports = SHIPPED_REPORT_TIMES }: PolicySnapshot) => {
    const { digest, weekly, governors } = reports;
    const days = digest.days?.map((day) => DAYS[day]).join(' ') ?? 'every day';
    return {
      digest: `at ${timeOfDay(digest.at)}, ${days}`,
      weekly: `at ${timeOfDay(weekly.at)}, ${DAYS[weekly.day]}`,
      governors: `at ${timeOfDay(governors.at)}, day ${governors.day} of the month`,
    };
  };
  const [was, is] = [said(before), said(after)];
  return [
    ...changed('When the digest of concerns is mailed', was.digest, is.digest, false),
    ...changed('When the weekly report is mailed', was.weekly, is.weekly, false),
    ...changed('When the governors’ report is mailed', was.governors, is.governors, false),
  ];
}

function diffIncidentContacts(...[before, after]: Two): PolicyChange[] {
  return (['police', 'iwf', 'lado', 'ceop', 'school'] as const).flatMap((who) => {
    const said = ({ contacts }: PolicySnapshot): string => contacts.incidents?.[who] ?? 'not said';
    const name = who === 'police' || who === 'school' ? `the ${who}` : who.toUpperCase();
    return changed(`The contact of ${name} for incidents`, said(before), said(after), false);
  });
}

function diffWording(...[before, after]: Two): PolicyChange[] {
  return (['csam', 'terrorism'] as const).flatMap((category) => {
    const said = ({ illegal }: PolicySnapshot): string => wordingText(illegal?.[category]) ?? 'our own words';
    const title = after.categories[category]?.title ?? category;
    return changed(`What the page about ${title} says`, said(before), said(after), false);
  });
}

function diffRanges(...[before, after]: Two): PolicyChange[] {
  const text = (range: PolicySnapshot['identity']['ranges'][number]): string =>
    `${range.name} (${range.cidr}) as ${range.level}`;
  const ranges = compare(before.identity.ranges.map(text), after.identity.ranges.map(text));
  return [
    ...ranges.added.map((range) => ({ text: `Devices are now known by their address: ${range}`, loosens: true })),
    // Without its range an address may fall into a wider one, whose level may be weaker.
    ...ranges.removed.map((range) => ({
      text: `Devices are no longer known by their address: ${range}`,
      loosens: true,
    })),
  ];
}

function diffSignIn(before: PolicySnapshot['identity'], after: PolicySnapshot['identity']): PolicyChange[] {
  const shared = compare(before.shared ?? [], after.shared ?? []);
  const [wasEnd, end] = [before.schoolDayEnds ?? DAY_ENDS, after.schoolDayEnds ?? DAY_ENDS];
  return [
    ...shared.added.map((range) => ({ text: `Nobody can sign in by address from ${range} any more`, loosens: false })),
    ...shared.removed.map((range) => ({ text: `People can sign in by address from ${range}`, loosens: true })),
    ...diffList(
      'Levels that keep the password on their log-in card',
      before.keepCards ?? CARDS_KEPT,
      after.keepCards ?? CARDS_KEPT,
      true,
    ),
    ...changed('The end of the school day', timeOfDay(wasEnd), timeOfDay(end), end > wasEnd),
  ];
}

/** Which level is the weaker one cannot be told from its name: every change counts as one that may loosen. */
function diffRosterLevels(...[before, after]: Two): PolicyChange[] {
  const text = ({ identity }: PolicySnapshot): string[] => [
    ...Object.entries(identity.levels?.years ?? {}).map(([year, level]) => `year ${year} has ${level}`),
    ...Object.entries(identity.levels?.roles ?? {}).map(([role, level]) => `${role} has ${level}`),
  ];
  const levels = compare(text(before), text(after));
  return [
    ...levels.added.map((one) => ({ text: `Levels of people from a roster: ${one}`, loosens: true })),
    ...levels.removed.map((one) => ({ text: `Levels of people from a roster: no longer ${one}`, loosens: false })),
  ];
}

/** Another word is another agreement, which everybody is asked for again. */
function diffAgreements(...[before, after]: Two): PolicyChange[] {
  const told = ({ agreements }: PolicySnapshot): string[] =>
    Object.entries(agreements?.levels ?? {}).map(
      ([level, { title, by, version }]) =>
        `${level}, “${title}”${by === 'parent' ? ', accepted by a parent' : ''} (version ${version})`,
    );
  const begins = ({ agreements }: PolicySnapshot): string => agreements?.yearBegins ?? 'not set';
  const { added, removed } = compare(told(before), told(after));
  return [
    ...added.map((one) => ({ text: `People are asked for an agreement: ${one}`, loosens: false })),
    ...removed.map((one) => ({ text: `Nobody is asked any more for the agreement: ${one}`, loosens: true })),
    ...changed('The day from which everybody is asked again', begins(before), begins(after), true),
  ];
}

function alone({ changes }: PolicySnapshot): string {
  return changes?.tighteningAlone === true ? 'one person' : 'two people';
}

function diffRetention(...[before, after]: Two): PolicyChange[] {
  return ALL_KEPT.flatMap((kept) => {
    const [was, is] = [daysKept(before.retention, kept), daysKept(after.retention, kept)];
    return changed(`Days that are kept of “${KEPT[kept].title}”`, was, is, false);
  });
}

function diffNetwork(before: PolicySnapshot['network'], after: PolicySnapshot['network']): PolicyChange[] {
  const connect = (network: PolicySnapshot['network']): string[] =>
    network.connectPorts.map(({ port, tls }) => `${port}${tls ? '' : ' (not TLS)'}`);
  const ports = (network: PolicySnapshot['network']): string[] => network.httpPorts.map(String);
  return [
    ...diffList('Clients that may use the proxy', before.clients, after.clients, false),
    ...diffList('Private addresses that may be reached', before.allowDestinations, after.allowDestinations, true),
    ...diffList('Ports for https', connect(before), connect(after), true),
    ...diffList('Ports for plain http', ports(before), ports(after), true),
    ...changed(
      'The limit of connections for each device',
      before.connectionsPerClient,
      after.connectionsPerClient,
      false,
    ),
    ...changed('The limit of connections altogether', before.connections, after.connections, false),
  ];
}

function diffList(
  what: string,
  before: readonly string[],
  after: readonly string[],
  addedLoosens: boolean,
): PolicyChange[] {
  const { added, removed } = compare(before, after);
  return [
    ...added.map((one) => ({ text: `${what}: ${one} is new`, loosens: addedLoosens })),
    ...removed.map((one) => ({ text: `${what}: ${one} is gone`, loosens: false })),
  ];
}

function diffTraits(...[before, after]: Two): PolicyChange[] {
  const changes: PolicyChange[] = [];
  for (const [id, { title, locked, flag }] of Object.entries(after.categories)) {
    const old = before.categories[id];
    if (old === undefined) changes.push({ text: `The category ${title} is new`, loosens: false });
    if (old !== undefined && old.title !== title)
      changes.push({ text: `The category ${old.title} is now called ${title}`, loosens: false });
    if (old?.locked === true && !locked) changes.push({ text: `${title} is no longer locked`, loosens: true });
    if (old?.locked === false && locked)
      changes.push({ text: `${title} is now locked: always blocked`, loosens: false });
    if (old?.flag === true && !flag)
      changes.push({ text: `${title} is no longer flagged for an adult`, loosens: true });
    if (old?.flag === false && flag) changes.push({ text: `${title} is now flagged for an adult`, loosens: false });
  }
  for (const [id, { title }] of Object.entries(before.categories)) {
    if (!Object.hasOwn(after.categories, id)) changes.push({ text: `The category ${title} is gone`, loosens: true });
  }
  return changes;
}
