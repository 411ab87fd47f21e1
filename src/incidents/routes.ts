import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Purpose } from '../audit/purpose.ts';
import { type FieldProblem, InvalidFieldsError, SchoolgateError, wrongField } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { instantOf, localInput, localText } from '../kernel/local-time.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { INCIDENTS_TABLE, STATE_COLOURS } from './incidents-table.ts';
import { INCIDENT_THEMES, PARTS, PERSON_KINDS, STATES } from './model.ts';
import type { IncidentDetail, Incidents } from './service.ts';
import { STEP_IDS, STEP_STATES, contactText, stepsFor } from './steps.ts';
import type { TypedTerms } from './terms.ts';
import { withoutAddresses } from './withhold.ts';

export interface IncidentRoutesOptions {
  readonly incidents: Incidents;
  readonly timeZone: () => string;
  readonly newId: IdMaker;
  readonly policyInForce: () => PolicySnapshot | null;
}

const Strict = { additionalProperties: false };
const Csrf = Type.Optional(Type.String());
const Text = Type.String({ maxLength: 10_000 });
const Id = Type.String({ pattern: '^[0-9A-Z]{26}$' });
const Key = Type.String({ pattern: '^[0-9A-Z]{26}$' });
const Asked = Type.Optional(Type.String({ maxLength: 200 }));
const Choice = Type.Optional(Text);
const Terms = { theme: Choice, what: Text, happened: Text, place: Text, site: Text, illegal: Choice };

const Params = Type.Object({ id: Id });
const RowParams = Type.Object({ id: Id, row: Id });
const PageQuery = Type.Object({ done: Asked });
const ListQuery = Type.Object({
  q: Asked,
  state: Asked,
  theme: Asked,
  sort: Asked,
  page: Asked,
  format: Asked,
  done: Asked,
});
const NewQuery = Type.Object({ concern: Type.Optional(Id) });
const NewForm = Type.Object({ _csrf: Csrf, key: Key, concern: Type.Optional(Id), staff: Choice, ...Terms }, Strict);
const DetailsForm = Type.Object({ _csrf: Csrf, version: Type.String({ pattern: '^\\d{1,9}$' }), ...Terms }, Strict);
const PersonForm = Type.Object({ _csrf: Csrf, name: Text, kind: Choice, part: Choice }, Strict);
const StepsForm = Type.Object(
  { _csrf: Csrf, ...Object.fromEntries(STEP_IDS.map((id) => [`step-${id}`, Choice])) },
  Strict,
);
const ActionForm = Type.Object({ _csrf: Csrf, key: Key, what: Text, owner: Text, due: Text }, Strict);
const ParentsForm = Type.Object({ _csrf: Csrf, informed: Choice, on: Text, note: Text }, Strict);
const SuspendForm = Type.Object({ _csrf: Csrf, who: Choice, reason: Text, until: Text }, Strict);
const NoteForm = Type.Object({ _csrf: Csrf, note: Text }, Strict);
const NoFields = Type.Object({ _csrf: Csrf }, Strict);

const config = { access: 'incidents.see' } as const;

