// With a scheme or beginning `www.`, up to the next space; or a host of any script, with port and path or without.
const ADDRESS =
  /(?<![\p{L}\p{N}])(?:[a-z][a-z0-9+.-]*:\/\/\S+|www\.\S+|(?:[\p{L}\p{N}-]+\.)+\p{L}{2,24}(?![\p{L}\p{N}])(?::\d+)?(?:\/\S*)?)/giu;

/** A text without any address of a page: what is illegal is never led to, also where somebody wrote it down. */
export function withoutAddresses(text: string): string {
  return text.replace(ADDRESS, '[address withheld]');
}
