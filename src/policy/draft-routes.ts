import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidFieldsError, type Problem, SchoolgateError, formatProblem } from '../kernel/errors.ts';
import { type DraftView, loosens } from './draft.ts';
import { type PolicyForm, filledIn, formPart, namesInRules, policyForm, withoutPart } from './draft-form.ts';
import { type PolicyRoutesOptions, names, orShow } from './routes.ts';
import { isPolicyFile, withFile } from './texts.ts';

export type DraftRoutesOptions = PolicyRoutesOptions;

const Strict = { additionalProperties: false };
const Text = Type.String({ maxLength: 5000 });
const Csrf = Type.Optional(Type.String());
const Id = Type.String({ pattern: '^[0-9A-Z]{26}$' });
const Params = Type.Object({ id: Id });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Revision = Type.String({ pattern: '^[1-9]\\d{0,8}$' });
/** A school's rules may name thousands of people. */
export const FILE_BYTES = 2 << 20;
const File = Type.String({ maxLength: FILE_BYTES });
const Name = Type.Optional(Type.String({ maxLength: 310 }));
/** `group` and `person` are typed, `part` is linked to. */
const Place = Type.Object({
  file: Type.Optional(Type.String({ maxLength: 80 })),
  part: Name,
  group: Name,
  person: Name,
});
const Done = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
const BeginForm = Type.Object({ _csrf: Csrf, id: Id }, Strict);
const ReasonForm = Type.Object({ _csrf: Csrf, hash: Hash, reason: Text }, Strict);
const ApproveForm = Type.Object({ _csrf: Csrf, hash: Hash }, Strict);
const WordForm = Type.Object({ _csrf: Csrf, word: Text }, Strict);
const YamlForm = Type.Object({ _csrf: Csrf, revision: Revision, text: File, act: Type.Optional(Text) }, Strict);
/** By field; what the form does not know counts for nothing. */
const PartForm = Type.Record(Type.String({ maxLength: 100 }), File);

type Request = Pick<FastifyRequest, 'actor' | 'may'> & { readonly params: { readonly id: string } };

/** Drafts of policy changes: written in forms or as YAML, decided by a second person. */
export const draftRoutes: FastifyPluginAsyncTypebox<DraftRoutesOptions> = async (app, options) => {
  const { drafts } = options;
  const toSee = { access: 'policy.see' } as const;
  const toPropose = { access: 'policy.propose' } as const;
  const toDecide = { access: 'policy.decide' } as const;
  const inEmergency = { access: 'policy.emergency' } as const;
  const page = (request: Request, reply: FastifyReply, data: Record<string, unknown>) =>
    draftPage(options, request, reply, data);
  /** Does an act of the draft's page, and goes on to a page. */
  const act = (request: Request, reply: FastifyReply, typed: object, work: (id: string) => string) =>
    orShow(
      reply,
      (data) => page(request, reply, { typed, ...data }),
      () => reply.redirect(work(request.params.id), 303),
    );

  app.post('/policy/drafts', { config: toPropose, schema: { body: BeginForm } }, async (request, reply) => {
    const { id } = drafts.begin(request.actor(), request.body.id);
    return reply.redirect(`/policy/drafts/${id}`, 303);
  });

  app.get('/policy/drafts/:id', { config: toSee, schema: { params: Params, querystring: Done } }, (request, reply) =>
    page(request, reply, { done: request.query.done }),
  );

  app.get(
    '/policy/drafts/:id/form',
    { config: toPropose, schema: { params: Params, querystring: Place } },
    (request, reply) => formPage(options, request, reply, {}),
  );

  app.post(
    '/policy/drafts/:id/form',
    { config: toPropose, bodyLimit: FILE_BYTES, schema: { params: Params, querystring: Place, body: PartForm } },
    (request, reply) => saveForm(options, request, reply, request.body),
  );

  app.get(
    '/policy/drafts/:id/yaml',
    { config: toPropose, schema: { params: Params, querystring: Place } },
    (request, reply) => yamlPage(options, request, reply, {}),
  );

  app.post(
    '/policy/drafts/:id/yaml',
    { config: toPropose, bodyLimit: FILE_BYTES, schema: { params: Params, querystring: Place, body: YamlForm } },
    (request, reply) => saveYaml(options, request, reply, request.body),
  );

  app.get('/policy/drafts/:id/rebase', { config: toPropose, schema: { params: Params } }, (request, reply) =>
    rebasePage(options, request, reply, {}),
  );

  app.post(
    '/policy/drafts/:id/rebase',
    { config: toPropose, bodyLimit: FILE_BYTES, schema: { params: Params, body: PartForm } },
    (request, reply) => {
      const { id } = request.params;
      const resolved = filesOf(request.body);
      return orShow(
        reply,
        (data) => rebasePage(options, request, reply, { ...data, typed: resolved }),
        () => {
          drafts.rebase(request.actor(), id, revisionOf(request.body), resolved);
          return reply.redirect(`/policy/drafts/${id}?done=rebased`, 303);
        },
      );
    },
  );

  app.post(
    '/policy/drafts/:id/propose',
    { config: toPropose, schema: { params: Params, body: ReasonForm } },
    (request, reply) =>
      act(request, reply, request.body, (id) => {
        drafts.propose(request.actor(), id, request.body.hash, request.body.reason);
        return `/policy/drafts/${id}?done=proposed`;
      }),
  );

  app.post(
    '/policy/drafts/:id/alone',
    { config: toPropose, schema: { params: Params, body: ReasonForm } },
    (request, reply) =>
      act(request, reply, request.body, (id) => {
        drafts.publishAlone(request.actor(), id, request.body.hash, request.body.reason);
        return '/policy?done=published';
      }),
  );

  app.post(
    '/policy/drafts/:id/emergency',
    { config: inEmergency, schema: { params: Params, body: ReasonForm } },
    (request, reply) =>
      act(request, reply, request.body, (id) => {
        drafts.publishInEmergency(request.actor(), id, request.body.hash, request.body.reason);
        return '/policy?done=emergency';
      }),
  );

  app.post(
    '/policy/drafts/:id/approve',
    { config: toDecide, schema: { params: Params, body: ApproveForm } },
    (request, reply) =>
      act(request, reply, {}, (id) => {
        drafts.approve(request.actor(), id, request.body.hash);
        return '/policy?done=published';
      }),
  );

  app.post(
    '/policy/drafts/:id/refuse',
    { config: toDecide, schema: { params: Params, body: WordForm } },
    (request, reply) =>
      act(request, reply, request.body, (id) => {
        drafts.refuse(request.actor(), id, request.body.word);
        return '/policy?done=refused';
      }),
  );

  app.post(
    '/policy/drafts/:id/withdraw',
    { config: toPropose, schema: { params: Params, body: WordForm } },
    (request, reply) =>
      act(request, reply, request.body, (id) => {
        drafts.withdraw(request.actor(), id, request.body.word);
        return '/policy?done=withdrawn';
      }),
  );
};

