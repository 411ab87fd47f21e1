/** A site that stands for a category. */
export interface CategorySample {
  readonly category: string;
  readonly host: string;
}

/**
 * What must never be open to pupils, one site of each kind that the starter lists hold; where there is a harmless name that a DNS
 * provider keeps for such tests, that one. Looked over with the starter lists. A refused one is never connected to.
 */
export const REFUSED_SAMPLES: readonly CategorySample[] = [
  { category: 'adult', host: 'nudity.testcategory.com' },
  { category: 'self-harm', host: 'lostallhope.com' },
  { category: 'eating-disorders', host: 'myproana.com' },
  { category: 'violence', host: 'bestgore.com' },
  { category: 'extremism', host: 'stormfront.org' },
  { category: 'hate', host: 'dailystormer.name' },
  { category: 'drugs', host: 'cannabis.com' },
  { category: 'gambling', host: 'casino.org' },
  { category: 'malware', host: 'malware.testcategory.com' },
  { category: 'phishing', host: 'phishing.testcategory.com' },
  { category: 'vpn-proxy', host: 'airvpn.org' },
];

/** What must be open at every level: help, and schoolwork. */
export const OPEN_SAMPLES: readonly string[] = ['www.childline.org.uk', 'www.samaritans.org', 'www.bbc.co.uk'];

/** A search engine whose safe address is published, as `policy/safe-addresses.ts` has it. */
export const SEARCH_SAMPLE = 'www.google.com';
