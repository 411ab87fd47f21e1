import { type Browser, chromium } from 'playwright-core';

/** Debian's Chromium without a window, all of its traffic through a proxy on loopback, also what is on loopback itself. */
export async function startChromium(proxyPort: number): Promise<Browser> {
  return await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    proxy: { server: `http://127.0.0.1:${proxyPort}`, bypass: '<-loopback>' },
  });
}
