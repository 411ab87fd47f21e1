import { pino, type Logger } from 'pino';

export type { Logger };

/** A JSON logger to standard error. What could hold a secret is replaced before it is written. */
export function createLogger(name: string, level: 'debug' | 'info' | 'warn' | 'error' | 'silent' = 'info'): Logger {
  return pino(
    {
      name,
      level,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          'password',
          '*.password',
          'authorization',
          '*.authorization',
          'headers',
          '*.headers',
          'cookie',
          '*.cookie',
          'token',
          '*.token',
          'url',
          '*.url',
          'target',
          '*.target',
        ],
        censor: '*****',
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
