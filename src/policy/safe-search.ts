import { type CanonicalHost, canonicalHost } from '../kernel/host.ts';
import { SAFE_SEARCH, YOUTUBE } from './safe-addresses.ts';
import type { CompiledLevel } from './snapshot.ts';

/** The settings of a level that say where services are connected to. */
export type SafeSetting = 'safeSearch' | 'youtube';

type SafeSearch = NonNullable<CompiledLevel['safeSearch']>;
type YouTube = NonNullable<CompiledLevel['youtube']>;

/** What holds where nobody says anything, and in policies that were compiled before there were these settings. */
export const SAFE_SEARCH_DEFAULT: SafeSearch = { value: 'on', rule: null };
export const YOUTUBE_DEFAULT: YouTube = { value: 'strict', rule: null };

export function safeSearchOf(level: CompiledLevel): SafeSearch {
  return level.safeSearch ?? SAFE_SEARCH_DEFAULT;
}

export function youtubeOf(level: CompiledLevel): YouTube {
  return level.youtube ?? YOUTUBE_DEFAULT;
}

interface Service {
  readonly setting: SafeSetting;
  /** By the setting's value; nothing for `off`. */
  readonly addresses: Readonly<Record<string, CanonicalHost>>;
}

const SERVICES: ReadonlyMap<string, Service> = new Map([
  ...SAFE_SEARCH.flatMap(({ hosts, safe }) => entries(hosts, 'safeSearch', { on: canonicalHost(safe)! })),
  ...entries(YOUTUBE.hosts, 'youtube', {
    strict: canonicalHost(YOUTUBE.strict)!,
    moderate: canonicalHost(YOUTUBE.moderate)!,
  }),
]);

function entries(
  hosts: readonly string[],
  setting: SafeSetting,
  addresses: Service['addresses'],
): (readonly [string, Service])[] {
  return hosts.map((host) => [host, { setting, addresses }] as const);
}

/**
 * Where a level's requests for a canonical host must be connected to instead of the host itself; null: to the host. Who may
 * open the host at all is not asked here: an unblock opens a search engine and leaves it safe.
 */
export function safeAddress(level: CompiledLevel, host: string): CanonicalHost | null {
  const service = SERVICES.get(host);
  return service === undefined ? null : (service.addresses[settingOf(level, service.setting).value] ?? null);
}

/** The setting that binds a host, and the rule that says so; null: none does. */
export function safeSettingFor(
  level: CompiledLevel,
  host: string,
): { readonly setting: SafeSetting; readonly value: string; readonly rule: string | null } | null {
  const service = SERVICES.get(host);
  if (service === undefined || safeAddress(level, host) === null) return null;
  return { setting: service.setting, ...settingOf(level, service.setting) };
}

function settingOf(level: CompiledLevel, setting: SafeSetting): SafeSearch | YouTube {
  return setting === 'safeSearch' ? safeSearchOf(level) : youtubeOf(level);
}

/** The settings in words, for people who read a policy. */
export const SAFE_SEARCH_WORDS: Readonly<Record<SafeSearch['value'], string>> = { on: 'forced', off: 'not forced' };
export const YOUTUBE_WORDS: Readonly<Record<YouTube['value'], string>> = {
  strict: 'strictly restricted',
  moderate: 'moderately restricted',
  off: 'not restricted',
};

/** Both settings with where they stand, one a line. */
export function safeSettingsText(level: CompiledLevel): string {
  const [search, youtube] = [safeSearchOf(level), youtubeOf(level)];
  const place = (rule: string | null): string => `(${rule ?? 'nobody says otherwise'})`;
  return [
    `SafeSearch is ${SAFE_SEARCH_WORDS[search.value]} ${place(search.rule)}`,
    `YouTube is ${YOUTUBE_WORDS[youtube.value]} ${place(youtube.rule)}`,
  ].join('\n');
}
