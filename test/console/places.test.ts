import t from 'tap';
import { SECTIONS, navigationAt } from '../../src/console/places.ts';
import { type Permission, may } from '../../src/identity/permissions.ts';
import type { Role } from '../../src/identity/roles.ts';
import { testConsole } from '../helpers/test-console.ts';

const as =
  (...roles: Role[]) =>
  (permission: Permission) =>
    may(roles, permission);

void t.test('every place is a page that exists, for the people whom its page lets in', async (t) => {
  const console = await testConsole();
  t.teardown(() => console.close());
  const pages = new Map(
    console.app.routeAccess.filter(({ method }) => method === 'GET').map(({ url, access }) => [url, access]),
  );
  const places = SECTIONS.flatMap((section) => section.places);
  for (const { href, needs, also = [] } of places) {
    t.equal(pages.get(href), needs, href);
    for (const at of also) t.ok(pages.has(at), at);
  }
  t.equal(new Set(places.map(({ href }) => href)).size, places.length, 'each once');
});

void t.test('each role sees the sections it has something to do in', async (t) => {
  const sections = (...roles: Role[]): string[] => navigationAt('/', as(...roles)).sections.map(({ text }) => text);
  t.strictSame(sections('headteacher'), ['Home', 'Safeguarding', 'Requests', 'People', 'Filter', 'Record', 'Settings']);
  t.strictSame(sections('governor'), ['Home', 'Safeguarding', 'Requests', 'Filter', 'Record', 'Settings']);
  t.strictSame(sections('teacher'), ['Home', 'Safeguarding', 'Requests', 'People', 'Filter', 'Settings']);
  t.strictSame(
    navigationAt('/', () => false),
    { sections: [], open: null },
    'nobody is shown anything',
  );
});

void t.test('a section leads to the first place in it that somebody may see', async (t) => {
  const hrefs = (...roles: Role[]): string[] => navigationAt('/', as(...roles)).sections.map(({ href }) => href);
  t.ok(hrefs('teacher').includes('/agreements'), 'as teachers do not see people');
  t.ok(hrefs('network-manager').includes('/people'));
});

void t.test('the nearest place is where a page lies', async (t) => {
  const CASES: readonly [path: string, section: string, place: string, current: string][] = [
    ['/people', 'People', 'People', 'page'],
    ['/people/01J', 'People', 'People', 'under'],
    ['/people/import', 'People', 'Import', 'page'],
    ['/people/import/abc', 'People', 'Import', 'under'],
    ['/class', 'People', 'Classes', 'under'],
    ['/unblocks/asked', 'Requests', 'What people asked for', 'page'],
    ['/unblocks/block', 'Requests', 'What people asked for', 'under'],
    ['/unblocks/new', 'Requests', 'Unblocks', 'under'],
    ['/policy/versions/3', 'Filter', 'Versions', 'under'],
    ['/policy/drafts/01J/form', 'Filter', 'Policy', 'under'],
    ['/audit/rows/4', 'Record', 'The whole record', 'under'],
    ['/audit/governors', 'Record', 'What was changed', 'page'],
  ];
  for (const [path, section, place, current] of CASES) {
    const { sections, open } = navigationAt(path, () => true);
    t.strictSame(
      sections.filter((one) => one.current !== null).map(({ text }) => text),
      [section],
      path,
    );
    t.strictSame(
      open!.places.filter((one) => one.current !== null).map((one) => [one.text, one.current]),
      [[place, current]],
      path,
    );
  }
  const elsewhere = navigationAt('/nothing', () => true);
  t.strictSame([elsewhere.open, elsewhere.sections.some(({ current }) => current !== null)], [null, false]);
  t.equal(
    navigationAt('/peoplesomething', () => true).open,
    null,
    'an address is not a place because it begins like one',
  );
});
