import type { RegisterCommand } from './context.ts';
import { registerAudit } from './audit.ts';
import { registerBackup } from './backup.ts';
import { registerCheck } from './check.ts';
import { registerDoctor } from './doctor.ts';
import { registerEvidence } from './evidence.ts';
import { registerLists } from './lists.ts';
import { registerPeople } from './people.ts';
import { registerPolicy } from './policy.ts';
import { registerReport } from './report.ts';
import { registerStart } from './start.ts';
import { registerUnblock } from './unblock.ts';

/** Every command there is, in the order that `--help` shows. */
export const COMMANDS: readonly RegisterCommand[] = [
  registerStart,
  registerCheck,
  registerLists,
  registerPolicy,
  registerPeople,
  registerUnblock,
  registerEvidence,
  registerReport,
  registerAudit,
  registerBackup,
  registerDoctor,
];
