import { setTimeout as pause } from 'node:timers/promises';

/** Waits until the condition gives something true and returns it; fails with what it waited for after `ms`. */
export async function until<T>(what: string, condition: () => T | Promise<T>, ms = 10_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await pause(10);
  }
}
