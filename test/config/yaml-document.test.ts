import { Type } from 'typebox';
import t from 'tap';
import { readYaml, replaceValue } from '../../src/config/yaml-document.ts';
import { formatProblem } from '../../src/kernel/errors.ts';

const STRICT = { additionalProperties: false };

const SCHEMA = Type.Object(
  {
    name: Type.Optional(Type.String()),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    mode: Type.Optional(Type.Enum(['open', 'challenge'])),
    sites: Type.Optional(Type.Array(Type.String())),
    times: Type.Optional(
      Type.Array(
        Type.Union([
          Type.String(),
          Type.Object(
            { from: Type.Optional(Type.String()), days: Type.Optional(Type.Array(Type.Enum(['mon']))) },
            STRICT,
          ),
        ]),
      ),
    ),
    network: Type.Optional(Type.Object({ clients: Type.Array(Type.String()) }, STRICT)),
    levels: Type.Optional(Type.Record(Type.String(), Type.Object({ title: Type.String() }, STRICT))),
  },
  STRICT,
);

function told(text: string): string[] {
  const read = readYaml(text, 'school.yaml', SCHEMA);
  return 'problems' in read ? read.problems.map(formatProblem) : [];
}

void t.test('a document that fits, and where its parts stand', async (t) => {
  const text =
    '# comment\nname: School\n\nnetwork:\n  clients:\n    - 10.0.0.0/8\n    - ::1\nlevels:\n  ks1: { title: One }\n';
  const read = readYaml(text, 'school.yaml', SCHEMA);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const { document } = read;
  const { value, file } = document;
  t.equal(file, 'school.yaml');
  t.same(value, { name: 'School', network: { clients: ['10.0.0.0/8', '::1'] }, levels: { ks1: { title: 'One' } } });
  const table: [(string | number)[], number][] = [
    [['name'], 2],
    [['network'], 4],
    [['network', 'clients'], 5],
    [['network', 'clients', 1], 7],
    [['levels', 'ks1', 'title'], 9],
    [['network', 'nothing', 'here'], 4],
    [['nothing'], 2],
  ];
  for (const [path, line] of table) t.equal(document.lineOf(path), line, path.join('.'));
});

void t.test('an empty file is an empty document', async (t) => {
  for (const text of ['', '\n', '# only a comment\n', '---\n', '~\n']) t.same(told(text), [], JSON.stringify(text));
});

void t.test('every problem at once, each on its line', async (t) => {
  const text =
    'name: 5\nport: 99999\nmode: shut\nsites: one\nunknown: x\nnetwork:\n  client: []\nlevels:\n  ks1: { titel: x }\n';
  t.same(told(text).toSorted(), [
    'school.yaml:1: "name" must be string',
    'school.yaml:2: "port" must be <= 65535',
    'school.yaml:3: "mode" must be one of open, challenge',
    'school.yaml:4: "sites" must be array',
    'school.yaml:5: "unknown" is not a known setting',
    'school.yaml:6: "network.clients" is missing',
    'school.yaml:7: "network.client" is not a known setting',
    'school.yaml:9: "levels.ks1.titel" is not a known setting',
    'school.yaml:9: "levels.ks1.title" is missing',
  ]);
  const many = told(Array.from({ length: 300 }, (_, i) => `unknown${i}: x`).join('\n'));
  t.equal(many.length, 300);
});

void t.test('of a value that may be of two types only what is wrong with it as the one it is', async (t) => {
  t.same(told('times: [lunch, { from: "09:00" }]'), []);
  t.same(told('times:\n  - 7\n  - { form: "09:00" }\n  - { days: [moon] }\n  - { from: [] }').toSorted(), [
    'school.yaml:2: "times.0" must be string or object',
    'school.yaml:3: "times.1.form" is not a known setting',
    'school.yaml:4: "times.2.days.0" must be one of mon',
    'school.yaml:5: "times.3.from" must be string',
  ]);
});

void t.test('what is no YAML, or not the kind a school writes', async (t) => {
  const table: [string, string, RegExp][] = [
    ['broken', 'name: [a', /school\.yaml:\d+: /],
    ['a tab', 'network:\n\tclients: []', /school\.yaml:2: /],
    ['a key twice', 'name: a\nname: b', /school\.yaml:2: Map keys must be unique/],
    ['two documents', 'name: a\n---\nname: b', /school\.yaml:2: /],
    ['a list at the top', '- a\n- b', /the document must be object/],
    ['a word at the top', 'hello', /the document must be object/],
    ['a bad alias', 'name: *nowhere', /school\.yaml:1: .*alias/i],
    ['a binary', '\0\x01\x02', /school\.yaml/],
    ['an unknown tag', 'name: !secret x', /school\.yaml:1: .*tag/i],
    ['a function', 'name: !!js/function "function(){}"', /school\.yaml:1: .*tag/i],
    ['a list as a key', '? [a, b]\n: c', /school\.yaml:1: /],
    ['__proto__', '__proto__: { polluted: yes }', /"__proto__" is not a known setting/],
  ];
  for (const [what, text, expected] of table) {
    const lines = told(text);
    t.ok(lines.length > 0, what);
    t.match(lines.join('\n'), expected, what);
  }
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

void t.test('a document that would grow beyond measure is a problem, not a crash', async (t) => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  const names = 'abcdefg';
  for (let i = 1; i < names.length; i++) {
    const [from, to] = [names[i - 1]!, names[i]!];
    bomb.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]`);
  }
  const began = performance.now();
  t.ok(told(bomb.join('\n')).length > 0);
  t.ok(told(`name: ${'['.repeat(20_000)}`).length > 0, 'deep');
  t.ok(performance.now() - began < 5000);
});

void t.test('one value is replaced and nothing else is touched', async (t) => {
  const text = '# Ours\r\nsites:\r\n  - {on:   false}   # one\r\n\r\n  - on: "false" # two\r\n    more: [1,2]\r\n';
  t.equal(replaceValue(text, ['sites', 0, 'on'], 'true'), text.replace('on:   false', 'on:   true'));
  t.equal(replaceValue(text, ['sites', 1, 'on'], 'true'), text.replace('"false"', 'true'));
  t.equal(replaceValue(text, ['sites', 1, 'more'], 'true'), null, 'no plain value');
  t.equal(replaceValue(text, ['sites', 2, 'on'], 'true'), null, 'nothing there');
});
