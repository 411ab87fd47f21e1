import { randomBytes } from 'node:crypto';
import cookie from '@fastify/cookie';
import csrf from '@fastify/csrf-protection';
import formbody from '@fastify/formbody';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController, fastify } from 'fastify';
import { type BackupRoutesOptions, backupRoutes } from '../backup/routes.ts';
import { type AuditRoutesOptions, auditRoutes } from '../audit/routes.ts';
import { type CheckLogOptions, checkLogRoutes } from '../checks/routes.ts';
import { type IncidentExportOptions, incidentExportRoutes } from '../incidents/export-routes.ts';
import { type IncidentRoutesOptions, incidentRoutes } from '../incidents/routes.ts';
import { type HistoryRoutesOptions, historyRoutes } from '../history/routes.ts';
import { type AlertRoutesOptions, alertRoutes } from '../alerts/routes.ts';
import { type ListRoutesOptions, listRoutes } from '../categories/routes.ts';
import { type EvidenceRoutesOptions, evidenceRoutes } from '../evidence/routes.ts';
import { type GuestRoutesOptions, guestRoutes } from '../identity/guest-routes.ts';
import { type DeviceRoutesOptions, deviceRoutes } from '../identity/device-routes.ts';
import { type ImportRoutesOptions, importRoutes } from '../identity/directory/import-routes.ts';
import { type PeopleRoutesOptions, peopleRoutes } from '../identity/directory/people-routes.ts';
import { type AgreementPagesOptions, agreementPages } from '../identity/agreements/page-routes.ts';
import { type AgreementRoutesOptions, agreementRoutes } from '../identity/agreements/routes.ts';
import { type DirectoryRoutesOptions, directoryRoutes } from '../identity/directory/routes.ts';
import { type IdentityRoutesOptions, identityRoutes } from '../identity/routes.ts';
import { type LessonRoutesOptions, lessonRoutes } from '../lessons/routes.ts';
import { type OwnAccountRoutesOptions, ownAccountRoutes } from '../identity/staff/own-account-routes.ts';
import {
  type SealedCredentialRoutesOptions,
  sealedCredentialRoutes,
} from '../identity/staff/sealed-credential-routes.ts';
import { type SessionRoutesOptions, sessionRoutes } from '../identity/staff/session-routes.ts';
import { type StaffRoutesOptions, staffRoutes } from '../identity/staff/routes.ts';
import { draftApiRoutes } from '../policy/draft-api-routes.ts';
import { type DraftRoutesOptions, draftRoutes } from '../policy/draft-routes.ts';
import { type CheckRoutesOptions, checkRoutes } from '../policy/check-routes.ts';
import { type PolicyRoutesOptions, policyRoutes } from '../policy/routes.ts';
import { type RetentionRoutesOptions, retentionRoutes } from '../retention/routes.ts';
import { type ReportRoutesOptions, reportRoutes } from '../reports/routes.ts';
import { type ConcernRoutesOptions, concernRoutes } from '../safeguarding/concerns/routes.ts';
import { unblockApiRoutes } from '../unblock/api-routes.ts';
import { blockRoutes } from '../unblock/block-routes.ts';
import { requestRoutes } from '../unblock/request-routes.ts';
import { type UnblockRoutesOptions, unblockRoutes } from '../unblock/routes.ts';
import { wishRoutes } from '../unblock/wish-routes.ts';
import { addAccessControl, formUser, isApi } from './access.ts';
import { answerError, answerNotFound } from './answer-error.ts';
import { type MetricsOptions, metricsRoutes } from './metrics-routes.ts';
import type { OverviewOptions } from './overview.ts';
import { overviewRoutes } from './overview-routes.ts';
import { type PagesOptions, addPages } from './pages.ts';
import { addPurposes } from './purpose.ts';

