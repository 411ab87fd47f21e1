// The load generator is a process of its own, so that what it costs never mixes with what measures.
import type { JobAnswer, JobMessage } from './jobs.ts';
import { type Held, runJob } from './run-job.ts';

const held: Held = { route: null, tunnels: [] };

process.on('message', ({ id, job }: JobMessage) => {
  runJob(job, held).then(
    (result) => answer({ id, result }),
    (error: unknown) => answer({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.once('disconnect', () => process.exit());

function answer(message: JobAnswer): void {
  process.send!(message);
}
