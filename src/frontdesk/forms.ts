import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Lets the routes of a plugin take forms of at most so many bytes; the body is a `URLSearchParams`. */
export function addFormParser(app: FastifyInstance, bodyLimit: number): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit },
    (_request, body, done) => done(null, new URLSearchParams(body as string)),
  );
}

/** Browsers say which page sent a form; what says nothing is still held to its token. */
export function isOwnOrigin({ headers, protocol }: FastifyRequest, publicUrl: string | null): boolean {
  const { origin } = headers;
  if (origin === undefined || origin === 'null') return true;
  return origin === `${protocol}://${headers.host}` || (publicUrl !== null && origin === new URL(publicUrl).origin);
}