/** Pages: incidents, one of them with what is done about it. */
export const incidentRoutes: FastifyPluginAsyncTypebox<IncidentRoutesOptions> = async (app, options) => {
  const { incidents, newId, timeZone } = options;

  app.get('/incidents', { config, schema: { querystring: ListQuery } }, async (request, reply) => {
    const purpose = request.purposeOf('incidents:all');
    if (purpose === null) return reply.askPurpose('incidents:all', request.url);
    const data = { title: 'Incidents', done: request.query.done };
    return reply.tablePage('incidents', data, INCIDENTS_TABLE, incidents.list(request.actor(), purpose));
  });

  app.get('/incidents/new', { config, schema: { querystring: NewQuery } }, async (request, reply) => {
    const { concern } = request.query;
    const facts = concern === undefined ? null : incidents.fromConcern(request.actor(), concern);
    const happened = facts === null ? '' : localInput(facts.firstAt, timeZone());
    const typed = { theme: facts?.theme, what: facts?.summary, happened, concern, key: newId() };
    return newPage(reply, typed);
  });

  app.post('/incidents/new', { config, schema: { body: NewForm } }, async (request, reply) => {
    const { key, concern, staff, ...typed } = request.body;
    try {
      const id = incidents.record(request.actor(), termsOf(typed), concern ?? null, key, staff);
      const isTheirs = incidents.sees(request.actor().personId, id);
      return await reply.redirect(isTheirs ? `/incidents/${id}?done=recorded` : '/incidents?done=handed-on', 303);
    } catch (error) {
      return newPage(reply.code(statusOf(error)), { key, concern, staff, ...typed }, problemsOf(error));
    }
  });

  app.get('/incidents/:id', { config, schema: { params: Params, querystring: PageQuery } }, async (request, reply) => {
    const { id } = request.params;
    const purpose = request.purposeOf(`incident:${id}`);
    // Whoever may not see it learns so before they are asked why they want to.
    if (purpose === null && incidents.sees(request.actor().personId, id)) {
      return reply.askPurpose(`incident:${id}`, request.url);
    }
    return incidentPage(options, request, reply, { id, purpose: purpose ?? MID_FORM, done: request.query.done });
  });

  /** What a form is about, and what it does. */
  const acting = async (
    request: FastifyRequest,
    reply: FastifyReply,
    form: string,
    act: () => unknown,
  ): Promise<FastifyReply> => {
    const { id } = request.params as { id: string };
    try {
      act();
    } catch (error) {
      const errors = problemsOf(error, `${form}-form`);
      const purpose = request.purposeOf(`incident:${id}`) ?? MID_FORM;
      const typed = { ...(request.body as object), form };
      return incidentPage(options, request, reply.code(statusOf(error)), { id, purpose, errors, typed });
    }
    // Who adds somebody may thereby hand it on: then it is not theirs to see any more.
    const isTheirs = incidents.sees(request.actor().personId, id);
    return reply.redirect(isTheirs ? `/incidents/${id}?done=${form}` : '/incidents?done=handed-on', 303);
  };

  app.post('/incidents/:id/details', { config, schema: { params: Params, body: DetailsForm } }, (request, reply) => {
    const { version, ...typed } = request.body;
    return acting(request, reply, 'details', () =>
      incidents.edit(request.actor(), request.params.id, Number(version), termsOf(typed)),
    );
  });

  app.post('/incidents/:id/people', { config, schema: { params: Params, body: PersonForm } }, (request, reply) => {
    const { name, kind = '', part = '' } = request.body;
    return acting(request, reply, 'person', () =>
      incidents.addPerson(request.actor(), request.params.id, { name, kind, part }),
    );
  });

  app.post(
    '/incidents/:id/people/:row/remove',
    { config, schema: { params: RowParams, body: NoFields } },
    (request, reply) =>
      acting(request, reply, 'person', () =>
        incidents.removePerson(request.actor(), request.params.id, request.params.row),
      ),
  );

  app.post('/incidents/:id/steps', { config, schema: { params: Params, body: StepsForm } }, (request, reply) =>
    acting(request, reply, 'steps', () => incidents.noteSteps(request.actor(), request.params.id, request.body)),
  );

  app.post('/incidents/:id/actions', { config, schema: { params: Params, body: ActionForm } }, (request, reply) => {
    const { key, what, owner, due } = request.body;
    return acting(request, reply, 'action', () =>
      incidents.addAction(request.actor(), request.params.id, { what, owner, due }, key),
    );
  });

  app.post(
    '/incidents/:id/actions/:row/done',
    { config, schema: { params: RowParams, body: NoFields } },
    (request, reply) =>
      acting(request, reply, 'action-done', () =>
        incidents.finishAction(request.actor(), request.params.id, request.params.row),
      ),
  );

  app.post('/incidents/:id/parents', { config, schema: { params: Params, body: ParentsForm } }, (request, reply) => {
    const { informed = '', on, note } = request.body;
    return acting(request, reply, 'parents', () =>
      incidents.noteParents(request.actor(), request.params.id, { informed, on, note }),
    );
  });

  app.post('/incidents/:id/suspend', { config, schema: { params: Params, body: SuspendForm } }, (request, reply) => {
    const { who = '', reason, until } = request.body;
    return acting(request, reply, 'suspend', () => {
      const end = until.trim() === '' ? null : instantOf(until.trim(), timeZone());
      if (end === null && until.trim() !== '')
        throw wrongField('suspend-until', 'Give a day and a time, or leave it empty.');
      incidents.suspendPerson(request.actor(), request.params.id, who, reason, end);
    });
  });

  app.post(
    '/incidents/:id/reporter',
    { config, schema: { params: Params, body: NoteForm } },
    async (request, reply) => {
      const { id } = request.params;
      const purpose = request.purposeOf(`incident:${id}`) ?? MID_FORM;
      try {
        const shownReporter = incidents.showReporter(request.actor(), id, request.body.note);
        return incidentPage(options, request, reply, { id, purpose, shownReporter });
      } catch (error) {
        const shown = {
          id,
          purpose,
          errors: problemsOf(error, 'reporter-form'),
          typed: { ...request.body, form: 'reporter' },
        };
        return incidentPage(options, request, reply.code(statusOf(error)), shown);
      }
    },
  );

  for (const move of ['take-on', 'dismiss', 'close', 'reopen'] as const) {
    app.post(`/incidents/:id/${move}`, { config, schema: { params: Params, body: NoteForm } }, (request, reply) =>
      acting(request, reply, move, () => incidents.move(request.actor(), request.params.id, move, request.body.note)),
    );
  }
};

