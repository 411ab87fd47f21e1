import { instantOf, localInput } from '../../kernel/local-time.ts';

/** What the people of a level agree to before they use the web. */
export interface Agreement {
  /** Of its very words and of who accepts it: another word is another version. */
  readonly version: string;
  /** The file's name, such as `ks2`. */
  readonly band: string;
  readonly title: string;
  /** A paragraph each. */
  readonly text: readonly string[];
  /** `parent`: staff record that a parent has agreed. */
  readonly by: 'person' | 'parent';
}

/** What a policy says of agreements. */
export interface AgreementRules {
  /** The day of the year, such as `09-01`, from which everybody is asked again. */
  readonly yearBegins: string;
  /** By the level of whoever is asked; who has another level is asked nothing. */
  readonly levels: Readonly<Record<string, Agreement>>;
}

/** The agreement for people of a level; null: they are asked nothing. */
export function agreementFor(rules: AgreementRules | undefined, level: string | null): Agreement | null {
  return rules !== undefined && level !== null && Object.hasOwn(rules.levels, level) ? rules.levels[level]! : null;
}

/** When the next school year begins, ms since the epoch: what is accepted now counts until then. */
export function nextYear(now: number, yearBegins: string, zone: string): number {
  const year = Number(localInput(now, zone).slice(0, 4));
  const begins = instantOf(`${year}-${yearBegins}T00:00`, zone)!;
  return begins > now ? begins : instantOf(`${year + 1}-${yearBegins}T00:00`, zone)!;
}
