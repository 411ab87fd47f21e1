/** What a proxy auto-configuration file tells browsers. */
export interface PacFacts {
  /** Host as it stands in a URL (IPv6 in brackets) and port of the proxy. */
  readonly proxyHost: string;
  readonly proxyPort: number;
  /** True: browsers speak TLS to the proxy itself. */
  readonly isTls: boolean;
  /** Where the front desk was reached, `scheme://host[:port]`; null: through the proxy only. */
  readonly deskOrigin: string | null;
}

/**
 * A proxy auto-configuration file in the JavaScript that the oldest engines read. Everything goes through the proxy but what
 * cannot be the internet. No name is ever resolved here (`isInNet` would), because a name can lead to a private address when
 * it is asked for and to the internet a moment later; and nothing falls back to DIRECT, because then cutting off the proxy
 * would cut off the filter.
 */
export function proxyAutoConfig({ proxyHost, proxyPort, isTls, deskOrigin }: PacFacts): string {
  const desk =
    deskOrigin === null
      ? ''
      : `
  // The page that explains refusals, at the address this file came from.
  var desk = ${quoted(`${deskOrigin}/`)};
  if (url.substring(0, desk.length) === desk) return "DIRECT";
`;
  return `function FindProxyForURL(url, host) {
  var proxy = ${quoted(`${isTls ? 'HTTPS' : 'PROXY'} ${proxyHost}:${proxyPort}`)};
  var name = host.toLowerCase().replace(/^\\[|\\]$/g, "");
${desk}
  // This device.
  if (name === "localhost" || /\\.localhost$/.test(name)) return "DIRECT";

  // Names of one word are the school's own. Not those of two letters or xn--: they are countries' top-level domains, and some
  // have a web site. Not numbers: 134744072 is 8.8.8.8.
  if (/^[a-z][a-z0-9-]{2,62}$/.test(name) && !/^xn--/.test(name)) return "DIRECT";

  // Private, loopback and link-local addresses, in the plain spelling only: 010.8.8.8 is 8.8.8.8 to some.
  var number = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  var isAddress = new RegExp("^" + number + "(\\\\." + number + "){3}$").test(name);
  if (isAddress && /^(10|127|169\\.254|192\\.168|172\\.(1[6-9]|2[0-9]|3[01]))\\./.test(name)) return "DIRECT";
  if (/^(::1|(f[cd][0-9a-f][0-9a-f]|fe[89ab][0-9a-f]):[0-9a-f:]+)$/.test(name)) return "DIRECT";

  return proxy;
}
`;
}

// Hosts and origins are canonical, so this holds no character that a JavaScript string could end at; JSON quotes it anyway.
function quoted(text: string): string {
  return JSON.stringify(text);
}
