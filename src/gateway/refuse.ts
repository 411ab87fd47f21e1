import { type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AccessRecord } from '../events/access-record.ts';
import { isoTime } from '../kernel/clock.ts';
import { closedUntil } from '../policy/closed-until.ts';
import { lessonNotice } from '../policy/lesson-lists.ts';
import { passEnd } from '../policy/passes.ts';
import { TEMPORARY_PASSWORD } from '../policy/steps.ts';
import type { Decision } from '../policy/verdict.ts';
import { type Admission, isWarned } from './admit.ts';
import { blockPage, errorPage, PAGE_CSP, type PageInput, type PageWarning, WARNING_CSP } from './block-page.ts';
import type { GatewayContext } from './context.ts';
import { PSEUDONYM } from './headers.ts';
import { accessRecord, announce, finish, type Outcome } from './record.ts';
import { discardBody } from './request-body.ts';
import { UpstreamError, upstreamError } from './upstream-error.ts';
import { warningOf } from './warning-ticket.ts';

/** Where everyone behind the proxy can ask why; answered by the front desk. */
export const FRONT_DESK_HOST = 'schoolgate.internal';
const FRONT_DESK_URL = `http://${FRONT_DESK_HOST}/`;

/** The one map from a refusal to its status. */
function refusalStatus(admission: Admission): number {
  const { reason, rule } = toldDecision(admission);
  switch (reason) {
    case 'malformed':
      return admission.ask.isTooLong === true ? 414 : 400;
    case 'identity':
      // Whoever has yet to choose a password is known: asked again, programs would send the same for ever.
      return rule === TEMPORARY_PASSWORD ? 403 : 407;
    case 'limit':
      return 503;
    default:
      return 403;
  }
}

function isUnreadable(status: number): boolean {
  return status === 400 || status === 414;
}

/** Fields of a refusal, name and value by turns (RFC 9209; RFC 9110 §11.7.1 for 407). */
function refusalFields(status: number, { illegal }: Admission): string[] {
  if (status === 407) {
    return ['Cache-Control', 'no-store', 'Proxy-Authenticate', 'Basic realm="Schoolgate", charset="UTF-8"'];
  }
  if (status === 503) return [...failureFields('connection_limit_reached'), 'Retry-After', '5'];
  if (illegal?.isCanary === true) return failureFields(`http_request_denied; details="canary ${illegal.lists[0]}"`);
  return failureFields(isUnreadable(status) ? 'http_request_error' : 'http_request_denied');
}

/**
 * The page of the front desk that somebody who opens a page is sent to, because something stands between them and the web; null
 * for everything else, such as parts of pages and programs. Whoever must sign in, and sits at a shared address or has sent a
 * name and password already, is asked with 407.
 */
function pageToPass(admission: Admission, { method, headers }: IncomingMessage): string | null {
  const { reason, rule } = toldDecision(admission);
  if (method !== 'GET' || headers.accept?.includes('text/html') !== true) return null;
  if (reason === 'agreement') return 'agreement';
  if (reason !== 'identity') return null;
  if (rule === TEMPORARY_PASSWORD) return 'password';
  const isAlone = !admission.snapshots.sharedAddresses.has(admission.ask.client);
  return isAlone && headers['proxy-authorization'] === undefined ? 'sign-in' : null;
}

/** Fields that describe a page of ours, which is ASCII. It is sent as text, so that head and page go out in one write. */
export function pageFields(page: string, csp = PAGE_CSP): string[] {
  const length = String(page.length);
  return ['Content-Security-Policy', csp, 'Content-Type', 'text/html; charset=utf-8', 'Content-Length', length];
}

/** Answers with a page of ours, and gives the bytes of its body. `fields`: name and value by turns. */
export function sendPage(
  response: ServerResponse,
  status: number,
  fields: readonly string[],
  page: string,
  csp?: string,
): number {
  response.writeHead(status, [...fields, ...pageFields(page, csp)]);
  if (response.req.method === 'HEAD') {
    response.end();
    return 0;
  }
  response.end(page, 'latin1');
  return page.length;
}

/** Answers a plain HTTP request with the block page. A flagged refusal is on the spool before its answer goes out. */
export function refuseHttp(
  context: GatewayContext,
  admission: Admission,
  response: ServerResponse,
  hasBody: boolean,
): void {
  if (admission.toldAs === 'unreachable') return hideHttp(context, admission, response);
  const page = pageToPass(admission, response.req);
  const status = page === null ? refusalStatus(admission) : 302;
  whenTold(context, admission, { status, up: 0, down: 0 }, (record) => {
    if (response.destroyed) return 0;
    const fields =
      page === null
        ? refusalFields(status, admission)
        : ['Cache-Control', 'no-store', 'Location', `${FRONT_DESK_URL}${page}`];
    // Where a request could be read in two ways, so could whatever follows it.
    if (isUnreadable(status)) fields.push('Connection', 'close');
    else if (hasBody) discardBody(response.req);
    const warning = isWarned(admission) && isNavigation(response.req) ? wayOn(context, admission, record) : null;
    return sendPage(
      response,
      status,
      fields,
      renderPage(admission, warning),
      warning === null ? PAGE_CSP : WARNING_CSP,
    );
  });
}

