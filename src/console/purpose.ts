import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PURPOSES, type Purpose, readPurpose } from '../audit/purpose.ts';
import type { Clock } from '../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import { ownPath } from '../kernel/own-path.ts';
import { ShortMemory } from '../kernel/short-memory.ts';

/** Once said, a purpose is good for this long, in this session, for this one subject, ms. */
export const PURPOSE_MS = 30 * 60_000;
/** Of all sessions together; whoever's is pushed out is asked again. */
const MOST_KEPT = 2000;

const Form = Type.Object(
  {
    _csrf: Type.Optional(Type.String()),
    subject: Type.String({ pattern: '^[a-z-]{1,20}:[!-~]{1,100}$' }),
    back: Type.String({ maxLength: 2000 }),
    purpose: Type.Optional(Type.String({ maxLength: 40 })),
    note: Type.Optional(Type.String({ maxLength: 2000 })),
  },
  { additionalProperties: false },
);

/**
 * Asks whoever wants to see somebody's data what for, before anything is shown. A purpose is kept in memory with the session and
 * ends with it: after a restart people are asked again. The row of the record is written by the use case that looks.
 */
export function addPurposes(app: FastifyInstance, { clock }: { readonly clock: Clock }): void {
  const kept = new ShortMemory<Purpose>(MOST_KEPT);
  const keyOf = (request: FastifyRequest, subject: string): string => `${request.signedIn?.session ?? ''}\n${subject}`;

  app.decorateRequest('purposeOf', function purposeOf(this: FastifyRequest, subject: string) {
    return kept.get(keyOf(this, subject), clock()) ?? null;
  });
  app.decorateReply('askPurpose', function askPurpose(this: FastifyReply, subject: string, back: string) {
    return purposePage(this, { subject, back });
  });

  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .post('/purpose', { config: { access: 'signed-in' }, schema: { body: Form } }, async (request, reply) => {
      const { subject, back, purpose, note } = request.body;
      try {
        const read = readPurpose({ ...(purpose !== undefined && { purpose }), ...(note !== undefined && { note }) });
        kept.set(keyOf(request, subject), read, clock() + PURPOSE_MS);
        return await reply.redirect(ownPath(back), 303);
      } catch (error) {
        if (!(error instanceof InvalidFieldsError)) throw error;
        const typed = { subject, back: ownPath(back), purpose, note };
        return purposePage(reply.code(422), typed, error.fields);
      }
    });
}

interface Asked {
  readonly subject: string;
  readonly back: string;
  readonly purpose?: string | undefined;
  readonly note?: string | undefined;
}

/** Nothing of the person is on it: it comes before the look. */
function purposePage(reply: FastifyReply, typed: Asked, errors: readonly FieldProblem[] = []): FastifyReply {
  const purposes = Object.entries(PURPOSES).map(([value, text]) => ({ value, text }));
  return reply.page('purpose', { title: 'What do you look for?', purposes, typed, errors });
}
