import type { AlertWatch } from '../alerts/watch-service.ts';
import type { Announcements } from '../identity/staff/announcement-service.ts';
import type { Publishing } from '../publishing/service.ts';
import type { Safeguarding } from '../safeguarding/service.ts';
import type { Unblocks } from '../unblock/service.ts';
import type { SetupRooms } from './setup.ts';
import type { WaitingRooms } from './waiting.ts';

/** What is known of the lists that the category index was built from. */
export interface ListsStatus {
  /** Names in all lists together. */
  readonly names: number;
  readonly lists: readonly {
    readonly id: string;
    readonly category: string;
    readonly accepted: number;
    /** ISO 8601 UTC. */
    readonly loadedAt: string;
    readonly fromLastGood: boolean;
  }[];
  readonly illegalListLoaded: boolean;
  /** Why nothing is known; null: all is well. */
  readonly problem: string | null;
}

/** One thing that was looked at: how it is, in one sentence that says what to do where something is to be done. */
export interface HealthLine {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly text: string;
  readonly href?: string;
}

/** What the home page and the health page are made of. */
export interface OverviewOptions extends Omit<WaitingRooms, 'policyStatus' | 'newestUnblocks'>, SetupRooms {
  readonly unblocks: Unblocks;
  readonly safeguarding: Safeguarding;
  readonly publishing: Publishing;
  readonly lists: () => ListsStatus;
  readonly announcements: Announcements;
  readonly alertWatch: AlertWatch;
  readonly timeZone: () => string;
  /** Looks at what takes some seconds: disk, ports, name servers, bus, mail server. Changes nothing. */
  readonly examine: () => Promise<readonly HealthLine[]>;
}
