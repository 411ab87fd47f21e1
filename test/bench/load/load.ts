import { type ChildProcess, fork } from 'node:child_process';
import type { Job, JobAnswer, JobMessage, JobResult } from './jobs.ts';

// Every job is bounded by counts; this bounds a proxy that hangs.
const JOB_DEADLINE_MS = 300_000;

/** The load generator, in its own process. */
export interface Load extends AsyncDisposable {
  /** Rejects with what went wrong first. One job at a time. */
  run(job: Job): Promise<JobResult>;
}

export function startLoad(): Load {
  const child = fork(new URL('load-process.ts', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  let id = 0;
  return {
    run: (job) => ask(child, { id: ++id, job }),
    [Symbol.asyncDispose]: () => end(child),
  };
}

function ask(child: ChildProcess, message: JobMessage): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      child.off('message', onAnswer);
      child.off('exit', onExit);
      settle();
    };
    const onAnswer = (answer: JobAnswer): void => {
      if (answer.id !== message.id) return;
      if ('error' in answer) finish(() => reject(new Error(answer.error)));
      else finish(() => resolve(answer.result));
    };
    const onExit = (): void => finish(() => reject(new Error('the load generator has ended')));
    const onLate = (): void => finish(() => reject(new Error(`not done within ${JOB_DEADLINE_MS / 1000} s`)));
    const timer = setTimeout(onLate, JOB_DEADLINE_MS);
    child.on('message', onAnswer);
    child.once('exit', onExit);
    child.send(message);
  });
}

/** Ends a process that ends by itself when its channel closes. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  await gone;
}
