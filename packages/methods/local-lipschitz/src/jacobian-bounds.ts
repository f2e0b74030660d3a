import type { FeedForward } from "@offprint/networks";
import {
  checkOptions,
  hostTensor,
  requireFinite,
  ShapeError,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import { slopeIntervals } from "./activation-lines.js";
import { type Box, checkBox, floatsOf } from "./box.js";
import { checkNetwork } from "./checked-network.js";
import { checkSlopes, forwardBatch, repeated, type SlopeOptions } from "./forward-bounds.js";
import { functionalBounds, type GradientProblem, gradientBounds, upperByComponents } from "./gradient-bounds.js";
import type { Relaxation } from "./gradient-lines.js";
import { checkSearch } from "./local-lipschitz.js";
import { outputRows, type RowOptions } from "./output-rows.js";

/** Options of `jacobianBounds` and `jvpBounds`. */
export interface JacobianOptions extends RowOptions {
  /** Default `"linear"`. FastLip is `"interval"` here with `forward: "crown"`. */
  readonly relaxation?: Relaxation;
  /** Default `"crown"`. */
  readonly forward?: "crown" | "interval";
  /** Default false. */
  readonly optimizeSlopes?: SlopeOptions | boolean;
}

/** Bounds of derivatives. */
export interface JacobianBounds {
  /** `[rows, inputs]`, or `[rows]` along a direction. */
  readonly lower: Tensor;
  /** Likewise. */
  readonly upper: Tensor;
}

function bounded(owner: string, network: FeedForward, box: Box, options: JacobianOptions) {
  checkOptions(owner, options, ["relaxation", "forward", "optimizeSlopes", "outputs", "combinations"]);
  checkSearch(owner, options);
  const { relaxation = "linear", forward = "crown" } = options;
  const slopes = checkSlopes(owner, options.optimizeSlopes);
  const checked = checkNetwork(owner, network);
  const inside = checkBox(owner, box, checked.inputs);
  const { count, last, error } = outputRows(owner, checked, options);
  const { lower, upper } = forwardBatch(checked, inside, 1, {
    interval: forward === "interval",
    ...(slopes !== undefined && { slopes }),
  });
  const masks = checked.activations.map((activation, k) =>
    slopeIntervals(activation, repeated(lower[k], count), repeated(upper[k], count), undefined),
  );
  const problem: GradientProblem = { network: checked, batch: count, last, lastError: error, masks, relaxation };
  return { problem, bounds: gradientBounds(problem) };
}

/**
 * Bounds of every element of the Jacobian, for all inputs of a box: proved in spite of rounding.
 *
 * @throws ShapeError for a box of another size; UnsupportedError for activations that are no scalar functions by name
 */
export function jacobianBounds(network: FeedForward, box: Box, options: JacobianOptions = {}): JacobianBounds {
  const { problem, bounds } = bounded("jacobianBounds", network, box, options);
  const shape = [problem.batch, problem.network.inputs];
  const [lower, upper] = [bounds.lower[0], bounds.upper[0]].map((values) => hostTensor(values, shape, "float64"));
  return { lower, upper };
}

/**
 * Bounds of the derivatives along a direction `[d]`, for all inputs of a box.
 *
 * @throws ShapeError for a box or a direction of another size
 */
export function jvpBounds(
  network: FeedForward,
  box: Box,
  direction: TensorLike,
  options: JacobianOptions = {},
): JacobianBounds {
  const owner = "jvpBounds";
  const { problem, bounds } = bounded(owner, network, box, options);
  const v = floatsOf(owner, "direction", direction);
  const { inputs } = problem.network;
  if (v.length !== inputs) {
    throw new ShapeError(`${owner}: direction has ${v.length} values and the network ${inputs} inputs`);
  }
  const rows = hostTensor(v, [1, inputs], "float64");
  requireFinite(owner, "direction", rows);
  const { lower, upper } = functionalBounds(problem, bounds, rows);
  const [most, least] = [
    upperByComponents(v, bounds),
    upperByComponents(
      v.map((each) => -each),
      bounds,
    ),
  ];
  return {
    lower: hostTensor(
      lower.map((each, r) => Math.max(each, 0 - least[r])),
      [problem.batch],
      "float64",
    ),
    upper: hostTensor(
      upper.map((each, r) => Math.min(each, most[r])),
      [problem.batch],
      "float64",
    ),
  };
}
