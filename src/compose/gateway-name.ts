import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';

/** This gateway's name in records and on the bus, made at its first start and kept. */
export function gatewayName(layout: DataLayout): string {
  try {
    const kept = readFileSync(layout.gatewayId, 'utf8').trim();
    if (/^gw-[0-9a-f]{8}$/.test(kept)) return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const name = `gw-${randomBytes(4).toString('hex')}`;
  replaceFile(layout.gatewayId, `${name}\n`);
  return name;
}
