/** Marks the errors of all copies of this package that a program may hold. */
const deliberate = Symbol.for("@offprint/error");

/**
 * Base of every error that Offprint throws on purpose. `instanceof` works inside one copy of the package;
 * across copies compare `error.name`, or look for the property `Symbol.for("@offprint/error")`.
 */
export class OffprintError extends Error {
  override readonly name: string = "OffprintError";

  /** @internal Inherited, so that a printed error is its message and not this. */
  get [deliberate](): true {
    return true;
  }
}

/** Shapes do not fit each other or the operation. */
export class ShapeError extends OffprintError {
  override readonly name = "ShapeError";
}

/** An element type that the operation does not take. */
export class DTypeError extends OffprintError {
  override readonly name = "DTypeError";
}

/** A value out of range, not finite where it must be, or of the wrong kind. */
export class ValueError extends OffprintError {
  override readonly name: string = "ValueError";
}

/** A value, a gradient or a loss that became NaN or infinite. Nothing was updated with it. */
export class NonFiniteError extends ValueError {
  override readonly name = "NonFiniteError";
  /** Thrown by what iterates: everything as it was after the last good step. Not printed with the error. */
  declare readonly state: unknown;

  constructor(message: string, options: { state?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    // Not enumerable: Node prints what is, and a state is all parameters and the whole history, below which a message is lost.
    Object.defineProperty(this, "state", { value: options.state });
  }
}

/** An axis or an index outside its range. */
export class IndexError extends OffprintError {
  override readonly name = "IndexError";
}

/** Something that cannot be done while a function is being traced, such as reading a value. */
export class TraceError extends OffprintError {
  override readonly name = "TraceError";
}

/** An iteration that did not reach the accuracy it must reach to return a result. */
export class ConvergenceError extends OffprintError {
  override readonly name = "ConvergenceError";
}

/** An operation that exists but not for this kind of input, device or dtype. */
export class UnsupportedError extends OffprintError {
  override readonly name = "UnsupportedError";
}

/** A malformed or truncated file. */
export class FormatError extends OffprintError {
  override readonly name = "FormatError";
  /** Byte offset (text formats: line number) at which reading failed, where known. */
  readonly offset: number | undefined;

  constructor(message: string, options: { offset?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.offset = options.offset;
  }
}

/** The caller's `AbortSignal` fired. */
export class AbortedError extends OffprintError {
  override readonly name = "AbortedError";
}

/** A device that is absent or does not run. */
export class DeviceError extends OffprintError {
  override readonly name = "DeviceError";
}

/** An optional package that is needed here and is not installed. */
export class MissingDependencyError extends OffprintError {
  override readonly name = "MissingDependencyError";
}