/** Of somebody in the middle of a form, whose purpose has run out: nothing that they typed is to be lost. */
const MID_FORM: Purpose = { code: 'safeguarding', note: 'went on with a form' };

function termsOf({
  theme = '',
  illegal = '',
  ...typed
}: Partial<TypedTerms> & Omit<TypedTerms, 'theme' | 'illegal'>): TypedTerms {
  return { theme, illegal, what: typed.what, happened: typed.happened, place: typed.place, site: typed.site };
}

function statusOf(error: unknown): number {
  return error instanceof InvalidFieldsError ? 422 : 409;
}

/** What is wrong, for the page to show beside what was typed. Throws what is no matter of the form. */
function problemsOf(error: unknown, field = 'what'): readonly FieldProblem[] {
  if (error instanceof InvalidFieldsError) return error.fields;
  if (!(error instanceof SchoolgateError) || error.fault !== 'client' || error.code.endsWith('_unknown')) throw error;
  return [{ field, reason: error.publicText }];
}

function choices(words: Readonly<Record<string, string>>): { readonly value: string; readonly text: string }[] {
  return Object.entries(words).map(([value, text]) => ({ value, text }));
}

function newPage(
  reply: FastifyReply,
  typed: Readonly<Record<string, unknown>>,
  errors: readonly FieldProblem[] = [],
): FastifyReply {
  return reply.page('incident-new', { title: 'Record an incident', themes: choices(INCIDENT_THEMES), typed, errors });
}

interface IncidentPage {
  readonly id: string;
  readonly purpose: Purpose;
  readonly done?: string | undefined;
  readonly errors?: readonly FieldProblem[];
  /** What was typed into which form. */
  readonly typed?: Readonly<Record<string, unknown>>;
  readonly shownReporter?: string;
}

function incidentPage(
  options: IncidentRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, purpose, errors = [], typed = {}, ...shown }: IncidentPage,
): FastifyReply {
  const { incidents, timeZone, newId, policyInForce } = options;
  const detail = incidents.one(request.actor(), purpose, id);
  const { incident } = detail;
  const contacts = policyInForce()?.contacts.incidents ?? {};
  return reply.page('incident', {
    title: `Incident: ${INCIDENT_THEMES[incident.theme]}`,
    ...worded(detail),
    themes: choices(INCIDENT_THEMES),
    kinds: choices(PERSON_KINDS),
    parts: choices(PARTS),
    stepStates: choices(STEP_STATES),
    steps: stepsFor(incident.people).map(({ id: step, text, contact }) => ({
      id: step,
      text,
      contact,
      state: incident.steps[step] ?? '',
      how: contact === undefined ? null : contactText(contact, contacts),
    })),
    happened: incident.happenedAt === null ? '' : localInput(incident.happenedAt, timeZone()),
    key: newId(),
    errors,
    typed,
    ...shown,
  });
}

/** A day for people: `Tue 24 Nov 2026`. */
function dayText(day: string): string {
  return localText(Date.parse(day), 'UTC').split(',')[0]!;
}

/** In words. What is illegal is shown without any address. */
function worded({ incident, ...detail }: IncidentDetail) {
  const isIllegal = incident.illegal === 'yes';
  const say = (text: string): string => (isIllegal ? withoutAddresses(text) : text);
  return {
    ...detail,
    acts: detail.acts.map((act) => ({ ...act, note: say(act.note) })),
    incident: {
      ...incident,
      what: say(incident.what),
      place: say(incident.place),
      outcome: say(incident.outcome),
      site: isIllegal && incident.site !== null ? '' : incident.site,
      isWithheld: isIllegal && incident.site !== null,
      themeTitle: INCIDENT_THEMES[incident.theme],
      stateText: STATES[incident.state],
      stateColour: STATE_COLOURS[incident.state],
      parents:
        incident.parents === null
          ? null
          : {
              ...incident.parents,
              note: say(incident.parents.note),
              day: incident.parents.on === null ? '' : dayText(incident.parents.on),
            },
      actions: incident.actions.map((action) => ({ ...action, what: say(action.what), due: dayText(action.dueOn) })),
      people: incident.people.map((person) => ({
        ...person,
        kindText: PERSON_KINDS[person.kind],
        partText: PARTS[person.part],
      })),
    },
  };
}
