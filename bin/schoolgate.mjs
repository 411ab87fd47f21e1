#!/usr/bin/env node
// Plain enough for any Node from 18 up to read: finds a Node 24 to run Schoolgate on, or says what is missing.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const pinned = fileURLToPath(new URL(`../node_modules/node-${platform}-${arch}/bin/node`, import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import('../src/main.ts');
} else if (existsSync(pinned)) {
  const child = spawn(pinned, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
} else {
  process.stderr.write(
    `Schoolgate needs Node.js 24; this is ${process.version}, and the pinned one is not installed: run "npm ci" in the project folder without --omit=optional, or install Node.js 24.\n`,
  );
  process.exitCode = 1;
}
