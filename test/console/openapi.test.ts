import t from 'tap';
import Schema from 'typebox/schema';
import { ALL_PERMISSIONS } from '../../src/identity/permissions.ts';
import { fullConsole } from '../helpers/full-console.ts';

interface Operation {
  readonly operationId: string;
  readonly 'x-permission'?: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema: object }>>;
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

void t.test('the API describes itself, and is as it says', async (t) => {
  const console = await fullConsole(t);
  t.teardown(() => console.close());
  const answered = await console.app.inject({ url: '/api/v1/openapi.json' });
  t.equal(answered.statusCode, 200, 'whoever has no account yet may read how to sign in');
  const api = answered.json<Document>();
  t.equal(api.openapi, '3.1.0');
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

  await t.test('every route of the API is in it, with its permission', async (t) => {
    const routes = console.app.routeAccess.filter(({ method, url }) => url.startsWith('/api/') && method !== 'HEAD');
    const known = routes.map(({ method, url, access }) => {
      const isPermission = (ALL_PERMISSIONS as readonly string[]).includes(access);
      return `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')} ${isPermission ? access : '–'} ${access === 'public'}`;
    });
    const written = operations.map(({ path, method, operation }) => {
      const { 'x-permission': permission = '–', security } = operation;
      return `${method.toUpperCase()} ${path} ${permission} ${security.length === 0}`;
    });
    t.strictSame(written.toSorted(), known.toSorted());
    t.ok(known.length > 40);
    t.equal(
      new Set(operations.map(({ operation }) => operation.operationId)).size,
      operations.length,
      'names are unique',
    );
  });

  await t.test('every part of a path is named, and what is sent is described', async (t) => {
    for (const { path, operation } of operations) {
      const named = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
      t.strictSame(named, path.match(/\{\w+\}/g) ?? [], path);
    }
    const asked = api.paths['/api/v1/unblocks']!['post']!.requestBody!.content['application/json']!.schema;
    t.match(asked, { required: ['topic', 'reason', 'until'], properties: { topic: { type: 'string' } } });
  });

  await t.test('what it answers is what it says it answers', async (t) => {
    const headers = { authorization: `Bearer ${console.token}` };
    const urls: Readonly<Record<string, string>> = { '/api/v1/check': '/api/v1/check?url=www.bet365.com&level=ks3' };
    const described = operations.filter(({ method, operation }) => method === 'get' && operation.responses['200']);
    t.ok(described.length >= 6);
    for (const { path, operation } of described) {
      const response = await console.app.inject({ url: urls[path] ?? path, headers });
      t.equal(response.statusCode, 200, path);
      t.strictSame(
        problems(operation.responses['200']!.content!['application/json']!.schema, response.json()),
        [],
        path,
      );
    }
    const refused = await console.app.inject({ url: '/api/v1/policy' });
    t.equal(refused.statusCode, 401);
    t.strictSame(problems(api.components.schemas['Error']!, refused.json()), []);
  });
});

function problems(schema: object, answer: unknown): string[] {
  const [isRight, found] = Schema.Errors(schema, answer);
  return isRight ? [] : found.map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
