import { fileProblem } from "@offprint/data/node";
import { AbortedError, OffprintError } from "@offprint/tensor-core";

/** Exit codes of commands. */
export const exitCodes = {
  /** Done. */
  success: 0,
  /** Done, and the result is negative: a claim that does not hold, a solver that did not converge. Also: a bug. */
  negative: 1,
  /** A word that is not known, a value out of range, or a file that cannot be used. */
  input: 2,
  /** Stopped by Ctrl-C or SIGTERM. */
  interrupted: 130,
} as const;

/** Ends a command with one line for the user. */
export class Failure extends OffprintError {
  override readonly name = "Failure";
  /** One of `exitCodes`; default `input`. */
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.input) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What is wrong with the value of an option, as the end of a sentence that begins with the option's name. */
export class Complaint extends Failure {
  /** Tells it from other failures, also those of another copy of this package. */
  readonly endsSentence = true;
}

/** Whether a package threw the error on purpose; two copies of the class may exist in one program. */
function isDeliberate(error: Error): boolean {
  return error instanceof OffprintError || deliberate in error;
}

const deliberate = Symbol.for("@offprint/error");

function isAborted(error: Error): boolean {
  return error instanceof AbortedError || error.name === "AbortedError";
}

/** What the engine says of an array that it cannot make room for. */
function isShortOfMemory(error: Error): boolean {
  return (
    error instanceof RangeError && /^(Invalid typed array length|Array buffer allocation failed)/.test(error.message)
  );
}

/** What the user is told about an error, and the exit code. */
export function describeError(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (!(error instanceof Error)) return { message: `unexpected error: ${String(error)}`, exitCode: exitCodes.negative };
  if (error.name === "Failure" && "exitCode" in error) {
    return { message: error.message, exitCode: Number(error.exitCode) };
  }
  if (isAborted(error)) return { message: error.message, exitCode: exitCodes.interrupted };
  const { path } = error as NodeJS.ErrnoException;
  const problem = fileProblem(error);
  if (path !== undefined && problem !== undefined) {
    return { message: `${path}: ${problem}.`, exitCode: exitCodes.input };
  }
  if (isDeliberate(error)) return { message: error.message, exitCode: exitCodes.input };
  if (isShortOfMemory(error)) {
    const message = `an array larger than the memory is needed (${error.message}); give smaller sizes, such as widths and batches`;
    return { message, exitCode: exitCodes.input };
  }
  return { message: `unexpected error: ${error.stack ?? error.message}`, exitCode: exitCodes.negative };
}
