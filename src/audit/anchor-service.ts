// chain ──verified, each night──► sealed line ──► a file, best on another machine's disk
//                                            └──► mail
import type { Delivery } from '../delivery/service.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import { appendAnchor, readAnchorFile } from './anchor-file.ts';
import { type Anchor, anchorLine, parseAnchors } from './anchor.ts';
import { payloadOf } from './entry.ts';
import { newestRowOf, newestRows } from './repository.ts';
import type { Audit } from './service.ts';

export interface AnchoringOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly delivery: Delivery;
  /** The anchor file. */
  readonly file: string;
  /** Who is mailed each anchor; null: nobody. */
  readonly mailTo: string | null;
  /** Told what somebody must look at. */
  readonly raise: (text: string) => void;
}

/** The subject of the act of anchoring; its newest row says what was anchored last. */
const SUBJECT = 'audit:anchor';

/**
 * The timetable's use case: checks the whole chain against all anchors, then anchors its end. A chain that is broken raises an
 * alarm and gets no new anchor: those of before say where. Rejects when the anchor cannot be kept or mailed.
 */
export async function checkAndAnchor(options: AnchoringOptions): Promise<void> {
  const { record, audit, clock, file, raise } = options;
  const { anchors, unreadable } = parseAnchors(readAnchorFile(file) ?? '');
  if (unreadable.length > 0) raise(`The anchor file ${file} was changed: its line ${unreadable[0]} is no anchor.`);
  const check = await audit.verify(record, anchors);
  if (!check.intact) {
    raise(`The record of acts is broken at row ${check.row}: ${check.problem}. Run "schoolgate audit verify".`);
    return;
  }
  const missing = record.read(lastAnchored);
  if (missing !== null && !anchors.some(({ seq }) => seq === missing))
    raise(`The anchor file ${file} does not hold the last anchor, of row ${missing}; ask who has moved or changed it.`);
  await anchorEnd(
    options,
    record.read((tx) => audit.anchor(tx, isoTime(clock()))),
  );
}

async function anchorEnd({ record, audit, delivery, file, mailTo }: AnchoringOptions, anchor: Anchor): Promise<void> {
  const line = anchorLine(anchor);
  appendAnchor(file, line);
  if (mailTo !== null) await delivery.send({ to: mailTo, ...anchorMail(anchor, line) });
  const { seq, hash } = anchor;
  const after = { seq, hash, file, mailed: mailTo !== null };
  record.write((tx) => audit.append(tx, { actor: 'console', action: 'audit.anchored', subject: SUBJECT, after }));
}

function anchorMail({ at, seq }: Anchor, line: string) {
  return {
    subject: `Anchor of the record of acts, ${at.slice(0, 10)}: ${seq} rows`,
    text: [
      'The record of acts was intact when this was sent. Keep this mail, best where whoever runs the filter cannot delete it.',
      'To check the record against it later, save the attachment and run:',
      '',
      'npx schoolgate audit verify --anchor FILE',
      '',
    ].join('\n'),
    attachments: [{ filename: 'audit-anchor.txt', contentType: 'text/plain; charset=utf-8', content: `${line}\n` }],
  };
}

/** The last row that was anchored, unless a backup was restored since, in which the file may not be; null: none. */
function lastAnchored(tx: ReadTx): number | null {
  const anchored = newestRows(tx, SUBJECT, 1)[0];
  if (anchored === undefined) return null;
  const restored = newestRowOf(tx, 'backup', ['backup.restored']);
  if (restored !== null && restored.seq > anchored.seq) return null;
  return (payloadOf(anchored)?.after as { seq: number } | undefined)?.seq ?? null;
}