async function draftPage(
  options: DraftRoutesOptions,
  request: Request,
  reply: FastifyReply,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const view = options.drafts.view(request.params.id);
  const { draft, examined, changes } = view;
  const me = request.actor().personId;
  const doesLoosen = loosens(changes);
  return reply.page('policy-draft', {
    title: draft.author === null ? 'Files changed on disk' : 'Policy draft',
    ...view,
    problems: 'problems' in examined ? examined.problems.map(formatProblem) : [],
    warnings: 'warnings' in examined ? examined.warnings.map(formatProblem) : [],
    allFiles: Object.keys(draft.files),
    changedFiles: view.files,
    rules: namesInRules(draft.files),
    hasForm: (file: string) => formPart(file, '') !== null,
    doesLoosen,
    isOwn: draft.author === me,
    isFree: draft.author === null,
    isLiving: draft.state === 'open' || draft.state === 'proposed',
    mayApprove: request.may('policy.decide') && draft.author !== me && (!doesLoosen || request.may('policy.loosen')),
    nameOf: names(options, 'fullName'),
    needsSecondPerson: options.policy.status().needsSecondPerson,
    typed: {},
    ...data,
  });
}

interface Placed {
  readonly query: {
    readonly file?: string;
    readonly part?: string;
    readonly group?: string;
    readonly person?: string;
  };
}

function partOf({ query: { part, group = '', person = '' } }: Placed): string {
  return part ?? (group.trim() !== '' ? `groups:${group.trim()}` : `people:${person.trim()}`);
}

async function formPage(
  options: DraftRoutesOptions,
  request: Request & Placed,
  reply: FastifyReply,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const { draft, examined } = ownDraft(options, request);
  const found = formOf(options, request, draft.files);
  if ('problems' in found) return yamlPage(options, request, reply, data);
  const { form } = found;
  return reply.page('policy-form', {
    title: form.title,
    draft,
    form,
    problems: problemsIn(examined, form.part.file).map(formatProblem),
    typed: form.values,
    actions: Object.fromEntries(form.categories.map(({ id, action }) => [id, action])),
    ...data,
  });
}

function formOf(
  { policy }: DraftRoutesOptions,
  placed: Placed,
  files: Parameters<typeof policyForm>[0],
): ReturnType<typeof policyForm> {
  const { file = '' } = placed.query;
  mustBeFile(file);
  const place = formPart(file, partOf(placed));
  const inForce = policy.published()?.snapshot;
  if (place === null || inForce === undefined) throw unknownFile();
  return policyForm(files, place, inForce);
}

