import { OffprintError, requireObject } from "@offprint/tensor-core";

/** Results do not determine the gradient: more of them are missing than the code makes up for. */
export class DecodeError extends OffprintError {
  override readonly name = "DecodeError";
}

/** More workers are lost than the scheme makes up for. */
export class StragglerError extends OffprintError {
  override readonly name = "StragglerError";
  /** The round in which it could not go on, from 0. */
  readonly round: number;
  /** The workers that are lost. */
  readonly workers: readonly number[];

  constructor(message: string, options: { round: number; workers: readonly number[]; cause?: unknown }) {
    requireObject("StragglerError", "options", options, "{ round, workers }");
    const { round, workers, cause } = options;
    super(message, { cause });
    this.round = round;
    this.workers = workers;
  }
}
