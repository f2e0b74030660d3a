import { NonFiniteError, type TensorLike, ValueError } from "@offprint/tensor-core";

/** A function of which only values can be had, of this machine or of a remote one. May be noisy. */
export type BlackBox = (x: Float64Array) => number | Promise<number>;

/** Places to ask instead of those that the method chooses: designs of one's own, each `[count, d]`. */
export interface OwnPoints {
  /** Around the start, in place of random ones. */
  readonly initial?: (x: Float64Array) => TensorLike;
  /** After local step t of a round, both from 0, around the local point z. */
  readonly local?: (round: number, step: number, z: Float64Array) => TensorLike;
  /** At the end of a round, around the new point x of the server. */
  readonly server?: (round: number, x: Float64Array) => TensorLike;
}

/** A client: its black box, and how it chooses its queries where it wants to choose them itself. */
export interface Client {
  /** What it minimises, together with the others. */
  readonly blackBox: BlackBox;
  /** Default: where its surrogate knows least. */
  readonly points?: OwnPoints;
}

/** @internal The value at a place, in the client's own coordinates. */
export async function valueAt({ blackBox }: Client, name: string, x: Float64Array): Promise<number> {
  const value: unknown = await blackBox(x);
  if (typeof value !== "number") {
    throw new ValueError(`the black box of ${name} gave ${typeof value}; it must give a number, or a promise of one`);
  }
  if (!Number.isFinite(value)) {
    throw new NonFiniteError(
      `the black box of ${name} gave ${value} at [${describe(x)}]; give bounds, or a finite value there`,
    );
  }
  return value;
}

function describe(x: Float64Array): string {
  const shown = Array.from(x.subarray(0, 4), (v) => v.toPrecision(4)).join(", ");
  return x.length > 4 ? `${shown}, ...` : shown;
}
