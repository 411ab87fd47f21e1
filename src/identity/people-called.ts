/** Those whom somebody means who types a user name or a full name: none, one, or several of the same name. */
export function peopleCalled<P extends { readonly user: string; readonly fullName: string }>(
  typed: string,
  people: readonly P[],
): readonly P[] {
  const plain = (text: string): string => text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ');
  const byUser = people.filter(({ user }) => user === plain(typed));
  return byUser.length > 0 ? byUser : people.filter(({ fullName }) => plain(fullName) === plain(typed));
}
