import type { YamlDocument } from '../config/yaml-document.ts';
import { type Compiling, compileBothWays, compileCategories, report } from './compile-entries.ts';
import { inheritTimes } from './compile-times.ts';
import { compileWindows } from './compile-windows.ts';
import type { LevelDocument } from './document.ts';
import { overlayEntries } from './overlay.ts';
import { SAFE_SEARCH_DEFAULT, YOUTUBE_DEFAULT } from './safe-search.ts';
import type { CompiledLevel } from './snapshot.ts';

type Levels = ReadonlyMap<string, YamlDocument<LevelDocument>>;

/** What a level with no parent starts from; `voice` and `uncategorised` are then required of it. */
const NOTHING: Omit<CompiledLevel, 'name' | 'title' | 'voice' | 'uncategorised'> = {
  categories: {},
  entries: { allow: [], block: [] },
  downloads: null,
  hours: null,
  safeSearch: SAFE_SEARCH_DEFAULT,
  youtube: YOUTUBE_DEFAULT,
};

/** Compiles all levels with what they extend resolved, so that nothing is looked up in a parent at run time. */
export function compileLevels(to: Compiling, documents: Levels): Record<string, CompiledLevel> {
  if (documents.size === 0) {
    to.problems.push({ file: 'levels', reason: 'has no level; write at least one, such as levels/ks1.yaml' });
  }
  const compiled = new Map<string, CompiledLevel | null>();
  const compileOne = (name: string, below: readonly string[]): CompiledLevel | null => {
    const done = compiled.get(name);
    if (done !== undefined) return done;
    const document = documents.get(name)!;
    const parent = parentOf(to, documents, document, [...below, name]);
    const base = parent === null ? null : compileOne(parent, [...below, name]);
    const level = compileLevel(to, document, name, base, parent !== null || document.value.extends !== undefined);
    compiled.set(name, level);
    return level;
  };
  const levels = [...documents.keys()].map((name) => [name, compileOne(name, [])] as const);
  return Object.fromEntries(levels.filter((pair): pair is [string, CompiledLevel] => pair[1] !== null));
}

/** The level to inherit from, or null for none and for one that cannot be had, which is then reported. */
function parentOf(
  to: Compiling,
  documents: Levels,
  document: YamlDocument<LevelDocument>,
  chain: readonly string[],
): string | null {
  const parent = document.value.extends;
  if (parent === undefined) return null;
  if (!documents.has(parent)) {
    report(to, document, ['extends'], `"${parent}" is not a level; there is no levels/${parent}.yaml`);
    return null;
  }
  if (chain.includes(parent)) {
    const circle = [...chain.slice(chain.indexOf(parent)), parent].join(' → ');
    report(to, document, ['extends'], `levels extend each other in a circle (${circle}); one of them must extend none`);
    return null;
  }
  return parent;
}

function compileLevel(
  to: Compiling,
  document: YamlDocument<LevelDocument>,
  name: string,
  base: CompiledLevel | null,
  isChild: boolean,
): CompiledLevel | null {
  const own = document.value;
  const prefix = `${document.file}#`;
  const voice = own.voice ?? base?.voice;
  const uncategorised =
    own.uncategorised === undefined
      ? base?.uncategorised
      : { action: own.uncategorised, rule: `${prefix}uncategorised` };
  const inherited = base ?? NOTHING;
  const said = {
    categories: compileCategories(to, document, [], own.categories ?? {}, prefix),
    entries: compileBothWays(to, document, [], own, prefix),
    uncategorised: own.uncategorised !== undefined,
  };
  const categories = { ...inherited.categories, ...said.categories };
  const entries = overlayEntries(inherited.entries, said.entries);
  const downloads = own.downloads === undefined ? inherited.downloads : compileDownloads(to, document);
  const hours = own.hours === undefined ? inherited.hours : compileHours(to, document);
  const times = inheritTimes(to, document, own.times ?? [], inherited.times ?? [], said);
  if (voice === undefined || uncategorised === undefined) {
    if (!isChild) reportMissing(to, document);
    return null;
  }
  const safe = { safeSearch: inherited.safeSearch!, youtube: inherited.youtube!, ...compileSafeSettings(document) };
  const level = { name, title: own.title, voice, categories, uncategorised, entries, downloads, hours, ...safe };
  return times.length === 0 ? level : { ...level, times };
}

/** What a level itself says of safe addresses. */
function compileSafeSettings(document: YamlDocument<LevelDocument>): Pick<CompiledLevel, 'safeSearch' | 'youtube'> {
  const { safeSearch, youtube } = document.value;
  return {
    ...(safeSearch !== undefined && { safeSearch: { value: safeSearch, rule: `${document.file}#safeSearch` } }),
    ...(youtube !== undefined && { youtube: { value: youtube, rule: `${document.file}#youtube` } }),
  };
}

function reportMissing(to: Compiling, document: YamlDocument<LevelDocument>): void {
  for (const key of ['voice', 'uncategorised'] as const) {
    if (document.value[key] !== undefined) continue;
    report(to, document, [], `"${key}" is missing; a level that extends no other must say it`);
  }
}

function compileDownloads(to: Compiling, document: YamlDocument<LevelDocument>): CompiledLevel['downloads'] {
  const extensions = new Set<string>();
  for (const [i, text] of document.value.downloads!.block.entries()) {
    if (/^(?:\.[a-z0-9]{1,16}){1,3}$/i.test(text)) extensions.add(text.toLowerCase());
    else
      report(
        to,
        document,
        ['downloads', 'block', i],
        `"${text}" is not a file ending; write it with its dot, such as .exe`,
      );
  }
  return extensions.size === 0 ? null : { extensions: [...extensions].sort(), rule: `${document.file}#downloads` };
}

function compileHours(to: Compiling, document: YamlDocument<LevelDocument>): CompiledLevel['hours'] {
  const hours = document.value.hours!;
  if (hours.length === 0) return null;
  return { windows: compileWindows(to, document, ['hours'], hours), rule: `${document.file}#hours` };
}
