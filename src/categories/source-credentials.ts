import { readFileSync } from 'node:fs';
import { Secret } from '../config/secret.ts';
import { SourceError } from './fetch-source.ts';

/**
 * What a publisher gave the school, as the field `Authorization` wants it: the file's one line is `name:password` (Basic, RFC 7617) or
 * `Bearer token` (RFC 6750). Throws a SourceError that names the file and nothing of what it holds.
 */
export function readCredentials(path: string): Secret {
  let line: string;
  try {
    line = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new SourceError(`its credentials cannot be read from ${path} (${code})`, false, { cause });
  }
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(line)?.[1];
  if (token !== undefined) return new Secret(`Bearer ${token}`);
  if (/^[^:\p{Cc}]+:\P{Cc}*$/u.test(line)) return new Secret(`Basic ${Buffer.from(line).toString('base64')}`);
  throw new SourceError(`${path} must hold one line, "name:password" or "Bearer token"`, false);
}
