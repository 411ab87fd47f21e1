/** How it was known who asked for something; `none`: the strictest level applied. */
export type IdentifiedBy = 'none' | 'range' | 'session' | 'proxy-auth';

const KNOWN_BY: Readonly<Record<IdentifiedBy, string>> = {
  none: 'not identified',
  range: 'by address range: weak',
  session: 'signed in at the front desk: fair',
  'proxy-auth': 'signed in at the proxy: strong',
};

/**
 * In words, and how sure it is: an address tells where a device is, a sign-in there who had it, credentials who asked. What an older
 * record or another gateway says that is not known here stays as it is.
 */
export function knownByText(identified: string): string {
  return Object.hasOwn(KNOWN_BY, identified) ? KNOWN_BY[identified as IdentifiedBy] : identified;
}
