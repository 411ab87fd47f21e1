import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import { isApi } from './access.ts';

/** Status by error code; what is not here is 400 where the client, and 500 where we are at fault. */
const STATUS: Readonly<Record<string, number>> = {
  invalid_fields: 422,
  sign_in_refused: 401,
  code_needed: 401,
  sign_in_held: 429,
  link_unusable: 410,
  account_unknown: 404,
  account_own: 403,
  app_not_set_up: 409,
  session_unknown: 404,
  invitation_unknown: 404,
  person_unknown: 404,
  class_unknown: 404,
  person_not_suspended: 409,
  import_stale: 409,
  consent_missing: 409,
  consent_not_asked: 409,
  no_policy: 503,
  no_index: 503,
  unblock_unknown: 404,
  lesson_unknown: 404,
  lesson_move: 409,
  lesson_many: 409,
  lesson_not_staff: 403,
  concern_unknown: 404,
  concern_move: 409,
  check_unknown: 404,
  incident_unknown: 404,
  incident_move: 409,
  incident_changed: 409,
  incident_nobody: 409,
  voucher_unknown: 404,
  alert_unknown: 404,
  report_unknown: 404,
  unblock_move: 409,
  unblock_own: 403,
  wish_unknown: 404,
  wish_answered: 409,
  wish_many: 409,
  policy_nothing: 409,
  policy_changed: 409,
  policy_stale: 409,
  policy_invalid: 409,
  policy_own: 403,
  policy_loosens: 403,
  policy_alone: 403,
  policy_unwritten: 409,
  draft_unknown: 404,
  file_unknown: 404,
  draft_decided: 409,
  draft_changed: 409,
  draft_conflict: 409,
  draft_not_yours: 403,
  version_unknown: 404,
  list_unknown: 404,
  list_enabled: 409,
  list_not_held: 409,
  licence_other: 409,
  lists_folder: 409,
  source_unusable: 502,
  audit_broken: 503,
};

/** The status that an error of ours is answered with. */
export function statusOf(error: SchoolgateError): number {
  return STATUS[error.code] ?? (error.fault === 'client' ? 400 : 500);
}

/** What may be said of an error to whoever caused it. */
interface Answer {
  readonly status: number;
  readonly error: string;
  readonly message: string;
  readonly fields?: InvalidFieldsError['fields'];
}

/** The last resort of every route: one map from errors to answers, as JSON or as a page. */
export async function answerError(
  error: FastifyError | SchoolgateError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = describe(error);
  if (answer.status >= 500) request.log.error({ err: error }, 'a console request failed');
  const { status, ...body } = answer;
  if (isApi(request)) return reply.code(status).send(body);
  return reply.code(status).page('error', { title: titleOf(status), message: body.message });
}

function describe(error: FastifyError | SchoolgateError): Answer {
  if (error instanceof SchoolgateError) {
    const fields = error instanceof InvalidFieldsError ? { fields: error.fields } : {};
    return { status: statusOf(error), error: error.code, message: error.publicText, ...fields };
  }
  if (error.code?.startsWith('FST_CSRF')) {
    const message = 'This page was open for too long. Go back, load it again and send it once more.';
    return { status: 403, error: 'stale_page', message };
  }
  const status = error.statusCode ?? 500;
  if (error.validation !== undefined) return { status: 400, error: 'invalid_request', message: error.message };
  if (status === 429) return { status, error: 'too_many', message: 'Too many requests. Wait a minute and try again.' };
  if (status < 500) return { status, error: 'bad_request', message: 'This request cannot be understood.' };
  return { status: 500, error: 'internal', message: 'Something went wrong here. It has been logged; try again.' };
}

function titleOf(status: number): string {
  if (status === 404) return 'Not found';
  if (status === 403) return 'Not allowed';
  return status >= 500 ? 'Sorry, something went wrong' : 'This did not work';
}

export async function answerNotFound(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const message = 'There is nothing at this address.';
  if (isApi(request)) return reply.code(404).send({ error: 'not_found', message });
  return reply.code(404).page('error', { title: 'Not found', message });
}
