import type { FastifySchema } from 'fastify';
import { ALL_PERMISSIONS, PERMISSIONS, type Permission, rolesText } from '../identity/permissions.ts';
import type { Access, RouteAccess } from './decorations.ts';

type Json = Readonly<Record<string, unknown>>;

/** A JSON schema of an object, as routes write them. */
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

const ERROR: Json = {
  type: 'object',
  required: ['error', 'message'],
  properties: {
    error: { type: 'string', description: 'What is wrong, for programs, such as `invalid_fields`.' },
    message: { type: 'string', description: 'The same in one sentence for people.' },
    fields: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'reason'],
        properties: { field: { type: 'string' }, reason: { type: 'string' } },
      },
    },
  },
};

/** The API as an OpenAPI 3.1 document, which takes the routes' own schemas as they are: what is asked at the door is what is written here. */
export function openApi(routes: readonly RouteAccess[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    if (!route.url.startsWith('/api/') || route.method === 'HEAD') continue;
    (paths[pathOf(route.url)] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Schoolgate',
      version: '1',
      description:
        'Sign in with `POST /api/v1/session` and send the token as `Authorization: Bearer …`. Times are ISO 8601 in UTC. `x-permission` is the line of the table of permissions that an operation needs.',
    },
    paths,
    components: {
      schemas: { Error: ERROR },
      securitySchemes: { session: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation({ method, url, access, schema = {} }: RouteAccess): Json {
  const { params, querystring, headers, body } = schema as Record<string, ObjectSchema | undefined>;
  const parameters = [
    ...inPath(url, params),
    ...parametersIn('query', querystring),
    ...parametersIn('header', headers),
  ];
  return {
    operationId: `${method.toLowerCase()}${url.replaceAll(/[/:-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    ...whoMay(access),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonOf(body) } }),
    responses: { ...answers(schema), default: { description: 'Refused.', content: jsonOf(ERROR_REF) } },
  };
}

const ERROR_REF = { $ref: '#/components/schemas/Error' };

function answers({ response }: FastifySchema): Json {
  const known = Object.entries((response ?? {}) as Readonly<Record<string, Json>>);
  if (known.length === 0) return { '2XX': { description: 'Done.' } };
  return Object.fromEntries(
    known.map(([status, schema]) => [status, { description: 'Done.', content: jsonOf(schema) }]),
  );
}

function whoMay(access: Access): Json {
  if (access === 'public') return { summary: 'For everybody', security: [] };
  const security = [{ session: [] }];
  const permission = ALL_PERMISSIONS.find((one): one is Permission => one === access);
  if (permission === undefined) return { summary: 'For whoever is signed in', security };
  const { may, roles } = PERMISSIONS[permission];
  return { summary: `May ${may}`, description: `For ${rolesText(roles)}.`, 'x-permission': permission, security };
}

/** `/a/:id` as OpenAPI writes it. */
function pathOf(url: string): string {
  return url.replaceAll(/:(\w+)/g, '{$1}');
}

/** Every part of the path, also where the route asks nothing of it. */
function inPath(url: string, schema: ObjectSchema | undefined): Json[] {
  return [...url.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: schema?.properties?.[name!] ?? { type: 'string' },
  }));
}

function parametersIn(place: 'query' | 'header', schema: ObjectSchema | undefined): Json[] {
  return Object.entries(schema?.properties ?? {}).map(([name, one]) => ({
    name,
    in: place,
    required: schema?.required?.includes(name) ?? false,
    schema: one,
  }));
}

function jsonOf(schema: object): Json {
  return { 'application/json': { schema } };
}
