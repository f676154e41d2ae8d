/** What a guest tells of its tests, one object a line. */
export type GuestLine = TestLine | NoteLine;

/** A test has ended, or a suite that failed or was left out. */
export interface TestLine {
  readonly kind: 'test';
  readonly name: string;
  readonly result: 'pass' | 'fail' | 'skip';
  readonly ms: number;
  /** '' where it has not failed. */
  readonly error: string;
}

/** A diagnostic that a test gave. */
export interface NoteLine {
  readonly kind: 'note';
  readonly text: string;
}
