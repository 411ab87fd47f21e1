import { FORBIDDEN, type Way } from '../setting.ts';

/** No proxy: what the same work costs in time without one. */
export const direct: Way = {
  id: 'direct',
  version: () => 'none',
  install: '',
  setup: 'no proxy',
  start: () =>
    Promise.resolve({
      id: 'direct',
      pid: null,
      port: null,
      originHost: 'localhost',
      keepAlive: true,
      refusal: FORBIDDEN,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
};
