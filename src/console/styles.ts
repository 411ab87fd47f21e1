import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

/** Where the files lie: our own, and GOV.UK Frontend's `dist/govuk`. */
export interface StyleFolders {
  readonly own: string;
  readonly govuk: string;
}

/** Serves the three files that pages need besides themselves, from memory, to everybody. */
export function addStyles(app: FastifyInstance, { own, govuk }: StyleFolders): void {
  const ours = (name: string): string => readFileSync(join(own, name), 'utf8');
  serve(app, 'govuk-frontend.css', 'text/css', plainFont(readFileSync(join(govuk, 'govuk-frontend.min.css'), 'utf8')));
  serve(app, 'console.css', 'text/css', ours('console.css'));
  serve(app, 'icon.svg', 'image/svg+xml', ours('icon.svg'));
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