/** Everything the console's pages and API use. Who made these closes them. */
export interface ConsoleAppOptions
  extends
    IdentityRoutesOptions,
    StaffRoutesOptions,
    OwnAccountRoutesOptions,
    SessionRoutesOptions,
    SealedCredentialRoutesOptions,
    GuestRoutesOptions,
    AgreementRoutesOptions,
    AgreementPagesOptions,
    DirectoryRoutesOptions,
    PeopleRoutesOptions,
    ImportRoutesOptions,
    DeviceRoutesOptions,
    PolicyRoutesOptions,
    DraftRoutesOptions,
    CheckRoutesOptions,
    AuditRoutesOptions,
    UnblockRoutesOptions,
    LessonRoutesOptions,
    Omit<AlertRoutesOptions, 'seesReport'>,
    ListRoutesOptions,
    ConcernRoutesOptions,
    IncidentRoutesOptions,
    CheckLogOptions,
    IncidentExportOptions,
    ReportRoutesOptions,
    MetricsOptions,
    EvidenceRoutesOptions,
    BackupRoutesOptions,
    HistoryRoutesOptions,
    RetentionRoutesOptions,
    OverviewOptions,
    PagesOptions {
  readonly log: FastifyBaseLogger;
  /** Certificate and key, PEM; null: plain HTTP. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Requests a minute from one address; more are answered 429. */
  readonly requestsPerMinute?: number;
}

/** Large enough for any form of ours. */
const BODY_BYTES = 64 << 10;

/**
 * The staff web app: pages and API of every room. Makes no listener of its own, so that a test can `inject` and the process
 * decides where it listens.
 */
export async function createConsoleApp(options: ConsoleAppOptions): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: options.log,
    // A line for each request would hold who looked at whose data when, in a log that everybody on the machine may read.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    routerOptions: { maxParamLength: 64 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: true } },
    ...(options.tls === null ? {} : { https: options.tls }),
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as FastifyInstance;
  // What a route gives is what is sent: its schema says so to programs, and a test holds it to that.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  await protect(app, options);
  await addPages(app, options);
  addPurposes(app, options);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(answerNotFound);
  await app.register(identityRoutes, options);
  await app.register(staffRoutes, options);
  await app.register(ownAccountRoutes, options);
  await app.register(sessionRoutes, options);
  await app.register(sealedCredentialRoutes, options);
  await app.register(guestRoutes, options);
  await app.register(agreementRoutes, options);
  await app.register(agreementPages, options);
  await app.register(directoryRoutes, options);
  await app.register(peopleRoutes, options);
  await app.register(importRoutes, options);
  await app.register(deviceRoutes, options);
  await app.register(overviewRoutes, options);
  await app.register(metricsRoutes, options);
  await app.register(requestRoutes, options);
  await app.register(unblockRoutes, options);
  await app.register(unblockApiRoutes, options);
  await app.register(wishRoutes, options);
  await app.register(blockRoutes, options);
  await app.register(lessonRoutes, options);
  await app.register(concernRoutes, options);
  await app.register(incidentRoutes, options);
  await app.register(checkLogRoutes, options);
  await app.register(incidentExportRoutes, options);
  await app.register(alertRoutes, { ...options, seesReport: (personId, id) => options.incidents.sees(personId, id) });
  await app.register(policyRoutes, options);
  await app.register(draftRoutes, options);
  await app.register(draftApiRoutes, options);
  await app.register(checkRoutes, options);
  await app.register(auditRoutes, options);
  await app.register(listRoutes, options);
  await app.register(evidenceRoutes, options);
  await app.register(backupRoutes, options);
  await app.register(historyRoutes, options);
  await app.register(reportRoutes, options);
  await app.register(retentionRoutes, options);
  return app;
}

/** What holds for every route, in the order it is asked: how often, from where, who. */
async function protect(
  app: FastifyInstance,
  { sessions, tls, clock, requestsPerMinute = 600 }: ConsoleAppOptions,
): Promise<void> {
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: '1 minute',
    keyGenerator: (request: FastifyRequest) => request.address(),
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    // Set by whoever terminates TLS; over plain HTTP a browser must ignore it.
    strictTransportSecurity: tls !== null,
    referrerPolicy: { policy: 'same-origin' },
  });
  await app.register(cookie);
  addAccessControl(app, { sessions, isTls: tls !== null, clock });
  await app.register(csrf, {
    cookieKey: 'schoolgate-csrf',
    cookieOpts: { path: '/', httpOnly: true, sameSite: 'strict', secure: tls !== null },
    // A token is good for one session only, and for this run of the console.
    csrfOpts: { hmacKey: randomBytes(32).toString('base64url') },
    getUserInfo: formUser,
  });
  app.removeContentTypeParser('text/plain');
  await app.register(formbody, { bodyLimit: BODY_BYTES });
  app.addHook('preValidation', (request, reply, done) => {
    // The API takes no cookies, so a form on another site cannot speak to it.
    if (isApi(request) || request.method === 'GET' || request.method === 'HEAD') return done();
    app.csrfProtection(request, reply, done);
  });
}
