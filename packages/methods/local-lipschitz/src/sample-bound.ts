import { evaluate, type FeedForward } from "@offprint/networks";
import {
  checkOptions,
  grad,
  hostTensor,
  type JittedSync,
  jitSync,
  mul,
  random,
  requireChoice,
  requireInteger,
  reshape,
  sum,
  type Tensor,
} from "@offprint/tensor-core";
import { type Box, checkBox } from "./box.js";
import { type CheckedNetwork, checkNetwork } from "./checked-network.js";
import { outputRows, type RowOptions } from "./output-rows.js";
import { requireFiniteBounds } from "./rounding.js";

/** Options of `sampleBound`. */
export interface SampleOptions extends RowOptions {
  /** Random points of the box; one beside its centre is one more. Default 100. */
  readonly points?: number;
  /** Seed of the points. Default 0. */
  readonly seed?: number | string;
  /** How changes of inputs are measured, as in `localLipschitz`: `"linf"` sums magnitudes of gradients. Default `"linf"`. */
  readonly norm?: "linf" | "l2";
}

/** For the layers that were checked: of weights that were written to since there are others. */
const compiled = new WeakMap<CheckedNetwork["layers"], JittedSync<(x: Tensor, weights: Tensor) => Tensor>>();

/** @internal `[points, d]` gradients of a row at points `[points, d]`. */
export function gradientsAt(network: FeedForward, points: Float64Array, weights: Float64Array): Float64Array {
  const { inputs, layers } = checkNetwork("gradientsAt", network);
  const shape = network.inputShape ?? [inputs];
  let gradient = compiled.get(layers);
  if (gradient === undefined) {
    gradient = jitSync(
      grad((x: Tensor, w: Tensor) =>
        sum(mul(evaluate(network, reshape(x, [x.shape[0], ...shape])), reshape(w, [1, w.size]))),
      ),
    ) as JittedSync<(x: Tensor, weights: Tensor) => Tensor>;
    compiled.set(layers, gradient);
  }
  const x = hostTensor(points, [points.length / inputs, inputs], "float64");
  return gradient(x, hostTensor(weights, [weights.length], "float64")).data() as Float64Array;
}

/**
 * A lower bound of the local Lipschitz constant: the largest norm of a gradient at random points of the box. `[rows]`
 *
 * @throws ValueError for options out of range
 */
export function sampleBound(network: FeedForward, box: Box, options: SampleOptions = {}): Float64Array {
  const owner = "sampleBound";
  checkOptions(owner, options, ["points", "seed", "norm", "outputs", "combinations"]);
  const { points = 100, seed = 0, norm = "linf" } = options;
  requireInteger(owner, "points", points, 0);
  requireChoice(owner, "norm", norm, ["linf", "l2"]);
  const checked = checkNetwork(owner, network);
  const { lower, upper } = checkBox(owner, box, checked.inputs);
  const rows = outputRows(owner, checked, options);
  const d = checked.inputs;
  const draws = random
    .rng(seed)
    .uniform([points + 1, d], { dtype: "float64" })
    .data();
  const x = Float64Array.from(draws, (u, i) => {
    const j = i % d;
    // The centre of a symmetric box may lie on kinks, where the derivative that is taken is none of the network's.
    const part = i < d ? 0.5 + 1e-3 * (u - 0.5) : u;
    return lower[j] === upper[j] ? lower[j] : (1 - part) * lower[j] + part * upper[j];
  });
  const seen = Float64Array.from({ length: rows.count }, (_, row) => {
    const m = checked.outputs;
    const gradients = gradientsAt(network, x, rows.weights.slice(row * m, (row + 1) * m));
    let most = 0;
    for (let p = 0; p <= points; p++) {
      const own = gradients.subarray(p * d, (p + 1) * d);
      most = Math.max(most, norm === "linf" ? sumOf(own) : euclidean(own));
    }
    return most;
  });
  requireFiniteBounds(seen);
  return seen;
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + Math.abs(value), 0);

/** Without squares that overflow, or vanish. */
function euclidean(values: Float64Array): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!(largest > 0)) return largest;
  return largest * Math.sqrt(values.reduce((sum, value) => sum + (value / largest) ** 2, 0));
}