/** Keeps what a form says, valid or not; the form is shown again where it is not. */
function saveForm(
  options: DraftRoutesOptions,
  request: Request & Placed,
  reply: FastifyReply,
  body: Readonly<Record<string, string>>,
): Promise<FastifyReply> {
  const { id } = request.params;
  const show = (data: Record<string, unknown>) =>
    formPage(options, request, reply, { ...data, typed: body, actions: body });
  return orShow(reply, show, () => {
    const { draft } = ownDraft(options, request);
    const found = formOf(options, request, draft.files);
    const files = 'problems' in found ? null : typedFiles(draft.files, found.form, body);
    if (files === null)
      throw new SchoolgateError('draft_conflict', 'client', 'The file has mistakes; edit it as it is.');
    options.drafts.save(request.actor(), id, revisionOf(body), files);
    const problems = problemsIn(options.drafts.view(id).examined, request.query.file ?? '');
    if (problems.length > 0) throw new InvalidFieldsError(problems.map(fieldProblem));
    return reply.redirect(`/policy/drafts/${id}?done=saved`, 303);
  });
}

function typedFiles(files: Parameters<typeof filledIn>[0], form: PolicyForm, body: Readonly<Record<string, string>>) {
  return body['act'] === 'remove' ? withoutPart(files, form.part) : filledIn(files, form, body);
}

async function yamlPage(
  options: DraftRoutesOptions,
  request: Request & Placed,
  reply: FastifyReply,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const { draft, examined } = ownDraft(options, request);
  const { file = '' } = request.query;
  mustBeFile(file);
  const text = draft.files[file] ?? '';
  return reply.page('policy-yaml', {
    title: file,
    draft,
    file,
    typed: { text },
    isNew: draft.files[file] === undefined,
    hasForm: formPart(file, '') !== null,
    lines: problemLines(problemsIn(examined, file), text),
    ...data,
  });
}

function saveYaml(
  options: DraftRoutesOptions,
  request: Request & Placed,
  reply: FastifyReply,
  body: { readonly revision: string; readonly text: string; readonly act?: string },
): Promise<FastifyReply> {
  const { id } = request.params;
  const { file = '' } = request.query;
  const text = body.text.replaceAll('\r\n', '\n');
  return orShow(
    reply,
    (data) => yamlPage(options, request, reply, { ...data, typed: { text } }),
    () => {
      mustBeFile(file);
      const { draft } = ownDraft(options, request);
      const files = withFile(draft.files, file, body.act === 'remove' ? null : text);
      options.drafts.save(request.actor(), id, Number(body.revision), files);
      const problems = problemsIn(options.drafts.view(id).examined, file);
      if (problems.length > 0) throw new InvalidFieldsError(problems.map(fieldProblem));
      return reply.redirect(`/policy/drafts/${id}?done=saved`, 303);
    },
  );
}

async function rebasePage(
  options: DraftRoutesOptions,
  request: Request,
  reply: FastifyReply,
  data: Record<string, unknown>,
): Promise<FastifyReply> {
  const { draft, stale, files } = ownDraft(options, request);
  const published = options.policy.published()?.files ?? {};
  return reply.page('policy-rebase', {
    title: 'Bring the draft up to date',
    draft,
    changedFiles: files,
    conflicts: (stale?.conflicts ?? []).map((file) => ({
      file,
      mine: draft.files[file] ?? '',
      theirs: published[file] ?? '',
      base: draft.base[file] ?? '',
    })),
    isStale: stale !== null,
    typed: {},
    ...data,
  });
}

/** The draft, for whoever may change it. Throws `draft_not_yours`, `draft_decided`. */
function ownDraft({ drafts }: DraftRoutesOptions, request: Request): DraftView {
  const view = drafts.view(request.params.id);
  const { author, state } = view.draft;
  if (author !== null && author !== request.actor().personId) {
    throw new SchoolgateError('draft_not_yours', 'client', 'Only the person who wrote this draft can change it.');
  }
  if (state !== 'open' && state !== 'proposed') {
    throw new SchoolgateError('draft_decided', 'client', 'This draft was decided already; begin another one.');
  }
  return view;
}

function problemsIn(examined: DraftView['examined'], file: string): readonly Problem[] {
  return 'problems' in examined ? examined.problems.filter((problem) => problem.file === file) : [];
}

/** Each line that has a problem, with what is wrong with it. */
function problemLines(problems: readonly Problem[], text: string) {
  const lines = text.split('\n');
  return problems.map(({ line, reason }) => ({
    line,
    reason,
    text: line === undefined ? '' : (lines[line - 1] ?? ''),
  }));
}

function fieldProblem(problem: Problem): { field: string; reason: string } {
  return { field: 'text', reason: formatProblem(problem) };
}

/** Throws `file_unknown` for what is no file of a policy. */
export function mustBeFile(file: string): void {
  if (!isPolicyFile(file)) throw unknownFile();
}

function unknownFile(): SchoolgateError {
  return new SchoolgateError('file_unknown', 'client', 'A policy has no such file.');
}

function revisionOf(body: Readonly<Record<string, string>>): number {
  return Number(body['revision'] ?? 0);
}

/** What a form says of files, by `file:levels/ks2.yaml`. */
function filesOf(body: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(body).filter(([name]) => name.startsWith('file:'));
  return Object.fromEntries(named.map(([name, text]) => [name.slice(5), text.replaceAll('\r\n', '\n')]));
}
