import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { DEFAULT_LEVELS, type RosterLevels } from '../identity/directory-snapshot.ts';
import { YEARS } from '../identity/school-years.ts';
import { addressRanges, canonicalAddress, isCidr } from '../kernel/ip.ts';
import { type Reporting, report } from './compile-entries.ts';
import { unknownLevel } from './compile-rules.ts';
import { minuteOfDay } from './compile-windows.ts';
import type { SchoolDocument } from './document.ts';
import type { PolicySnapshot } from './snapshot.ts';

type Document = YamlDocument<SchoolDocument>;

/** What holds where `school.yaml` says nothing: the contract's defaults, and limits for a school of some 1,500 devices. */
export const NETWORK_DEFAULTS: PolicySnapshot['network'] = {
  clients: ['127.0.0.0/8', '::1', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  allowDestinations: [],
  connectPorts: [
    { port: 443, tls: true },
    { port: 80, tls: false },
  ],
  httpPorts: [80, 8080, 8000, 8008, 8888],
  connectionsPerClient: 256,
  connections: 20_000,
};

/** Compiles `network:` over the defaults; a list that is given replaces the default list. */
export function compileNetwork(to: Reporting, document: Document): PolicySnapshot['network'] {
  const own = document.value.network ?? {};
  const clients = own.clients ?? NETWORK_DEFAULTS.clients;
  const connectPorts = own.connectPorts?.map(({ port, tls }) => ({ port, tls: tls ?? true }));
  checkCidrs(to, document, ['network', 'clients'], own.clients ?? []);
  checkCidrs(to, document, ['network', 'allowDestinations'], own.allowDestinations ?? []);
  if (clients.length === 0) {
    report(to, document, ['network', 'clients'], '"network.clients" is empty: nobody could use the proxy; name ranges');
  }
  checkDoubles(to, document, ['network', 'connectPorts'], connectPorts?.map(({ port }) => port) ?? []);
  checkDoubles(to, document, ['network', 'httpPorts'], own.httpPorts ?? []);
  return {
    clients,
    allowDestinations: own.allowDestinations ?? NETWORK_DEFAULTS.allowDestinations,
    connectPorts: connectPorts ?? NETWORK_DEFAULTS.connectPorts,
    httpPorts: own.httpPorts ?? NETWORK_DEFAULTS.httpPorts,
    connectionsPerClient: own.connectionsPerClient ?? NETWORK_DEFAULTS.connectionsPerClient,
    connections: own.connections ?? NETWORK_DEFAULTS.connections,
  };
}

/** Compiles `identity.ranges`. */
export function compileRanges(
  to: Reporting,
  document: Document,
  levelIds: ReadonlySet<string>,
): PolicySnapshot['identity']['ranges'] {
  const ranges = document.value.identity.ranges ?? [];
  checkCidrs(
    to,
    document,
    ['identity', 'ranges'],
    ranges.map(({ cidr }) => cidr),
  );
  for (const [i, { level }] of ranges.entries()) {
    if (!levelIds.has(level)) report(to, document, ['identity', 'ranges', i, 'level'], unknownLevel(level));
  }
  return ranges;
}

/** Compiles what `identity` says of sign-ins by address; what it leaves out is left out, so that the same files keep their hash. */
export function compileSignIn(
  to: Reporting,
  document: Document,
  levelIds: ReadonlySet<string>,
): Pick<PolicySnapshot['identity'], 'shared' | 'schoolDayEnds' | 'keepCards'> {
  const { shared, schoolDayEnds, keepCards } = document.value.identity;
  for (const [i, level] of (keepCards ?? []).entries()) {
    if (!levelIds.has(level)) report(to, document, ['identity', 'keepCards', i], unknownLevel(level));
  }
  checkCidrs(to, document, ['identity', 'shared'], shared ?? []);
  const ends = schoolDayEnds === undefined ? null : minuteOfDay(schoolDayEnds);
  if (schoolDayEnds !== undefined && (ends === null || ends === 1440)) {
    report(to, document, ['identity', 'schoolDayEnds'], `"${schoolDayEnds}" is not a time of day; write it as "18:00"`);
  }
  return {
    ...(shared !== undefined && { shared }),
    ...(ends !== null && { schoolDayEnds: ends }),
    ...(keepCards !== undefined && { keepCards }),
  };
}

/** Compiles `identity.levels` over the key stages of England; a shipped level that this school has not is left out. */
export function compileRosterLevels(to: Reporting, document: Document, levelIds: ReadonlySet<string>): RosterLevels {
  const own = document.value.identity.levels ?? {};
  const over = (kind: 'years' | 'roles'): Record<string, string> => {
    const written = Object.entries((own[kind] ?? {}) as Record<string, string>);
    for (const [name, level] of written) {
      const at = ['identity', 'levels', kind, name] as const;
      if (!levelIds.has(level)) report(to, document, at, unknownLevel(level));
      if (kind === 'years' && !YEARS.some((year) => year === name)) {
        report(to, document, at, `"${name}" is not a school year; write R, or a number from 1 to 13`);
      }
    }
    const shipped = Object.entries(DEFAULT_LEVELS[kind]).filter(([, level]) => levelIds.has(level));
    return Object.fromEntries([...shipped, ...written]);
  };
  return { years: over('years'), roles: over('roles') };
}

/** Reports what is no address range, or the same as another. */
export function checkCidrs(to: Reporting, document: Document, path: DocumentPath, cidrs: readonly string[]): void {
  for (const [i, cidr] of cidrs.entries()) {
    if (!isCidr(cidr)) {
      report(
        to,
        document,
        [...path, i],
        `"${cidr}" is not an address range; write it as 10.20.0.0/16 or 2001:db8::/48`,
      );
    } else if (cidrs.slice(0, i).some((earlier) => isCidr(earlier) && isSameRange(earlier, cidr))) {
      report(to, document, [...path, i], `"${cidr}" is the same range as one above; keep one`);
    }
  }
}

/** Two spellings of one range: the same length, and each holds the other's base address. */
function isSameRange(a: string, b: string): boolean {
  const [base, bits] = b.split('/') as [string, string?];
  return (a.split('/')[1] ?? '') === (bits ?? '') && addressRanges([a]).has(canonicalAddress(base)!);
}

function checkDoubles(to: Reporting, document: Document, path: DocumentPath, ports: readonly number[]): void {
  for (const [i, port] of ports.entries()) {
    if (ports.indexOf(port) < i) report(to, document, [...path, i], `port ${port} is named twice; keep one`);
  }
}
