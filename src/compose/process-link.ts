import type { ChildProcess } from 'node:child_process';

/** What one process of a gateway says to another over Node's IPC channel. */
export interface Message {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** One end of a channel between the supervisor and a child: telling, asking, answering. */
export interface ProcessLink {
  tell(message: Message): void;
  /** Resolves with the answer; rejects when none comes within `ms`, or the other process goes. */
  ask(message: Message, ms: number): Promise<unknown>;
  /** Called for everything that is not an answer. `answer` replies to an `ask`; for a `tell` it does nothing. */
  onMessage(handler: (message: Message, answer: (body: unknown) => void) => void): void;
  /** Called once, at once where the other process is gone already. */
  onGone(handler: () => void): void;
}

interface Waiting {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** The end towards `other`: a child (in the supervisor), or `process` itself (in a child). */
export function processLink(other: ChildProcess | NodeJS.Process): ProcessLink {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let handle: (message: Message, answer: (body: unknown) => void) => void = () => {};

  const send = (message: Message): void => {
    // A process that is just going has no channel any more; whoever waits for it hears by `disconnect`.
    if (other.connected) other.send!(message, undefined, undefined, () => {});
  };
  other.on('message', (message: Message) => {
    if (message.type !== 'answer') return handle(message, (body) => send({ type: 'answer', to: message['id'], body }));
    const found = waiting.get(message['to'] as number);
    waiting.delete(message['to'] as number);
    clearTimeout(found?.timer);
    found?.resolve(message['body']);
  });
  other.once('disconnect', () => {
    for (const one of waiting.values()) {
      clearTimeout(one.timer);
      one.reject(new Error('the process is gone'));
    }
    waiting.clear();
  });
  return {
    tell: send,
    ask: (message, ms) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`no answer to ${message.type} within ${ms} ms`));
        }, ms);
        waiting.set(id, { resolve, reject, timer });
        send({ ...message, id });
      }),
    onMessage: (handler) => {
      handle = handler;
    },
    onGone(handler) {
      if (other.connected) other.once('disconnect', handler);
      else handler();
    },
  };
}
