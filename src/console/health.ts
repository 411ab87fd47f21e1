import { ageText } from '../categories/age-text.ts';
import { localText } from '../kernel/local-time.ts';
import type { KnownGateway } from '../safeguarding/model.ts';
import type { HealthLine, OverviewOptions } from './overview.ts';
import { DAY_MS } from '../kernel/clock.ts';

/** A gateway says how it is each minute; this long without it is silence, ms. */
const SILENT_MS = 3 * 60_000;
/** How far two clocks may be apart, ms: what a gateway says is a while on its way. */
const APART_MS = 2 * 60_000;

/** How everything is that can be told at once, what people rely on most first. */
export function healthLines(options: OverviewOptions): readonly HealthLine[] {
  return [
    ...gatewayLines(options),
    policyLine(options),
    listsLine(options),
    alertsLine(options),
    mailLine(options),
    backupLine(options),
    parkedLine(options),
    clockLine(options),
  ];
}

function gatewayLines(options: OverviewOptions): readonly HealthLine[] {
  const known = options.safeguarding.gateways();
  if (known.length > 0) return known.map((gateway) => gatewayLine(options, gateway));
  return [{ name: 'Gateway', status: 'warning', text: 'None has said how it is yet. Each does so within a minute.' }];
}

function gatewayLine({ publishing, clock, timeZone }: OverviewOptions, gateway: KnownGateway): HealthLine {
  const name = `Gateway ${gateway.gateway}`;
  const { workers, up, serial, heardAt, at } = gateway;
  const newest = publishing.serial('policy');
  if (clock() - heardAt > SILENT_MS)
    return {
      name,
      status: 'failed',
      text: `Silent since ${localText(heardAt, timeZone())}. Is it switched on, and does it reach the bus?`,
    };
  if (up < workers) return { name, status: 'failed', text: `${up} of ${workers} workers are up. Its log says why.` };
  if (serial < newest)
    return {
      name,
      status: 'warning',
      text: `It enforces policy ${serial}, and ${newest} is the newest. It should have it within seconds.`,
    };
  const apart = Date.parse(at) - heardAt;
  if (Math.abs(apart) > APART_MS)
    return {
      name,
      status: 'warning',
      text: `Its clock is ${ageOf(apart)} ${apart > 0 ? 'ahead of' : 'behind'} ours: set both by NTP.`,
    };
  return { name, status: 'ok', text: `All ${workers} workers are up and enforce policy ${serial}.` };
}

function ageOf(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  return minutes < 60 ? `${minutes} minutes` : ageText(Math.abs(ms));
}

function policyLine({ policy, publishing, clock }: OverviewOptions): HealthLine {
  const line = { name: 'Policy', href: '/policy' };
  const { published, disk } = policy.status();
  if (published === null)
    return { ...line, status: 'failed', text: 'None is published, so gateways refuse everything.' };
  if (publishing.isWaiting())
    return {
      ...line,
      status: 'warning',
      text: 'The bus has not taken the last change; it is tried again every second.',
    };
  if (disk !== 'same')
    return {
      ...line,
      status: 'warning',
      text: `The files on disk ${disk === 'invalid' ? 'cannot be used' : 'differ from it'}.`,
    };
  const age = ageText(clock() - published.publishedAt);
  return { ...line, status: 'ok', text: `Version ${published.serial}, in force for ${age}, as the files say.` };
}

/** A list that is fetched has missed a week: timetables are of hours or days. */
function listsLine({ lists, listUpdates, clock }: OverviewOptions): HealthLine {
  const line = { name: 'Lists', href: '/lists' };
  const { illegalListLoaded, problem, names } = lists();
  if (problem !== null) return { ...line, status: 'failed', text: problem };
  const all = listUpdates.status();
  const absent = all.filter(({ health }) => health === 'not-loaded');
  if (absent.length > 0)
    return { ...line, status: 'failed', text: `${idsOf(absent)} did not load: nothing is filtered by it.` };
  const failing = all.filter(({ fetch }) => fetch !== null && fetch.error !== null);
  if (failing.length > 0) return { ...line, status: 'warning', text: `${idsOf(failing)} could not be fetched.` };
  const old = all.filter(({ fetch }) => clock() - Date.parse(fetch?.fetchedAt ?? '') > 7 * DAY_MS);
  if (old.length > 0) return { ...line, status: 'warning', text: `${idsOf(old)} was not renewed for a week.` };
  if (!illegalListLoaded) return { ...line, status: 'warning', text: 'No list of illegal content is loaded.' };
  return {
    ...line,
    status: 'ok',
    text: `${names.toLocaleString('en-GB')} names, all lists as their sources have them.`,
  };
}

function idsOf(lists: readonly { readonly id: string }[]): string {
  return lists.length === 1 ? lists[0]!.id : `${lists[0]!.id} and ${lists.length - 1} more`;
}

function alertsLine({ alertWatch }: OverviewOptions): HealthLine {
  const line = { name: 'Alerts' };
  if (alertWatch.isWell())
    return { ...line, status: 'ok', text: 'Gateways are heard, and what is to be told has left.' };
  const text = 'Gateways are silent in school hours, or something has waited for a quarter of an hour to be told.';
  return { ...line, status: 'failed', text };
}

function mailLine({ machine }: OverviewOptions): HealthLine {
  if (machine().sendsMail) return { name: 'Mail', status: 'ok', text: 'It leaves by the mail server.' };
  const text = 'It is written into data/outbox and leaves for nobody: set SCHOOLGATE_SMTP_URL.';
  return { name: 'Mail', status: 'warning', text };
}

function backupLine({ backups, clock }: OverviewOptions): HealthLine {
  const line = { name: 'Backups', href: '/backups' };
  const { recipient, folder, kept } = backups.state();
  if (recipient === null) return { ...line, status: 'failed', text: 'There is no recovery key, so none can be made.' };
  if (folder === null)
    return { ...line, status: 'warning', text: 'None is kept by itself: name a folder in SCHOOLGATE_BACKUP_DIR.' };
  const newest = kept[0];
  if (newest === undefined)
    return { ...line, status: 'warning', text: 'There is none yet; the first is made at 03:30.' };
  const age = clock() - Date.parse(/\d{4}-\d{2}-\d{2}/.exec(newest.name)?.[0] ?? '');
  if (age > 3 * DAY_MS) return { ...line, status: 'failed', text: `The newest is ${newest.name}. The alarms say why.` };
  return { ...line, status: 'ok', text: `The newest is ${newest.name}.` };
}

function parkedLine({ safeguarding }: OverviewOptions): HealthLine {
  const parked = safeguarding.parked();
  const name = 'Reports of gateways';
  if (parked === 0) return { name, status: 'ok', text: 'All were understood.' };
  const text = `${parked.toLocaleString('en-GB')} could not be understood and were put aside for a newer version.`;
  return { name, status: 'warning', text };
}

function clockLine({ clock, timeZone }: OverviewOptions): HealthLine {
  return { name: 'Clock', status: 'ok', text: `It is ${localText(clock(), timeZone())} in ${timeZone()}.` };
}
