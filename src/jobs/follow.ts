/** Calls `changed` whenever what `times` gives is another than before; looked at every so many ms, until the function it gives is called. */
export function followTimes(times: () => unknown, changed: () => void, everyMs: number): () => void {
  let known = JSON.stringify(times());
  const timer = setInterval(() => {
    const now = JSON.stringify(times());
    if (now === known) return;
    known = now;
    changed();
  }, everyMs);
  return () => clearInterval(timer);
}
