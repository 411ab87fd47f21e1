import { isWithin } from '../../kernel/host.ts';

/** Where an engine says what it was asked for: query parameters, the first that is there counts. */
interface Engine {
  /** Hosts; each with everything under it. A name that ends in `.` stands for every country's: `google.` is google.co.uk. */
  readonly hosts: readonly string[];
  readonly parameters: readonly string[];
}

/**
 * Our own table, from what the engines' own search pages do: general search, pictures, video, children's search, shops and
 * encyclopaedias that pupils search in. Seen on plain http only until there is decryption.
 */
const ENGINES: readonly Engine[] = [
  { hosts: ['google.'], parameters: ['q', 'as_q'] },
  { hosts: ['bing.com', 'msn.com', 'live.com'], parameters: ['q'] },
  {
    hosts: ['duckduckgo.com', 'ddg.gg', 'startpage.com', 'qwant.com', 'qwantjunior.com', 'ecosia.org'],
    parameters: ['q', 'query'],
  },
  {
    hosts: ['brave.com', 'mojeek.com', 'swisscows.com', 'kiddle.co', 'kidrex.org', 'gibiru.com'],
    parameters: ['q', 'query'],
  },
  { hosts: ['yahoo.com', 'yahoo.co.uk', 'yahoo.co.jp'], parameters: ['p', 'q'] },
  { hosts: ['yandex.', 'ya.ru'], parameters: ['text'] },
  { hosts: ['baidu.com'], parameters: ['wd', 'word', 'kw'] },
  {
    hosts: ['ask.com', 'aol.com', 'aol.co.uk', 'dogpile.com', 'lycos.com', 'webcrawler.com', 'info.com'],
    parameters: ['q', 'query'],
  },
  { hosts: ['metager.org', 'metager.de'], parameters: ['eingabe'] },
  { hosts: ['naver.com', 'daum.net'], parameters: ['query', 'q'] },
  { hosts: ['sogou.com'], parameters: ['query'] },
  { hosts: ['so.com', 'seznam.cz', 'mail.ru', 'rambler.ru'], parameters: ['q', 'query'] },
  { hosts: ['youtube.com'], parameters: ['search_query', 'q'] },
  { hosts: ['vimeo.com', 'dailymotion.com', 'twitch.tv'], parameters: ['q', 'term'] },
  {
    hosts: ['tiktok.com', 'x.com', 'twitter.com', 'reddit.com', 'tumblr.com', 'pinterest.com', 'pinterest.co.uk'],
    parameters: ['q'],
  },
  { hosts: ['giphy.com', 'tenor.com', 'imgur.com', 'pixabay.com', 'unsplash.com'], parameters: ['q'] },
  { hosts: ['wikipedia.org', 'wiktionary.org', 'simplewiki.org'], parameters: ['search'] },
  { hosts: ['bbc.co.uk', 'bbc.com', 'quora.com', 'archive.org'], parameters: ['q', 'query'] },
  { hosts: ['amazon.'], parameters: ['k', 'field-keywords'] },
  { hosts: ['ebay.'], parameters: ['_nkw'] },
];

/** An engine that lists know and the table does not. */
const SEARCH_CATEGORIES: ReadonlySet<string> = new Set([
  'search-engines',
  'child-search',
  'image-search',
  'unsafe-search',
]);
const USUAL_PARAMETERS = ['q', 'query', 'search', 'p', 'text', 'k', 'keyword', 'keywords', 's', 'wd', 'searchTerm'];

/** Longer ones are no search, and nobody reads them. */
const LONGEST_TERM = 500;

/**
 * What a search engine was asked for, from a canonical URL; null where nothing was asked, or where it is no engine: neither in the table
 * nor in a category of engines. CONNECT targets (`host:443`) hold none.
 */
export function searchTerm(target: string, categories: readonly string[] = []): string | null {
  const found = /^https?:\/\/([^/:]+)(?::\d+)?\/[^?]*\?(.+)$/.exec(target.slice(0, LONGEST_TARGET));
  if (found === null) return null;
  const [, host, query] = found as unknown as readonly [string, string, string];
  const engine = ENGINES.find(({ hosts }) => hosts.some((one) => isOf(host, one)));
  const isListed = categories.some((category) => SEARCH_CATEGORIES.has(category));
  const parameters = engine?.parameters ?? (isListed ? USUAL_PARAMETERS : []);
  const asked = new URLSearchParams(query);
  const term = parameters.map((name) => asked.get(name)?.trim() ?? '').find((value) => value !== '');
  return term?.slice(0, LONGEST_TERM) ?? null;
}

const LONGEST_TARGET = 8192;

/** `google.` as a country's name has it: google.com, www.google.co.uk, and no google.example.com. */
function isOf(host: string, name: string): boolean {
  if (!name.endsWith('.')) return isWithin(host, name);
  return new RegExp(`(?:^|\\.)${name.slice(0, -1)}\\.(?:[a-z]{2,3}|(?:com?|org|net)\\.[a-z]{2})$`).test(host);
}
