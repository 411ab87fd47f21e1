import { AUDIT_ACTIONS, type AuditAction, type AuditRow, payloadOf } from './entry.ts';

/** What governors read about, and which acts belong to it. No act here is a look at somebody or about a pupil's account. */
export const GOVERNED: Readonly<Record<string, { readonly title: string; readonly of: readonly string[] }>> = {
  policy: { title: 'Policy', of: ['policy.'] },
  unblocks: { title: 'Unblocks', of: ['unblock.'] },
  lists: { title: 'Lists', of: ['list.'] },
  accounts: {
    title: 'Accounts and roles',
    of: ['person.invited', 'person.joined', 'person.roles-changed', 'invitation.'],
  },
  record: {
    title: 'Evidence, backups, how long data is kept, and this record',
    of: ['evidence.', 'backup.', 'retention.', 'audit.payloads-erased'],
  },
};

/** `kind` that there is not: all of them. */
export function governedActions(kind: string | undefined): readonly AuditAction[] {
  const chosen = kind !== undefined && Object.hasOwn(GOVERNED, kind) ? [GOVERNED[kind]!] : Object.values(GOVERNED);
  const begins = chosen.flatMap(({ of }) => of);
  return (Object.keys(AUDIT_ACTIONS) as AuditAction[]).filter((action) => begins.some((one) => action.startsWith(one)));
}

/** Names that are not to be read, small: whole ones of up to four words, and user names. */
export type HiddenNames = ReadonlySet<string>;

const HIDDEN = '[a pupil]';

/** The text with every name replaced. A word that is somebody's user name or whole name goes, too, whatever it was meant for. */
export function withoutNames(text: string, names: HiddenNames): string {
  const words = [...text.matchAll(/[\p{L}\p{N}][\p{L}\p{M}\p{N}.'’_-]*/gu)].map((found) => ({
    word: found[0],
    at: found.index,
  }));
  let done = '';
  let from = 0;
  for (let i = 0; i < words.length; i++) {
    const isName = (n: number): boolean =>
      i + n <= words.length &&
      names.has(
        plain(
          words
            .slice(i, i + n)
            .map(({ word }) => word)
            .join(' '),
        ),
      );
    const span = [4, 3, 2, 1].find(isName);
    if (span === undefined) continue;
    const last = words[i + span - 1]!;
    done += text.slice(from, words[i]!.at) + HIDDEN;
    from = last.at + last.word.length;
    i += span - 1;
  }
  return done + text.slice(from);
}

/** How names are compared: small, without accents, without a possessive or a full stop at their end. */
export function plain(name: string): string {
  const small = name.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll('’', "'");
  return small.replace(/(?:'s|[.'_-])+$/u, '').replaceAll(/\s+/g, ' ');
}

/** An act as governors read it. */
export interface GovernedAct {
  readonly seq: number;
  readonly at: string;
  readonly what: string;
  readonly about: string | null;
  readonly details: readonly string[];
  readonly by: string;
  /** Null: nobody had to. */
  readonly approver: string | null;
  readonly reason: string | null;
  readonly isErased: boolean;
}

export interface GovernorsWords {
  /** Full name of whoever has an account of the console; of anybody else what they are. */
  readonly nameOf: (userName: string) => string;
  readonly hidden: HiddenNames;
  /** Topic of the unblock that a row is about; null: it is about none. */
  readonly topicOf: (row: AuditRow) => string | null;
}

export function governedAct(row: AuditRow, { nameOf, hidden, topicOf }: GovernorsWords): GovernedAct {
  const payload = payloadOf(row);
  const clean = (text: string | null): string | null => (text === null ? null : withoutNames(text, hidden));
  const after = (payload?.after ?? {}) as {
    readonly changes?: readonly unknown[];
    readonly roles?: readonly unknown[];
  };
  const details = [...(after.changes ?? []), ...(after.roles ?? [])].map((one) => withoutNames(wordsOf(one), hidden));
  return {
    seq: row.seq,
    at: row.at,
    what: AUDIT_ACTIONS[row.action],
    about: clean(topicOf(row)) ?? (row.action.startsWith('list.') ? row.subject.replace(/^list:/, '') : null),
    details,
    by: nameOf(row.actor),
    approver: row.approver === null ? null : nameOf(row.approver),
    reason: clean(payload?.reason ?? null),
    isErased: payload === null,
  };
}

function wordsOf(one: unknown): string {
  if (typeof one === 'string') return one;
  const { text, role } = one as { readonly text?: string; readonly role?: string };
  return text ?? role ?? JSON.stringify(one);
}
