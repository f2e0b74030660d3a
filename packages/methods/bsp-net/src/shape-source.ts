import {
  asTensor,
  broadcastTo,
  cast,
  checkOptions,
  type Rng,
  requireObject,
  reshape,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
  take,
  ValueError,
} from "@offprint/tensor-core";
import type { ShapeBatch } from "./auto-encoder.js";

/** Where training gets its shapes from. */
export interface ShapeSource {
  /** Number of shapes. */
  readonly count: number;
  /**
   * A batch of shapes.
   * @param indices of the shapes
   * @param resolution of the grid that points come from, as the stage says; undefined for any
   * @param rng of this step
   */
  batch(indices: Int32Array, resolution: number | undefined, rng: Rng): ShapeBatch;
}

/** Arrays of `shapeSamples`. */
export interface SampledShapes {
  /** `[shapes, channels, ...cells]`, or `[shapes, ...cells]` for one channel. */
  inputs: TensorLike;
  /** `[shapes, n, d]`, or `[n, d]` for all shapes. */
  points: TensorLike;
  /** `[shapes, n]` or `[shapes, n, 1]`: 1 inside and 0 outside. */
  values: TensorLike;
}

/** Options of `shapeSamples`. */
export interface SampledShapesOptions {
  /** Points of a step: a random block of so many of each shape's points, which so should come in random order. Default all. */
  pointsPerStep?: number;
}

function floats(x: TensorLike): Tensor {
  const t = asTensor(x);
  return t.dtype === "float64" ? t : cast(t, "float32");
}

function requireBinary(values: Tensor): void {
  const bad = values.data().find((v) => v !== 0 && v !== 1);
  if (bad !== undefined) throw new ValueError(`shapeSamples: values hold ${bad}; give 1 inside and 0 outside`);
}

/** Entries `start` to before `start + count` of every shape. */
function block(x: Tensor, start: number, count: number): Tensor {
  return slice(x, [null, { start, stop: start + count }]);
}

/**
 * Shapes given by arrays of points.
 * @throws ShapeError where arrays do not fit each other; ValueError for values other than 0 and 1.
 */
export function shapeSamples(shapes: SampledShapes, options: SampledShapesOptions = {}): ShapeSource {
  requireObject("shapeSamples", "shapes", shapes, "SampledShapes");
  checkOptions("shapeSamples: shapes", shapes, ["inputs", "points", "values"]);
  checkOptions("shapeSamples", options, ["pointsPerStep"]);
  const given = floats(shapes.points);
  const d = given.shape[given.rank - 1];
  const inputs = withChannels(floats(shapes.inputs), d);
  const count = inputs.shape[0];
  const n = given.shape[given.rank - 2];
  const shared = given.rank === 2;
  if (given.rank < 2 || given.rank > 3 || (d !== 2 && d !== 3) || (!shared && given.shape[0] !== count)) {
    throw new ShapeError(`shapeSamples: points have shape [${given.shape}]; give [${count}, n, 2 or 3] or [n, 2 or 3]`);
  }
  const flat = floats(shapes.values);
  if (flat.shape[0] !== count || flat.size !== count * n) {
    throw new ShapeError(`shapeSamples: values have shape [${flat.shape}]; give [${count}, ${n}], one per point`);
  }
  requireBinary(flat);
  const values = reshape(flat, [count, n, 1]);
  const points = shared ? reshape(given, [1, n, d]) : given;
  const { pointsPerStep = n } = options;
  if (!Number.isInteger(pointsPerStep) || pointsPerStep < 1 || pointsPerStep > n) {
    throw new ValueError(`shapeSamples: pointsPerStep is ${pointsPerStep}; it must be an integer from 1 to ${n}`);
  }
  return {
    count,
    batch(indices, _, rng) {
      const start = pointsPerStep === n ? 0 : rng.randint([], { high: n - pointsPerStep + 1 }).item();
      const own = block(shared ? points : take(points, indices), start, pointsPerStep);
      return {
        inputs: take(inputs, indices),
        points: shared ? broadcastTo(own, [indices.length, pointsPerStep, d]) : own,
        values: block(take(values, indices), start, pointsPerStep),
      };
    },
  };
}

function withChannels(inputs: Tensor, d: number): Tensor {
  if (inputs.rank === d + 2) return inputs;
  if (inputs.rank !== d + 1) {
    throw new ShapeError(
      `shapeSamples: inputs have shape [${inputs.shape}]; for points in ${d} dimensions give [shapes, channels, ...cells]`,
    );
  }
  const [count, ...cells] = inputs.shape;
  return reshape(inputs, [count, 1, ...cells]);
}
