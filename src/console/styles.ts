import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

/** The files' texts: GOV.UK Frontend's style sheet, what is ours beside it, and the icon of a browser's tab. */
export interface Styles {
  readonly govuk: string;
  readonly own: string;
  readonly icon: string;
}

/** Serves the three files that pages need besides themselves, from memory, to everybody. */
export function addStyles(app: FastifyInstance, { govuk, own, icon }: Styles): void {
  serve(app, 'govuk-frontend.css', 'text/css', plainFont(govuk));
  serve(app, 'console.css', 'text/css', own);
  serve(app, 'icon.svg', 'image/svg+xml', icon);
}

/** GOV.UK Frontend's typeface is licensed for government services only: it is neither named nor fetched. */
function plainFont(css: string): string {
  return css
    .replaceAll(/@font-face\{[^}]*\}/g, '')
    .replaceAll('GDS Transport', 'system-ui')
    .replace(/\/\*# sourceMappingURL=.*?\*\//, '');
}

function serve(app: FastifyInstance, name: string, type: string, text: string): void {
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  app.get(`/static/${name}`, { config: { access: 'public' } }, async (request, reply) => {
    // Asked for again at every page, which costs nothing on a school's network, and never stale after an update.
    void reply.header('cache-control', 'no-cache').header('etag', tag).type(`${type}; charset=utf-8`);
    return request.headers['if-none-match'] === tag ? reply.code(304).send() : reply.send(text);
  });
}
