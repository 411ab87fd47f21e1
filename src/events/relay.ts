import type { KeyObject } from 'node:crypto';
import type { DataLayout } from '../config/data-layout.ts';
import type { Bus, SnapshotKind } from './bus.ts';
import type { AlarmCode } from './catalogue.ts';
import { type AcceptedSnapshot, createSnapshotKeeper } from './snapshot-keeper.ts';

export interface RelayOptions {
  readonly layout: DataLayout;
  readonly bus: Bus;
  /** Whose spool is carried up. */
  readonly gateway: string;
  readonly publicKey: KeyObject;
  /** A newer snapshot was accepted and stored; workers can `readLastGood`. Not called for the one an earlier run stored. */
  readonly onSnapshot: (kind: SnapshotKind, snapshot: AcceptedSnapshot) => void;
  readonly onAlarm: (code: AlarmCode, text: string) => void;
}

export interface Relay {
  /** What an earlier run accepted last; null: nothing. */
  accepted<K extends SnapshotKind>(kind: K): AcceptedSnapshot<K> | null;
  /** Does not wait for the bus to be reachable. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** One process a gateway: carries its spool up, and takes the console's snapshots down. */
export function createRelay({ layout, bus, gateway, publicKey, onSnapshot, onAlarm }: RelayOptions): Relay {
  const keeper = createSnapshotKeeper({ layout, publicKey, onAccepted: onSnapshot, onAlarm });
  const feed = bus.feed();
  const carrier = bus.carrier(gateway);
  return {
    accepted: (kind) => keeper.accepted(kind),
    async start() {
      await feed.start((kind, json) => void keeper.offer(kind, json));
      await carrier.start();
    },
    async close() {
      await Promise.all([feed.close(), carrier.close()]);
    },
  };
}
