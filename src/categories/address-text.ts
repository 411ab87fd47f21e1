/** A source as it may be shown: a path as it is, an address without what follows "?", which may be a subscriber's key. */
export function addressText(source: string): string {
  const url = URL.canParse(source) ? new URL(source) : null;
  if (url === null) return source;
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?…'}`;
}
