import type { Command } from './command.ts';
import { doctorCommand } from './doctor.ts';
import { eventsCommand } from './events.ts';
import { recordCommand } from './record.ts';
import { replayCommand } from './replay.ts';
import { checkCommand } from './rules/check.ts';
import { explainCommand } from './rules/explain.ts';
import { fieldsCommand } from './rules/fields.ts';
import { importCommand } from './rules/import.ts';
import { listCommand } from './rules/list.ts';
import { testCommand } from './rules/test.ts';
import { tryCommand } from './rules/try.ts';
import { runCommand } from './run.ts';
import { statusCommand } from './status.ts';
import { traceCommand } from './trace.ts';

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  runCommand,
  traceCommand,
  eventsCommand,
  recordCommand,
  replayCommand,
  doctorCommand,
  statusCommand,
  checkCommand,
  listCommand,
  explainCommand,
  fieldsCommand,
  testCommand,
  tryCommand,
  importCommand,
];
