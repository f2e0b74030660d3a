import type { Rate } from "@offprint/bilevel";

/** Rows as they are saved. */
export interface DriftingState {
  /** `[m, d]` where each row stood when its block was sampled last. */
  readonly values: Float64Array;
  /** `[m, d]` against which it has moved since. */
  readonly directions: Float64Array;
  /** `[m]` the sum of the steps until then. */
  readonly since: Float64Array;
  /** The sum of the steps before this iteration, and before the one before it. */
  readonly travel: { readonly now: number; readonly before: number };
}

/** Some rows at the beginning of an iteration, `[count, d]` each. */
export interface GatheredRows {
  /** Where they are. */
  readonly now: Float64Array;
  /** Where they were at the iteration before. */
  readonly before: Float64Array;
  /** The estimates along which they move. */
  readonly directions: Float64Array;
}

/** How rows move. */
export interface DriftSettings {
  /** Length of a row. */
  readonly width: number;
  /** The step of each iteration. */
  readonly step: Rate;
  /** Whether rows move in every iteration, or in those alone that sample their block. */
  readonly moves: "all" | "sampled";
  /** Rows stay in a ball of this radius. */
  readonly radius: number;
}

/**
 * Rows that all move in every iteration, `row <- row - step direction`, at the cost of those that are looked at: as the
 * direction of a block is constant while it is not sampled, where the row is follows from how far the steps have come
 * since. The bookkeeping is in place, on plain arrays: new tensors would copy what belongs to blocks that are not sampled.
 */
export class DriftingRows {
  private values: Float64Array;
  private directions: Float64Array;
  private since: Float64Array;
  private travel: { now: number; before: number };

  /** @param touched - `[m]` the iteration, from 1, that sampled each block last; 0 before. Written by others. */
  constructor(
    private readonly settings: DriftSettings,
    private readonly touched: Int32Array,
    { values, directions, since, travel }: DriftingState,
  ) {
    this.values = values.slice();
    this.directions = directions.slice();
    this.since = since.slice();
    this.travel = { ...travel };
  }

  /** A copy to be saved. */
  state(): DriftingState {
    const { values, directions, since, travel } = this;
    return { values: values.slice(), directions: directions.slice(), since: since.slice(), travel: { ...travel } };
  }

  /** Rows of some blocks at the beginning of an iteration. */
  gather(blocks: ArrayLike<number>, iteration: number): GatheredRows {
    const { width, radius } = this.settings;
    const { values, directions: along } = this;
    const size = blocks.length * width;
    const now = new Float64Array(size);
    const before = new Float64Array(size);
    const directions = new Float64Array(size);
    for (let k = 0; k < blocks.length; k++) {
      const block = blocks[k];
      const to = k * width;
      const distance = this.distances(block, iteration);
      for (let j = 0, from = block * width; j < width; j++, from++) {
        directions[to + j] = along[from];
        now[to + j] = values[from] - distance.now * along[from];
        before[to + j] = values[from] - distance.before * along[from];
      }
      if (radius < Number.POSITIVE_INFINITY && norm(now, to, width) > radius) {
        this.walk(block, iteration, now.subarray(to, to + width), before.subarray(to, to + width));
      }
    }
    return { now, before, directions };
  }

  /** New places and directions of the blocks that this iteration samples. */
  put(blocks: ArrayLike<number>, places: ArrayLike<number>, directions: ArrayLike<number>): void {
    const { width } = this.settings;
    for (let k = 0; k < blocks.length; k++) {
      const [from, to] = [k * width, blocks[k] * width];
      for (let j = 0; j < width; j++) {
        this.values[to + j] = places[from + j];
        this.directions[to + j] = directions[from + j];
      }
      this.since[blocks[k]] = this.travel.now;
    }
  }

  /** The steps of an iteration are made. */
  advance(iteration: number): void {
    const { now } = this.travel;
    this.travel = { now: now + stepAt(this.settings.step, iteration), before: now };
  }

  /** How far a row has come since its block was sampled. */
  private distances(block: number, iteration: number): { now: number; before: number } {
    const { moves, step } = this.settings;
    const { now, before } = this.travel;
    const since = this.since[block];
    if (moves === "all") return { now: now - since, before: before - since };
    const touched = this.touched[block];
    if (touched === 0) return { now: 0, before: 0 };
    const one = stepAt(step, touched);
    return { now: one, before: touched === iteration - 1 ? 0 : one };
  }

  /**
   * The steps one by one, each back into the ball. A straight way that ends inside never left it; only rows of other ways
   * come here, and after different numbers of steps.
   */
  private walk(block: number, iteration: number, now: Float64Array, before: Float64Array): void {
    const { width, step, moves, radius } = this.settings;
    const touched = this.touched[block];
    const last = moves === "sampled" ? Math.min(touched, iteration - 1) : iteration - 1;
    const from = block * width;
    now.set(this.values.subarray(from, from + width));
    before.set(now);
    for (let k = Math.max(touched, 1); k <= last; k++) {
      before.set(now);
      const length = stepAt(step, k);
      for (let j = 0; j < width; j++) now[j] -= length * this.directions[from + j];
      const size = norm(now, 0, width);
      if (size > radius) for (let j = 0; j < width; j++) now[j] *= radius / size;
    }
    if (moves === "sampled" && touched !== iteration - 1) before.set(now);
  }
}

/** Rows that stand still at `values`, `[m, d]`. */
export function restingRows(values: Float64Array, count: number, directions?: Float64Array): DriftingState {
  return {
    ...{ values, directions: directions ?? new Float64Array(values.length), since: new Float64Array(count) },
    travel: { now: 0, before: 0 },
  };
}

/** The step of an iteration. */
export function stepAt(step: Rate, iteration: number): number {
  return typeof step === "function" ? step(iteration) : step;
}

function norm(values: Float64Array, from: number, width: number): number {
  let squares = 0;
  for (let j = from; j < from + width; j++) squares += values[j] ** 2;
  // Of numbers whose squares come to 0 or to infinity the quick sum says nothing.
  return squares > 1e-280 && squares < 1e280 ? Math.sqrt(squares) : Math.hypot(...values.subarray(from, from + width));
}
