// With a scheme, or beginning `www.`, or a host with a path, or a host alone.
const ADDRESS = /(?:\b[a-z][a-z0-9+.-]*:\/\/|\bwww\.)\S+|\b(?:[a-z0-9-]+\.)+[a-z]{2,24}\b(?::\d+)?(?:\/\S*)?/giu;

/** A text without any address of a page: what is illegal is never led to, also where somebody wrote it down. */
export function withoutAddresses(text: string): string {
  return text.replace(ADDRESS, '[address withheld]');
}
