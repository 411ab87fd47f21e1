import { networkInterfaces } from 'node:os';
import { addressKind, type AddressRanges, canonicalAddress } from '../kernel/ip.ts';

/** Which addresses this gateway may connect to. */
export interface Destinations {
  /** `address` canonical. Private, loopback, link-local (cloud metadata too) and special ranges only where the policy names them. */
  mayReach(address: string, port: number): boolean;
}

/** Our own listeners are never a destination, whatever the policy names: a request would come back to us as one of our own. */
export function destinations(allowed: AddressRanges, ownPorts: ReadonlySet<number>): Destinations {
  return {
    mayReach: (address, port) => {
      const kind = addressKind(address);
      if (ownPorts.has(port) && (kind === 'loopback' || isOwnAddress(address))) return false;
      return kind === 'public' || allowed.has(address);
    },
  };
}

function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list!.some((one) => canonicalAddress(one.address) === address),
  );
}
