import type { RunOptions } from "../run/run-options.js";

/** The parts of a test runner that the suite uses; those of vitest fit. */
export interface TestTools {
  /** Groups tests. */
  describe: (name: string, body: () => void) => unknown;
  /** Declares a test. */
  it: (name: string, body: () => unknown) => unknown;
  /** Starts an assertion. */
  expect: (value: unknown) => Assertion;
}

/** The assertions that the suite makes. */
export interface Assertion {
  /** The same value. */
  toBe(expected: unknown): void;
  /** The same structure. */
  toEqual(expected: unknown): void;
  /** A text that holds another, or an array an element. */
  toContain(expected: unknown): void;
  /** A text that fits. */
  toMatch(expected: RegExp): void;
  /** A number above. */
  toBeGreaterThan(expected: number): void;
}

/** What every result of a run has. */
export interface RunOutcome {
  /** How it ended. */
  readonly status: string;
  /** The records of the run. */
  readonly history: readonly unknown[];
  /** What it goes on from. */
  readonly state: unknown;
}

/** The options of a run as the suite gives them: those of every run, beside the method's own by name. */
export interface SubjectOptions extends Omit<RunOptions<unknown, unknown>, "resume"> {
  /** The state of an earlier run of the same method, whatever its type. */
  readonly resume?: never;
  /** The method's own options. */
  readonly [name: string]: unknown;
}

/** A method under test: a small problem and how it is run. */
export interface RunSubject<R extends RunOutcome = RunOutcome> {
  /** Runs the method on a small problem with these options over its own; a limit and a seed are always among them. */
  readonly run: (options: SubjectOptions) => Promise<R>;
  /** The option that limits it: `maxIterations`, `steps`, `epochs`, or the method's own measure of size. */
  readonly limit: string;
  /** A limit at which a run makes four records or more, has not converged, and takes a moment only. */
  readonly short: number;
  /** Options, a limit among them, of a run that is aborted at work: long enough to let the event loop have several turns. */
  readonly endless: Readonly<Record<string, unknown>>;
  /** Whether chance plays a part: then `seed` decides, and another seed gives another outcome. */
  readonly seeded: boolean;
  /** Options with one bad value each: refused with an error that names the option. */
  readonly invalid: readonly Readonly<Record<string, unknown>>[];
  /** Calls with input that is NaN or infinite: refused, or ended by a NonFiniteError. */
  readonly nonFinite: readonly (() => unknown)[];
  /** Whether states whose parts are not those of the problem are refused, with an error that names the part. Default false. */
  readonly comparesStates?: boolean;
  /** What of a result must agree bit for bit: a tree. Default: all but `state`, functions left out. */
  readonly outcome?: (result: R) => unknown;
}
