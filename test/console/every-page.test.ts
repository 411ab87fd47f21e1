// Every page of the console in a real browser: read by everybody, on a desk and on a phone, and without a script.
import t from 'tap';
import { fullConsole } from '../helpers/full-console.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';

/** What to open for each page, by its route; `null`: it is a file, not a page. A page that is not here fails the test. */
const PAGES: Readonly<Record<string, string | null>> = {
  '/': '/',
  '/account': '/account',
  '/account/password': '/account/password',
  '/account/second-factor': '/account/second-factor',
  '/accounts': '/accounts',
  '/accounts/:id': '/accounts/{account}',
  '/accounts/invite': '/accounts/invite',
  '/accounts/sealed-credential': '/accounts/sealed-credential',
  '/accounts/sessions': '/accounts/sessions',
  '/agreements': '/agreements',
  '/alerts': '/alerts',
  '/alerts/:id': '/alerts/{alert}',
  '/audit': '/audit',
  '/audit/governors': '/audit/governors',
  '/audit/looks': '/audit/looks?person={person}',
  '/audit/rows/:seq': '/audit/rows/1',
  '/backups': '/backups',
  '/check': '/check?url=www.bet365.com&level=ks3',
  '/checks': '/checks',
  '/checks/:id': '/checks/{check}',
  '/checks/new': '/checks/new',
  '/class': '/class?name=5A',
  '/classes': '/classes',
  '/concerns': '/concerns',
  '/concerns/:id': '/concerns/{concern}',
  '/concerns/tuning': '/concerns/tuning',
  '/confirm': '/confirm',
  '/devices': '/devices',
  '/guests': '/guests',
  '/history': '/history',
  '/history/export/:sha256': null,
  '/incidents': '/incidents',
  '/incidents/:id': '/incidents/{incident}',
  '/incidents/export': '/incidents/export',
  '/incidents/export/:sha256': null,
  '/incidents/new': '/incidents/new?concern={concern}',
  '/join/:token': '/join/{invitation}',
  '/lessons': '/lessons',
  '/lessons/look-up': '/lessons/look-up',
  '/lessons/new': '/lessons/new',
  '/lists': '/lists',
  '/lists/work/:id': '{work}',
  '/people': '/people',
  '/people/:id': '/people/{person}',
  '/people/import': '/people/import',
  '/people/import/:upload': `/people/import/${'x'.repeat(43)}`,
  '/permissions': '/permissions',
  '/policy': '/policy',
  '/policy/drafts/:id': '/policy/drafts/{draft}',
  '/policy/drafts/:id/form': '/policy/drafts/{draft}/form?file=levels/ks1.yaml',
  '/policy/drafts/:id/rebase': '/policy/drafts/{overtaken}/rebase',
  '/policy/drafts/:id/yaml': '/policy/drafts/{draft}/yaml?file=school.yaml',
  '/policy/versions': '/policy/versions',
  '/policy/versions/:serial': '/policy/versions/{version}',
  '/reports': '/reports',
  '/reports/:kind/:period': '/reports/weekly/{report}',
  '/reports/:kind/:period/csv': null,
  '/retention': '/retention',
  '/retention/:kept/hold': '/retention/history/hold',
  '/sealed-credential': '/sealed-credential',
  '/sign-in': '/sign-in',
  '/status': '/status?look=all',
  '/unblocks': '/unblocks',
  '/unblocks/:id': '/unblocks/{unblock}',
  '/unblocks/asked': '/unblocks/asked',
  '/unblocks/asked/:id/take-up': '/unblocks/asked/{wish}/take-up',
  '/unblocks/block': '/unblocks/block',
  '/unblocks/new': '/unblocks/new',
};

/** For programs, and what pages consist of. */
const NO_PAGE = /^\/(?:api|static)\/|^\/(?:health|metrics)$/;

void t.test(
  'every page is read by everybody, on a desk and on a phone, without a script',
  { timeout: 300_000 },
  async (t) => {
    const console = await fullConsole(t);
    t.teardown(() => console.close());
    const routes = console.app.routeAccess
      .filter(({ method, url }) => method === 'GET' && !NO_PAGE.test(url))
      .map(({ url }) => url);
    t.strictSame(routes.toSorted(), Object.keys(PAGES).toSorted(), 'the table above knows every page');

    const { origin, complaints, open, look } = await lookAtPages(t, console, 320);
    const page = await open();
    await page.context().addCookies([{ name: 'schoolgate-session', value: console.token, url: origin }]);
    for (const [route, asked] of Object.entries(PAGES)) {
      if (asked === null) continue;
      const url = asked.replaceAll(/\{(\w+)\}/g, (_, name: string) => console.ids[name]!);
      const response = await page.goto(`${origin}${url}`);
      // What was too old to be gone on with is a page as well.
      t.ok([200, 410].includes(response!.status()), `${route} answered ${response!.status()}`);
      // Whatever is switched off in a browser is not missed, as nothing is there and nothing would be run.
      t.notMatch(await response!.text(), /<script|\son\w+="/, `${route} has no script`);
      t.match(response!.headers()['content-security-policy'], /^default-src 'none';(?!.*script)/);
      await look(page, `every${route.replaceAll(/[/:]+/g, '-')}`);
    }
    t.strictSame(
      complaints.filter((complaint) => !/status of 410/.test(complaint)),
      [],
      'the browser had nothing to complain of',
    );
  },
);
