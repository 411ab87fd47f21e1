import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { replaceFile } from '../../src/kernel/durable-file.ts';
import { formatProblem, InvalidFieldsError, InvalidInputError } from '../../src/kernel/errors.ts';
import { html } from '../../src/kernel/html.ts';

void t.test('a file is replaced whole, or not at all', async (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'new', 'state.json');
  replaceFile(path, 'first');
  t.equal(readFileSync(path, 'utf8'), 'first');
  t.equal(statSync(path).mode & 0o777, 0o600);
  replaceFile(path, Buffer.from('second'), 0o644);
  t.equal(readFileSync(path, 'utf8'), 'second');
  t.equal(statSync(path).mode & 0o777, 0o644);
  for (let i = 0; i < 50; i++) replaceFile(path, `turn ${i}`);
  t.same(readdirSync(join(folder, 'new')), ['state.json'], 'nothing is left beside it');
});

void t.test('what cannot be replaced stays, and leaves nothing behind', async (t) => {
  const folder = t.testdir({});
  const taken = join(folder, 'taken');
  mkdirSync(join(taken, 'inside'), { recursive: true });
  t.throws(() => replaceFile(taken, 'text'));
  t.ok(statSync(taken).isDirectory());
  writeFileSync(join(folder, 'file'), 'plain');
  t.throws(() => replaceFile(join(folder, 'file', 'under'), 'text'));
  t.equal(readFileSync(join(folder, 'file'), 'utf8'), 'plain');
  t.same(readdirSync(folder).sort(), ['file', 'taken']);
});

void t.test('values in a page are text, whatever they say', async (t) => {
  const bad = `<script>alert("x")</script>&'`;
  t.equal(
    html`<p title="${bad}">${bad}</p>`.text,
    '<p title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;">&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;</p>',
  );
  t.equal(html`${html`<b>${'<'}</b>`}${[html`<i>${1}</i>`, html`<i>${2}</i>`]}`.text, '<b>&lt;</b><i>1</i><i>2</i>');
});

void t.test('problems are all told, each with its place', async (t) => {
  const problems = [
    { file: 'a.yaml', line: 3, column: 1, reason: 'is wrong' },
    { file: 'b.yaml', reason: 'is missing' },
  ];
  t.same(problems.map(formatProblem), ['a.yaml:3: is wrong', 'b.yaml: is missing']);
  const error = new InvalidInputError('The files', problems);
  t.match(error.publicText, /The files:\n {2}a\.yaml:3: is wrong\n {2}b\.yaml: is missing/);
  t.match(error, { code: 'invalid_input', fault: 'client', problems });
  t.match(new InvalidFieldsError([{ field: 'name', reason: 'Give a name.' }]), { publicText: 'Give a name.' });
});