/** Whether going on can lead back to it: what was sent with another method is not sent a second time. */
function isNavigation({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** What the button of a warning carries, and until when the site would be open. */
function wayOn(
  { warnings, clock }: GatewayContext,
  { snapshots }: Admission,
  record: AccessRecord,
): PageWarning | null {
  const given = warningOf(record);
  if (given === null) return null;
  const { timeZone, identity } = snapshots.facts;
  return { ticket: warnings.make(given), until: isoTime(passEnd(clock(), timeZone, identity.schoolDayEnds)) };
}

/** What the client is told; its record holds what was decided. */
function toldDecision({ decision, toldAs }: Admission): Decision {
  return toldAs === null || toldAs === 'unreachable' ? decision : toldAs;
}

/** Answers as for a name that does not exist: see `illegal-probes`. */
function hideHttp(context: GatewayContext, admission: Admission, response: ServerResponse): void {
  const { status, type } = NO_SUCH_SITE;
  const target = admission.ask.target?.text ?? null;
  whenTold(context, admission, { status, up: 0, down: 0 }, () => {
    if (response.destroyed) return 0;
    discardBody(response.req);
    return sendPage(response, status, failureFields(type), errorPage(502, { ...pageInput(admission), target }));
  });
}

const NO_SUCH_SITE = new UpstreamError('dns_error', 'There is no site of that name.');

/** Answers a CONNECT. Browsers show a page of their own here, so the body is one sentence. */
export function refuseConnect(context: GatewayContext, admission: Admission, client: Socket): void {
  const isHidden = admission.toldAs === 'unreachable';
  const status = isHidden ? NO_SUCH_SITE.status : refusalStatus(admission);
  whenTold(context, admission, { status, up: 0, down: 0 }, () => {
    if (client.destroyed) return 0;
    if (isHidden) {
      client.end(failureAnswer(NO_SUCH_SITE));
      closeSoon(client);
      return 0;
    }
    const text = `Schoolgate refused this connection. Open ${FRONT_DESK_URL} to see why.\n`;
    const fields = [...refusalFields(status, admission), 'Connection', 'close', ...textFields(text)];
    client.end(responseHead(status, fields) + text);
    closeSoon(client);
    return text.length;
  });
}

/** Answers on a bare connection (CONNECT, upgrade) whose upstream could not be reached. */
export function failConnect(context: GatewayContext, admission: Admission, client: Socket, error: unknown): void {
  const failure = upstreamError(error);
  if (failure.type === 'destination_ip_prohibited') {
    admission.decision = destinationRefused(admission.decision);
    return refuseConnect(context, admission, client);
  }
  if (failure.type === 'proxy_internal_error') context.log.error({ err: error }, 'connecting failed');
  let status = 0;
  if (!client.destroyed) {
    status = failure.status;
    client.end(failureAnswer(failure));
    closeSoon(client);
  }
  finish(context, accessRecord(context, admission, { status, up: 0, down: 0, error: failure.type }));
}

/** Fields that go with a failure of this type (RFC 9209 §2.3). */
export function failureFields(type: string): string[] {
  return ['Proxy-Status', `${PSEUDONYM}; error=${type}`, 'Cache-Control', 'no-store'];
}

/** A whole response that says what went wrong upstream; ends the connection. */
export function failureAnswer(failure: UpstreamError): string {
  const text = `${failure.publicText}\n`;
  const fields = [...failureFields(failure.type), 'Connection', 'close', ...textFields(text)];
  return responseHead(failure.status, fields) + text;
}

/** Status line and header section for a connection that no HTTP server of Node's looks after. */
export function responseHead(status: number, fields: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${head}\r\n`;
}

function textFields(text: string): string[] {
  return ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(text))];
}

const LINGER_MS = 5_000;

/** Lets an answer that was just sent arrive, without leaving the connection to a client that never closes it or goes on sending. */
export function closeSoon(client: Socket): void {
  client.resume();
  const linger = setTimeout(() => client.destroy(), LINGER_MS);
  client.once('close', () => clearTimeout(linger));
}

/** The name was allowed, but every address behind it is one that must not be reached. */
export function destinationRefused(decision: Decision): Decision {
  return {
    ...decision,
    verdict: 'block',
    action: 'block',
    reason: 'destination',
    step: 'target',
    category: null,
    rule: null,
  };
}

/** Records and announces the refusal, then runs `answer`, which gives the body bytes sent. */
function whenTold(
  context: GatewayContext,
  admission: Admission,
  outcome: Outcome,
  answer: (record: AccessRecord) => number,
): void {
  const record = accessRecord(context, admission, outcome);
  // Our own question whether the lists are in force is nobody's visit: the supervisor keeps what comes of it.
  if (admission.illegal?.isCanary === true) return void answer(record);
  const told = announce(context, admission, record);
  const go = (): void => finish(context, { ...record, down: answer(record) });
  if (told === null) go();
  else void told.then(go);
}

/** Facts that every page of ours tells, whatever happened. */
export function pageInput({ ask, decision, who, snapshots, id, startedAt }: Admission): PageInput {
  const { facts } = snapshots;
  return {
    voice: facts.levels[who.level]?.voice ?? 'child',
    target: decision.locked || ask.target === null ? null : ask.target.text,
    contacts: facts.contacts,
    school: facts.school,
    at: isoTime(startedAt),
    zone: facts.timeZone,
    frontDeskUrl: FRONT_DESK_URL,
    reference: id,
  };
}

function renderPage(admission: Admission, warning: PageWarning | null): string {
  const { snapshots } = admission;
  const decision = toldDecision(admission);
  const { category } = decision;
  const categoryTitle = category === null ? null : (snapshots.facts.categories[category]?.title ?? category);
  const { identified } = admission.who;
  const isUnknown = identified === 'none' || identified === 'range';
  const { illegal } = snapshots.facts;
  const { who, startedAt } = admission;
  const lesson = decision.reason === 'lesson' ? lessonNotice(snapshots.policy, snapshots.live, who, startedAt) : null;
  const opens = decision.reason === 'schedule' ? closedUntil(snapshots.facts, who, startedAt) : null;
  return blockPage({ ...pageInput(admission), decision, categoryTitle, illegal, lesson, opens, isUnknown, warning });
}
