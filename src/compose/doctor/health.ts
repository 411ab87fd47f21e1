import { request } from 'node:http';
import { parseObject } from '../../kernel/json.ts';

/** What `/health` on the proxy port answers; alarms newest first. */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly console: 'up' | 'down' | 'elsewhere';
  readonly workers: readonly { readonly up: boolean }[];
  readonly alarms: readonly { readonly at: string; readonly code: string }[];
}

/** Null: no answer within `ms`, or none of a Schoolgate. */
export function askHealth(host: string, port: number, ms: number): Promise<Health | null> {
  const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return new Promise((resolve) => {
    const asked = request({ host: own, port, path: '/health', timeout: ms, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () => resolve(parse(text)));
      response.once('error', () => resolve(null));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(null));
    asked.end();
  });
}

function parse(text: string): Health | null {
  const found = parseObject(text);
  const isHealth = Array.isArray(found?.['workers']) && Array.isArray(found['alarms']);
  return isHealth ? (found as unknown as Health) : null;
}
