/**
 * Where search and video services publish a safe address: a host whose connections are filtered by the service itself, for
 * the services' own names and with their own certificates. Our own table, from the services' pages (the URL stands at each),
 * as they stood on 2026-11-22. Names are canonical and exact: nothing under them is meant.
 */
export interface SafeService {
  readonly name: string;
  readonly hosts: readonly string[];
  /** What to connect to in place of these hosts: a name, or an address where the service publishes one. */
  readonly safe: string;
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** What follows `google.` in the names of Google's national pages: https://www.google.com/supported_domains */
const GOOGLE_ENDINGS = words(`
  com ac ad ae al am as at az ba be bf bg bi bj bs bt by ca cat cd cf cg ch ci cl cm cn co cv cz de dj dk dm dz ee es fi fm fr
  ga ge gg gl gm gp gr gy hn hr ht hu ie im iq is it je jo kg ki kz la li lk lt lu lv md me mg mk ml mn ms mu mv mw ne nl no
  nr nu pl pn ps pt ro rs ru rw sc se sh si sk sm sn so sr st td tg tk tl tm tn to tt vg vu ws
  co.ao co.bw co.ck co.cr co.id co.il co.in co.jp co.ke co.kr co.ls co.ma co.mz co.nz co.th co.tz co.ug co.uk co.uz co.ve
  co.vi co.za co.zm co.zw
  com.af com.ag com.ai com.ar com.au com.bd com.bh com.bn com.bo com.br com.by com.bz com.co com.cu com.cy com.do com.ec
  com.eg com.et com.fj com.gh com.gi com.gt com.hk com.iq com.jm com.kh com.kw com.lb com.ly com.mm com.mt com.mx com.my
  com.na com.nf com.ng com.ni com.np com.om com.pa com.pe com.pg com.ph com.pk com.pr com.py com.qa com.ru com.sa com.sb
  com.sg com.sl com.sv com.tj com.tn com.tr com.tw com.ua com.uy com.vc com.vn`);

const YANDEX_ENDINGS = words(`
  az by co.il com com.am com.ge com.ru com.tr de ee eu fi fr kg kz lt lv md net org pl ru tj tm ua uz`);

/** With and without `www.`. */
const bothWays = (host: string): string[] => [host, `www.${host}`];

/** Services that `safeSearch` binds. */
export const SAFE_SEARCH: readonly SafeService[] = [
  {
    // https://support.google.com/websearch/answer/186669 names www.google.com and every national page. The bare names and the
    // picture pages lead to the same search on the same servers, and would be ways past it.
    name: 'Google',
    hosts: [
      ...GOOGLE_ENDINGS.flatMap((ending) => [`google.${ending}`, `www.google.${ending}`, `images.google.${ending}`]),
      ...words('encrypted.google.com ipv4.google.com ipv6.google.com'),
    ],
    safe: 'forcesafesearch.google.com',
  },
  {
    // https://support.microsoft.com/topic/946059ed-992b-46a0-944a-28e8fb8f1814 names www.bing.com and, for the side bar of the
    // Edge browser, edgeservices.bing.com. The others answer the same search.
    name: 'Bing',
    hosts: words('bing.com www.bing.com edgeservices.bing.com cn.bing.com global.bing.com'),
    safe: 'strict.bing.com',
  },
  {
    // https://duckduckgo.com/duckduckgo-help-pages/features/safe-search; html. and lite. are its pages without scripts.
    name: 'DuckDuckGo',
    hosts: words(
      'duckduckgo.com www.duckduckgo.com start.duckduckgo.com html.duckduckgo.com lite.duckduckgo.com noai.duckduckgo.com',
    ),
    safe: 'safe.duckduckgo.com',
  },
  {
    // https://search.brave.com/help
    name: 'Brave Search',
    hosts: ['search.brave.com'],
    safe: 'forcesafe.search.brave.com',
  },
  {
    // https://support.ecosia.org names the second.
    name: 'Ecosia',
    hosts: bothWays('ecosia.org'),
    safe: 'strict-safe-search.ecosia.org',
  },
  {
    // https://pixabay.com/service/faq/
    name: 'Pixabay',
    hosts: bothWays('pixabay.com'),
    safe: 'safesearch.pixabay.com',
  },
  {
    // https://help.qwant.com: the results of its pages come from this host.
    name: 'Qwant',
    hosts: ['api.qwant.com'],
    safe: 'safeapi.qwant.com',
  },
  {
    // https://yandex.com/support/search/additional-features/adult-filter.html publishes an address. The last two names are
    // яндекс.рф in its A-labels.
    name: 'Yandex',
    hosts: [
      ...YANDEX_ENDINGS.flatMap((ending) => bothWays(`yandex.${ending}`)),
      ...bothWays('ya.ru'),
      ...bothWays('xn--d1acpjx3f.xn--p1ai'),
    ],
    safe: '213.180.193.56',
  },
];

/** Hosts that `youtube` binds, and the address of each restriction: https://support.google.com/a/answer/6214622 */
export const YOUTUBE = {
  // The page names the first five. The bare names lead to the same pages, and music plays the same videos.
  hosts: words(`
    www.youtube.com m.youtube.com youtubei.googleapis.com youtube.googleapis.com www.youtube-nocookie.com
    youtube.com youtube-nocookie.com music.youtube.com`),
  strict: 'restrict.youtube.com',
  moderate: 'restrictmoderate.youtube.com',
} as const;
