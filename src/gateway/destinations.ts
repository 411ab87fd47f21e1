import { networkInterfaces } from 'node:os';
import { addressKind, type AddressRanges, canonicalAddress } from '../kernel/ip.ts';

/** Which addresses this gateway may connect to. */
export interface Destinations {
  /** `address` canonical. Private, loopback, link-local (cloud metadata too) and special ranges only where the policy names them. */
  mayReach(address: string, port: number): boolean;
}

/** Our own listeners are never a destination, whatever the policy names: a request would come back to us as one of our own. */
export function destinations(allowed: AddressRanges, ownPorts: ReadonlySet<number>): Destinations {
  const isPublic = new Map<string, boolean>();
  const isOpen = (address: string): boolean => {
    let found = isPublic.get(address);
    if (found === undefined) {
      found = addressKind(address) === 'public';
      if (isPublic.size >= MAX_KNOWN) isPublic.clear();
      isPublic.set(address, found);
    }
    return found || allowed.has(address);
  };
  return {
    mayReach: (address, port) => {
      if (ownPorts.has(port) && (addressKind(address) === 'loopback' || isOwnAddress(address))) return false;
      return isOpen(address);
    },
  };
}

const MAX_KNOWN = 10_000;

function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list!.some((one) => canonicalAddress(one.address) === address),
  );
}
