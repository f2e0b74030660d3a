import { ValueError } from "@offprint/tensor-core";

/** A gradient or a loss that is NaN or infinite. Nothing was updated with it. */
export class NonFiniteError extends ValueError {
  /** Thrown by a training loop: everything as it was after the last good step. */
  readonly state: unknown;

  constructor(message: string, options: { state?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.state = options.state;
  }
}
