/** Commands: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html */
const QUIT = 0x01;
export const INIT_DB = 0x02;
export const QUERY = 0x03;
export const CHANGE_USER = 0x11;
export const STMT_PREPARE = 0x16;
export const STMT_EXECUTE = 0x17;
export const STMT_SEND_LONG_DATA = 0x18;
export const STMT_CLOSE = 0x19;
export const STMT_RESET = 0x1a;
/** MariaDB's: https://mariadb.com/kb/en/com_stmt_bulk_execute/ */
export const STMT_BULK_EXECUTE = 0xfa;

/**
 * What answers a command: 'result' an OK, an error or result sets; 'rows' rows up to their end; 'packet' one message,
 * whatever it is; 'prepare' what COM_STMT_PREPARE gets; 'sign-on' a dialogue that ends with OK or an error; 'nothing'.
 * After 'stream' the connection belongs to replication.
 */
export type AnswerKind = 'result' | 'rows' | 'packet' | 'prepare' | 'sign-on' | 'nothing' | 'stream';

const ANSWERS: Readonly<Record<number, AnswerKind>> = {
  [QUIT]: 'nothing',
  [INIT_DB]: 'result',
  [QUERY]: 'result',
  0x04: 'rows', // FIELD_LIST
  0x05: 'result', // CREATE_DB
  0x06: 'result', // DROP_DB
  0x07: 'result', // REFRESH
  0x08: 'result', // SHUTDOWN
  0x09: 'packet', // STATISTICS
  0x0a: 'result', // PROCESS_INFO
  0x0c: 'result', // PROCESS_KILL
  0x0d: 'packet', // DEBUG
  0x0e: 'result', // PING
  [CHANGE_USER]: 'sign-on',
  0x12: 'stream', // BINLOG_DUMP
  0x13: 'stream', // TABLE_DUMP
  0x15: 'result', // REGISTER_SLAVE
  [STMT_PREPARE]: 'prepare',
  [STMT_EXECUTE]: 'result',
  [STMT_SEND_LONG_DATA]: 'nothing',
  [STMT_CLOSE]: 'nothing',
  [STMT_RESET]: 'result',
  0x1b: 'packet', // SET_OPTION
  0x1c: 'rows', // STMT_FETCH
  0x1e: 'stream', // BINLOG_DUMP_GTID
  0x1f: 'result', // RESET_CONNECTION
  0x20: 'stream', // CLONE
  [STMT_BULK_EXECUTE]: 'result',
};

/** What answers a command; null for no command at all. */
export function answerOf(command: number): AnswerKind | null {
  return ANSWERS[command] ?? null;
}

/** Commands that do without SQL what a statement does, and so are told as questions; their argument is text or a number. */
export const NAMED: Readonly<Record<number, { operation: string; argument: 'text' | 'number' }>> = {
  [INIT_DB]: { operation: 'INIT_DB', argument: 'text' },
  0x05: { operation: 'CREATE_DB', argument: 'text' },
  0x06: { operation: 'DROP_DB', argument: 'text' },
  0x0c: { operation: 'PROCESS_KILL', argument: 'number' },
};
