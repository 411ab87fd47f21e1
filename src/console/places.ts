import type { Permission } from '../identity/permissions.ts';

/** A page of the navigation; pages under its address belong to it. */
interface Place {
  readonly text: string;
  readonly href: string;
  /** The permission of its route: whoever lacks it is not shown the way there. */
  readonly needs: Permission;
  /** Further addresses that belong to it. */
  readonly also?: readonly string[];
}

interface Section {
  readonly text: string;
  /** The first one that somebody may see is where the section leads them. */
  readonly places: readonly Place[];
}

/** Every page that can be reached from anywhere, as a school would look for it. A new page is a row of this table. */
export const SECTIONS: readonly Section[] = [
  { text: 'Home', places: [{ text: 'Home', href: '/', needs: 'home.see' }] },
  {
    text: 'Safeguarding',
    places: [
      { text: 'Concerns', href: '/concerns', needs: 'concerns.see' },
      { text: 'Incidents', href: '/incidents', needs: 'incidents.see' },
      { text: 'Alerts', href: '/alerts', needs: 'alerts.see' },
      { text: 'History', href: '/history', needs: 'history.investigate' },
      { text: 'Rules', href: '/concerns/tuning', needs: 'concerns.see' },
    ],
  },
  {
    text: 'Requests',
    places: [
      { text: 'Unblocks', href: '/unblocks', needs: 'unblock.see' },
      { text: 'What people asked for', href: '/unblocks/asked', needs: 'unblock.request', also: ['/unblocks/block'] },
      { text: 'Lessons', href: '/lessons', needs: 'lessons.give' },
    ],
  },
  {
    text: 'People',
    places: [
      { text: 'People', href: '/people', needs: 'people.see' },
      { text: 'Classes', href: '/classes', needs: 'people.see', also: ['/class'] },
      { text: 'Signed in', href: '/devices', needs: 'people.see' },
      { text: 'Guests', href: '/guests', needs: 'guests.manage' },
      { text: 'Agreements', href: '/agreements', needs: 'agreements.see' },
      { text: 'Import', href: '/people/import', needs: 'people.import' },
    ],
  },
  {
    text: 'Filter',
    places: [
      { text: 'Check a site', href: '/check', needs: 'site.check' },
      { text: 'Policy', href: '/policy', needs: 'policy.see' },
      { text: 'Versions', href: '/policy/versions', needs: 'policy.see' },
      { text: 'Lists', href: '/lists', needs: 'lists.see' },
      { text: 'Checks', href: '/checks', needs: 'checks.see' },
    ],
  },
  {
    text: 'Record',
    places: [
      { text: 'What was changed', href: '/audit/governors', needs: 'audit.review' },
      { text: 'The whole record', href: '/audit', needs: 'audit.see' },
      { text: 'Reports', href: '/reports', needs: 'reports.see' },
      { text: 'Who looked at a person’s data', href: '/audit/looks', needs: 'audit.see' },
    ],
  },
  {
    text: 'Settings',
    places: [
      { text: 'Accounts', href: '/accounts', needs: 'accounts.see' },
      { text: 'Who may do what', href: '/permissions', needs: 'permissions.see' },
      { text: 'How long we keep', href: '/retention', needs: 'retention.see' },
      { text: 'Backups', href: '/backups', needs: 'backup.make' },
      { text: 'Health', href: '/status', needs: 'health.see' },
    ],
  },
];

/** A link of the navigation. `current`: it is the page itself, or the page lies under it. */
export interface NavigationLink {
  readonly text: string;
  readonly href: string;
  readonly current: 'page' | 'under' | null;
}

export interface Navigation {
  readonly sections: readonly NavigationLink[];
  /** The section that is open, with its places; null where it has no second one to go to. */
  readonly open: { readonly text: string; readonly places: readonly NavigationLink[] } | null;
}

/** The navigation of a page at `path`, for whoever `may` what. */
export function navigationAt(path: string, may: (permission: Permission) => boolean): Navigation {
  const sections = SECTIONS.map(({ text, places }) => ({ text, places: places.filter(({ needs }) => may(needs)) }));
  const here = sections.flatMap(({ places }) => places).reduce<Match>((best, place) => nearer(path, best, place), NONE);
  const link = (text: string, { href }: Place, isHere: boolean): NavigationLink => ({
    text,
    href,
    current: !isHere ? null : href === path ? 'page' : 'under',
  });
  const open = sections.find(({ places }) => here.place !== null && places.includes(here.place));
  return {
    sections: sections
      .filter(({ places }) => places.length > 0)
      .map((section) => link(section.text, section.places[0]!, section === open)),
    open:
      open === undefined || open.places.length < 2
        ? null
        : { text: open.text, places: open.places.map((place) => link(place.text, place, place === here.place)) },
  };
}

interface Match {
  readonly place: Place | null;
  /** Characters of the address that agree. */
  readonly length: number;
}

const NONE: Match = { place: null, length: 0 };

/** The place with the longest address that the page lies at or under. */
function nearer(path: string, best: Match, place: Place): Match {
  const lengths = [place.href, ...(place.also ?? [])].filter((at) => liesUnder(path, at)).map((at) => at.length);
  const length = Math.max(0, ...lengths);
  return length > best.length ? { place, length } : best;
}

function liesUnder(path: string, at: string): boolean {
  return path === at || (at !== '/' && path.startsWith(`${at}/`));
}
