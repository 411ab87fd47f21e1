import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Table, TableFilter } from 'fastify';
import type { LevelTitle } from '../directory/people-table.ts';
import type { AgreementState, Agreements } from './service.ts';

export interface AgreementPagesOptions {
  readonly agreements: Agreements;
  readonly levelTitle: LevelTitle;
}

const Query = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
const ConsentForm = Type.Object(
  {
    _csrf: Type.Optional(Type.String()),
    person: Type.String({ pattern: '^[0-9A-Z]{26}$' }),
    back: Type.Optional(Type.Literal('person')),
  },
  { additionalProperties: false },
);

const RECORD = { access: 'agreements.record' } as const;

/** Page: who has accepted the agreement, with parents' consent recorded and taken back there and on a person's page. */
export const agreementPages: FastifyPluginAsyncTypebox<AgreementPagesOptions> = async (
  app,
  { agreements, levelTitle },
) => {
  app.get(
    '/agreements',
    { config: { access: 'agreements.see' }, schema: { querystring: Query } },
    async (request, reply) => {
      const people = agreements.list(request.actor(), {});
      const data = { title: 'Agreements on using the web', done: request.query.done };
      return reply.tablePage('agreements', data, agreementTable(people, levelTitle, request.may('people.see')), people);
    },
  );

  app.post('/agreements/consent', { config: RECORD, schema: { body: ConsentForm } }, async (request, reply) => {
    const { person, back } = request.body;
    agreements.recordConsent(request.actor(), { id: person });
    return reply.redirect(`${back === undefined ? '/agreements' : `/people/${person}`}?done=consent`, 303);
  });

  app.post('/agreements/withdraw', { config: RECORD, schema: { body: ConsentForm } }, async (request, reply) => {
    const { person, back } = request.body;
    agreements.withdraw(request.actor(), { id: person });
    return reply.redirect(`${back === undefined ? '/agreements' : `/people/${person}`}?done=withdrawn`, 303);
  });
};

const BY = { person: 'The person', parent: 'A parent' } as const;
const ORDER = new Intl.Collator('en-GB', { numeric: true });

/** `people`: all of them, for what there is to choose from; `hasLinks`: the reader may open a person's page. */
function agreementTable(
  people: readonly AgreementState[],
  levelTitle: LevelTitle,
  hasLinks: boolean,
): Table<AgreementState> {
  return {
    path: '/agreements',
    caption: 'Agreements',
    columns: [
      {
        id: 'name',
        title: 'Name',
        value: ({ fullName }) => fullName,
        href: ({ id }) => (hasLinks ? `/people/${id}` : null),
      },
      { id: 'user', title: 'User name', value: ({ userName }) => userName },
      { id: 'level', title: 'Level', value: ({ level }) => levelTitle(level) },
      { id: 'classes', title: 'Classes', value: ({ classes }) => classes.join(', '), isOnlyInCsv: true },
      { id: 'by', title: 'Who agrees', value: ({ by }) => BY[by] },
      {
        id: 'state',
        title: 'Agreed',
        value: ({ acceptedAt }) => (acceptedAt === null ? 'Missing' : 'Yes'),
        tag: ({ acceptedAt }) => (acceptedAt === null ? 'red' : null),
      },
      {
        id: 'at',
        title: 'Since',
        value: ({ acceptedAt }) => (acceptedAt === null ? null : Date.parse(acceptedAt)),
        isTime: true,
      },
      { id: 'recorder', title: 'Recorded by', value: ({ recordedBy }) => recordedBy },
    ],
    filters: [
      chosen('state', 'Agreed', [
        ['missing', 'Missing', ({ acceptedAt }) => acceptedAt === null],
        ['yes', 'Yes', ({ acceptedAt }) => acceptedAt !== null],
      ]),
      chosen('by', 'Who agrees', [
        ['person', BY.person, ({ by }) => by === 'person'],
        ['parent', BY.parent, ({ by }) => by === 'parent'],
      ]),
      chosen(
        'class',
        'Class',
        [...new Set(people.flatMap(({ classes }) => classes))]
          .sort(ORDER.compare)
          .map((name) => [name, name, ({ classes }) => classes.includes(name)]),
      ),
    ],
    search: { label: 'Name or user name', of: ({ fullName, userName }) => `${fullName} ${userName}` },
    empty: {
      text: 'The policy asks nobody of the directory for an agreement. Its words stand in policies/agreements.',
    },
  };
}

type Choice = readonly [value: string, text: string, accepts: (state: AgreementState) => boolean];

function chosen(id: string, label: string, choices: readonly Choice[]): TableFilter<AgreementState> {
  return {
    id,
    label,
    options: [{ value: '', text: 'All' }, ...choices.map(([value, text]) => ({ value, text }))],
    accepts: (state, value) => choices.find(([one]) => one === value)?.[2](state) ?? true,
  };
}
