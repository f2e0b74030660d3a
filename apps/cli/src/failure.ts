/** Exit codes of the command. */
export const exitCodes = {
  /** Done; with claims: all of them hold. */
  success: 0,
  /** A claim does not hold, or something is broken. */
  failed: 1,
  /** A word that is not known, or a file that cannot be used. */
  usage: 2,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** Ends the command with one line for the user. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Errors of the packages that are about what the user gave, by name: two copies of a class may exist. */
const aboutTheInput = new Set([
  "OffprintError",
  "ShapeError",
  "DTypeError",
  "ValueError",
  "NonFiniteError",
  "IndexError",
  "TraceError",
  "UnsupportedError",
  "FormatError",
  "DeviceError",
  "MissingDependencyError",
]);

const fileProblems: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder, a file is needed",
  ENOTDIR: "a part of the path is a file, a folder is needed",
  EEXIST: "it exists and is not a folder",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
};

/** What the user is told about an error, and the exit code. */
export function describeError(error: unknown): { message: string; exitCode: number } {
  if (error instanceof Failure) return { message: error.message, exitCode: error.exitCode };
  if (!(error instanceof Error)) return { message: `unexpected error: ${String(error)}`, exitCode: exitCodes.failed };
  const { code, path } = error as NodeJS.ErrnoException;
  if (code !== undefined && path !== undefined && code in fileProblems) {
    return { message: `${path}: ${fileProblems[code]}.`, exitCode: exitCodes.usage };
  }
  if (aboutTheInput.has(error.name)) return { message: error.message, exitCode: exitCodes.usage };
  return { message: `unexpected error: ${error.stack ?? error.message}`, exitCode: exitCodes.failed };
}
