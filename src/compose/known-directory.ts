import { type DirectorySnapshot, NO_DIRECTORY } from '../identity/directory-snapshot.ts';
import { directorySnapshot } from '../identity/directory/service.ts';
import type { Publishing } from '../publishing/service.ts';
import type { RecordDatabase } from '../store/database.ts';

/** Everybody who belongs to the school, as gateways have them. */
export type KnownDirectory = () => DirectorySnapshot;

/** Read anew when a roster has changed something: 5,000 people take a tenth of a second, which no page should wait for. */
export function createKnownDirectory(record: RecordDatabase, publishing: Publishing): KnownDirectory {
  let known: { readonly serial: number; readonly directory: DirectorySnapshot } | null = null;
  return () => {
    const serial = publishing.serial('people');
    if (known?.serial !== serial) known = { serial, directory: record.read(directorySnapshot) ?? NO_DIRECTORY };
    return known.directory;
  };
}
