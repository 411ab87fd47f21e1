// Run before the tests: the real programs they use are there, or this says what to do.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PROGRAMS = [
  { file: '/usr/bin/redis-server', debianPackage: 'redis-server' },
  { file: '/usr/bin/chromium', debianPackage: 'chromium' },
  { file: '/usr/bin/curl', debianPackage: 'curl' },
];

const missing = PROGRAMS.filter(({ file }) => !existsSync(file)).map(({ debianPackage }) => debianPackage);
if (missing.length > 0) {
  const install = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    console.error(`The tests need ${missing.join(' and ')}. Run: sudo ${install}`);
    process.exit(1);
  }
  console.error(`The tests need ${missing.join(' and ')}: installing with apt-get.`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
  execFileSync('apt-get', install.split(' ').slice(1), { stdio: 'inherit', env });
  // The package starts a server of its own, which no test uses.
  if (missing.includes('redis-server'))
    execFileSync('sh', ['-c', 'service redis-server stop || true'], { stdio: 'inherit' });
}
