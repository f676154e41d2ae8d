/** Why a Sigma rule was not converted, or what is to be known of one that was: for programs that read the report. */
export type SigmaProblemCode =
  | 'yaml'
  | 'too-large'
  | 'no-rule'
  | 'correlation'
  | 'filter'
  | 'source'
  | 'condition'
  | 'selection'
  | 'field'
  | 'modifier'
  | 'value'
  | 'pattern'
  | 'refused';

export type SigmaNoteCode = 'approximation' | 'placeholder' | 'ignored' | 'renamed' | 'disabled' | 'warning';

export interface SigmaProblem<Code extends string = SigmaProblemCode> {
  readonly code: Code;
  /** For people; what the file says stands in it, not escaped: it is for the printer to do so. */
  readonly message: string;
  /** From 1. */
  readonly line: number;
}

export type SigmaNote = SigmaProblem<SigmaNoteCode>;

/** Ends the reading of what it is about: a value, a selection, a rule. */
export class SigmaError extends Error {
  override readonly name = 'SigmaError';
  readonly problem: SigmaProblem;

  constructor(code: SigmaProblemCode, message: string, line: number) {
    super(message);
    this.problem = { code, message, line };
  }
}

const MAX_SHOWN = 60;

/** What the file says, in quotes, cut where it is long. */
export function shown(text: string): string {
  return `'${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}'`;
}
