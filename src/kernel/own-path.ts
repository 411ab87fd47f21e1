/** Where a form leads back to: a path of our own, whatever was asked for; no other site's, however it is spelt. */
export function ownPath(asked: string | undefined): string {
  return asked !== undefined && /^\/(?![/\\])[^\s\\]*$/.test(asked) ? asked : '/';
}
