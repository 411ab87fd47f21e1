/** What to do about an error of the file system, which is a matter of the machine and no fault of ours. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk has no room left: make some, and run this again',
  EDQUOT: 'the account has no room left on the disk: make some, and run this again',
  EROFS: 'it lies on a disk that can only be read: see SCHOOLGATE_DATA_DIR',
  EACCES: 'it is closed to this account: run this as the one that Schoolgate runs as',
  EPERM: 'it is closed to this account: run this as the one that Schoolgate runs as',
  EIO: 'the disk does not answer as it should: look at the machine’s log',
};

/** One sentence about an error that the file system gave and nobody took; null: it is another kind of error. */
export function diskFault(error: unknown): string | null {
  const { code, path = 'The data folder', syscall } = error as NodeJS.ErrnoException;
  const advice = code !== undefined && syscall !== undefined ? ADVICE[code] : undefined;
  return advice === undefined ? null : `${path} could not be used (${code}): ${advice}.`;
}
