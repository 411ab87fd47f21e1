/** Told what is wrong, or null when it is well. */
export type OnState = (error: Error | null) => void;

/**
 * One state out of several parts, each of which tells of its own: `tell` hears of the first trouble and of the end of the
 * last, and of nothing in between.
 */
export function combineStates(tell: OnState): () => OnState {
  const troubled = new Set<OnState>();
  return () => {
    const part: OnState = (error) => {
      const was = troubled.size > 0;
      if (error === null) troubled.delete(part);
      else troubled.add(part);
      // The text alone: a client's error carries its command's arguments, such as a password or a pupil's record.
      if (was !== troubled.size > 0) tell(error === null ? null : new Error(error.message));
    };
    return part;
  };
}
