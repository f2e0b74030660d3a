import {
  checkOptions,
  FormatError,
  Rng,
  type random,
  type Tensor,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type Dataset, sampleCount } from "./dataset.js";

/** Options of `batches`. */
export interface BatchesOptions {
  /** Samples per batch, at least 1. */
  batchSize: number;
  /** Shuffles the samples anew in every epoch; without it they come in order. Its state is copied, it is not advanced. */
  rng?: Rng;
  /** Leaves out the last batch of an epoch where it is smaller; default false. */
  dropLast?: boolean;
  /** Continue from here: what `toJSON` of an equal `Batches` returned. */
  state?: BatchesState;
}

/** A batch of samples. */
export interface Batch {
  /** `[batch, ...]`. */
  readonly inputs: Tensor;
  /** `[batch, ...]`. */
  readonly targets: Tensor;
  /** `[batch]` (int32): which samples these are. */
  readonly indices: Tensor;
}

/** Where an iteration stands, as plain data. */
export interface BatchesState {
  /** Number of complete epochs. */
  readonly epoch: number;
  /** Samples of the current epoch already taken. */
  readonly position: number;
  /** The generator as it was when the epoch began; null without shuffling. */
  readonly rng: random.RngState | null;
}

/** Batches of a data set: every loop over it is one epoch (or the rest of one that was broken off). Make with `batches`. */
export class Batches implements Iterable<Batch> {
  private readonly dataset: Pick<Dataset, "inputs" | "targets">;
  private readonly batchSize: number;
  private readonly used: number;
  private readonly count: number;
  private epochRng: Rng | null;
  private epoch = 0;
  private position = 0;
  private order: Int32Array | undefined;

  /** @internal Use `batches`. */
  constructor(dataset: Pick<Dataset, "inputs" | "targets">, options: BatchesOptions) {
    checkOptions("batches", options, ["batchSize", "rng", "dropLast", "state"]);
    const { batchSize, rng, dropLast = false, state } = options ?? {};
    this.count = sampleCount(dataset);
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ValueError(`batches: batchSize is ${batchSize}; it must be an integer of at least 1`);
    }
    if (dropLast && batchSize > this.count) {
      throw new ValueError(
        `batches: batchSize ${batchSize} exceeds the ${this.count} samples, and dropLast leaves none; make it smaller`,
      );
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.used = dropLast ? this.count - (this.count % batchSize) : this.count;
    this.epochRng = rng?.clone() ?? null;
    if (state !== undefined) this.restore(state);
  }

  /** Batches in an epoch. */
  get length(): number {
    return Math.ceil(this.used / this.batchSize);
  }

  /** The batches that are left of the current epoch; the next loop begins the next one. */
  *[Symbol.iterator](): Iterator<Batch> {
    const epoch = this.epoch;
    while (this.epoch === epoch && this.used > 0) yield this.next();
  }

  /** The next batch, epoch after epoch without end. */
  next(): Batch {
    if (this.used === 0) throw new ValueError("batches: the data set is empty; there is no batch");
    this.order ??=
      this.epochRng === null
        ? identity(this.count)
        : (this.epochRng.clone().permutation(this.count).data() as Int32Array);
    const end = Math.min(this.position + this.batchSize, this.used);
    const indices = tensor(this.order.slice(this.position, end));
    this.position = end;
    if (end === this.used) this.finishEpoch();
    return { inputs: take(this.dataset.inputs, indices), targets: take(this.dataset.targets, indices), indices };
  }

  /** Where the iteration stands; give it as `state` to `batches` with the same data and options. */
  toJSON(): BatchesState {
    return { epoch: this.epoch, position: this.position, rng: this.epochRng?.toJSON() ?? null };
  }

  private finishEpoch(): void {
    this.epoch++;
    this.position = 0;
    if (this.epochRng === null) return;
    [this.epochRng] = this.epochRng.split(1);
    this.order = undefined;
  }

  private restore(state: BatchesState): void {
    const { epoch, position, rng } = state ?? {};
    const valid =
      Number.isSafeInteger(epoch) &&
      epoch >= 0 &&
      Number.isInteger(position) &&
      position >= 0 &&
      position % this.batchSize === 0 &&
      (position < this.used || position === 0) &&
      (rng === null) === (this.epochRng === null);
    if (!valid) {
      throw new FormatError(
        "batches: the state does not belong to these samples and options; give the data, batchSize, rng and dropLast it was saved with",
      );
    }
    this.epoch = epoch;
    this.position = position;
    this.epochRng = rng === null ? null : Rng.fromJSON(rng);
  }
}

/**
 * Splits a data set into batches, shuffled anew in every epoch where `rng` is given. Looping over the result gives one
 * epoch; `toJSON` and the option `state` resume in the middle of one.
 * @throws ValueError for a bad batch size; FormatError for a state that does not fit.
 * @example
 * const epoch = batches(digits(), { batchSize: 32, rng: random.rng(1) });
 * for (const { inputs, targets } of epoch) step(inputs, targets);
 */
export function batches(dataset: Pick<Dataset, "inputs" | "targets">, options: BatchesOptions): Batches {
  checkOptions("batches", options, ["batchSize", "rng", "dropLast", "state"]);
  return new Batches(dataset, options);
}

function identity(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}
