import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { type FastifyBaseLogger, type FastifyError, type FastifyInstance, LogController, fastify } from 'fastify';
import { type AskRoutesOptions, askRoutes } from './ask-routes.ts';
import { type LessonRoutesOptions, lessonRoutes } from './lesson-routes.ts';
import { messagePage } from './pages.ts';
import { type ReportRoutesOptions, reportRoutes } from './report-routes.ts';
import { askingClient, type DeskRoutesOptions, deskRoutes } from './routes.ts';
import type { SignInRoutesOptions } from './sign-in-forms.ts';
import { signInRoutes } from './sign-in-routes.ts';
import { type WarningRoutesOptions, warningRoutes } from './warning-routes.ts';

export interface FrontDeskOptions
  extends
    DeskRoutesOptions,
    SignInRoutesOptions,
    WarningRoutesOptions,
    LessonRoutesOptions,
    AskRoutesOptions,
    ReportRoutesOptions {
  readonly log: FastifyBaseLogger;
  /** Certificate and key, PEM; null: plain HTTP. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Pages a minute for one client address; more are answered 429. The PAC file is not counted: without it nobody browses. */
  readonly pagesPerMinute?: number;
}

/** But for the forms, which say how much they may hold, nobody sends the front desk anything but requests for its pages. */
const BODY_BYTES = 1024;
const MAX_CONNECTIONS = 4096;

/**
 * The pages that everyone behind the proxy may reach. Makes no listener of its own, so that a test can `inject`. One app
 * serves one listener: whom it believes about the client's address is decided here, not by a request.
 */
export async function createFrontDesk(options: FrontDeskOptions): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    requestTimeout: 10_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: 'idle',
    ...(options.tls === null ? {} : { https: options.tls }),
  }) as unknown as FastifyInstance;
  app.server.maxConnections = MAX_CONNECTIONS;
  await protect(app, options);
  answerOtherwise(app, options);
  await app.register(deskRoutes, options);
  await app.register(signInRoutes, options);
  await app.register(warningRoutes, options);
  await app.register(lessonRoutes, options);
  await app.register(askRoutes, options);
  await app.register(reportRoutes, options);
  return app;
}

async function protect(app: FastifyInstance, options: FrontDeskOptions): Promise<void> {
  const isTls = options.tls !== null;
  await app.register(rateLimit, {
    max: options.pagesPerMinute ?? 120,
    timeWindow: '1 minute',
    keyGenerator: (request) => askingClient(request, options.clientFrom) ?? 'unknown',
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ['data:'],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    strictTransportSecurity: isTls,
    // Browsers take no notice of these on plain HTTP, and complain of them.
    crossOriginOpenerPolicy: isTls,
    originAgentCluster: isTls,
    referrerPolicy: { policy: 'no-referrer' },
  });
}

function answerOtherwise(app: FastifyInstance, { facts }: FrontDeskOptions): void {
  app.setNotFoundHandler((_request, reply) => {
    const text = 'There is no page at this address. Choose one of the links above.';
    return reply
      .code(404)
      .type('text/html; charset=utf-8')
      .send(messagePage(facts(), 'No such page', text));
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error }, 'a page of the front desk failed');
    reply.code(status).type('text/html; charset=utf-8').header('cache-control', 'no-store');
    return reply.send(errorText(facts, status));
  });
}

function errorText(facts: FrontDeskOptions['facts'], status: number): string {
  if (status === 429) return messagePage(facts(), 'Too often', 'Wait a minute, then load this page again.');
  if (status < 500) return messagePage(facts(), 'That did not work', 'The front desk could not read this request.');
  const { contacts } = facts();
  const text = `That is our fault. Try again in a minute. If it happens again, tell: ${contacts.pupils}. Staff: ${contacts.staff}.`;
  return messagePage(facts(), 'Something went wrong on our side', text, true);
}
