import t from 'tap';
import { ownPath } from '../../src/kernel/own-path.ts';

void t.test('a form leads back to our own paths only', (t) => {
  for (const own of ['/', '/people?q=a&page=2', '/people/01J']) t.equal(ownPath(own), own);
  const others = [
    undefined,
    '',
    'people',
    '//evil.test',
    '/\\evil.test',
    'https://evil.test/',
    'javascript:alert(1)',
    '/a\r\nb',
    '/a b',
  ];
  for (const other of others) t.equal(ownPath(other), '/', String(other));
  t.end();
});
