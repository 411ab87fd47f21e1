import { localText } from '../kernel/local-time.ts';
import type { Missing } from './missing.ts';
import type { UnblockOfWeek, WeekStatus } from './ports.ts';
import type { ReportTable } from './report.ts';
import { count, listTable, text } from './table-parts.ts';
import type { WeekCounts } from './week-counts.ts';
import { stretchWords } from './words.ts';

export function missingTable(missing: readonly Missing[]): ReportTable {
  return listTable({
    id: 'missing',
    title: 'What is missing',
    note: '',
    columns: [text('What'), text('Detail')],
    rows: missing.map(({ what, detail }) => [what, detail]),
    whenEmpty: 'Nothing is known to be missing from this report.',
  });
}

export function unblocksTable(unblocks: readonly UnblockOfWeek[], zone: string): ReportTable {
  return listTable({
    id: 'unblocks',
    title: 'Sites opened for a topic',
    note: 'Every unblock that was asked for, or that was in force, in this period.',
    columns: [text('Topic and sites'), text('When'), text('Asked and decided by'), text('Outcome')],
    rows: unblocks.map((unblock) => [
      `${unblock.topic}: ${unblock.hosts.join(', ')}`,
      stretchWords(Date.parse(unblock.from), Date.parse(unblock.until), zone),
      `${unblock.requestedBy}, ${unblock.decidedBy ?? 'nobody'}`,
      unblock.state,
    ]),
    whenEmpty: 'No unblock was asked for or in force.',
  });
}

export function faultsTable(counts: WeekCounts, zone: string): ReportTable {
  return listTable({
    id: 'faults',
    title: 'Faults of the filter',
    note: 'A fault refuses: nothing passes unjudged.',
    columns: [text('Gateway, worker'), count('Requests'), text('First'), text('Last')],
    rows: counts.faults.map((fault) => [
      `${fault.gateway}, ${fault.worker}`,
      fault.requests,
      localText(fault.first, zone),
      localText(fault.last, zone),
    ]),
    whenEmpty: 'No request was refused by a fault of the filter.',
  });
}

export function listsTable({ lists }: WeekStatus, zone: string): ReportTable {
  return listTable({
    id: 'lists',
    title: 'Lists in force',
    note: 'What sites are known by, as it stood when this report was made.',
    columns: [text('List'), text('Category'), count('Entries'), text('As of'), text('State')],
    rows: lists.map((list) => [
      list.id,
      list.category,
      list.entries,
      localText(Date.parse(list.loadedAt), zone),
      list.fromLastGood ? 'its last good copy: the source could not be used' : 'as its source has it',
    ]),
    whenEmpty: 'No list is in force.',
  });
}

export function policyTable({ policyChanges }: WeekStatus, zone: string): ReportTable {
  return listTable({
    id: 'policy',
    title: 'Policy changes',
    note: '',
    columns: [text('When'), text('What'), text('Why'), text('By')],
    rows: policyChanges.map((change) => [
      localText(Date.parse(change.at), zone),
      change.changes.join('; '),
      change.reason,
      change.by,
    ]),
    whenEmpty: 'The policy was not changed.',
  });
}

/** So that whoever keeps the report can later tell whether the record was rewritten. */
export function recordTable({ auditHead }: WeekStatus): ReportTable {
  return listTable({
    id: 'record',
    title: 'The record of acts',
    note: 'How it ended when this report was made. Keep the report: a record that was rewritten since does not lead to this hash.',
    columns: [count('Rows'), text('Hash of the last row')],
    rows: auditHead === null ? [] : [[auditHead.seq, auditHead.hash]],
    whenEmpty: 'Nothing is on record yet.',
  });
}

export function alarmsTable(status: WeekStatus, zone: string): ReportTable {
  return listTable({
    id: 'alarms',
    title: 'Alarms',
    note: '',
    columns: [text('When'), text('Gateway'), text('Alarm')],
    rows: status.alarms.map((alarm) => [
      localText(Date.parse(alarm.at), zone),
      alarm.gateway,
      `${alarm.text} (${alarm.code})`,
    ]),
    whenEmpty: 'No alarm was raised.',
  });
}
