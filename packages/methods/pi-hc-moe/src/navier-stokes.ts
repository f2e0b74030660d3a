import { gaussianRandomField, navierStokes, simulate, torus, velocity } from "@offprint/spectral";
import {
  add,
  broadcastTo,
  checkOptions,
  concatenate,
  expandDims,
  mean,
  moveAxis,
  mul,
  type random,
  requireInteger,
  requirePositive,
  slice,
  squeeze,
  stack,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import type { PdeConstraint } from "./constraint.js";
import { firstDifference, periodicDifference, periodicSecondDifference } from "./differences.js";

/** Options of {@link navierStokes2d} and {@link solveNavierStokes2d}. */
export interface NavierStokes2dOptions {
  /** Times of the grid, from 0 on (default 16). */
  readonly times?: number;
  /** Points along each side (default 32). */
  readonly points?: number;
  /** Reynolds' number (default 1e4). */
  readonly reynolds?: number;
  /** Last time (default 1). */
  readonly end?: number;
}

/** A batch of problems. */
export interface NavierStokes2dProblem {
  /** `[batch, points, points]` the vorticity at time 0, of mean 0. */
  readonly initial: Tensor;
}

/** The size of what the network adds to the initial condition at the end. */
const AMPLITUDE = 0.005;

function checked(owner: string, options: NavierStokes2dOptions, more: readonly string[] = []) {
  checkOptions(owner, options, ["times", "points", "reynolds", "end", ...more]);
  const { times = 16, points = 32, reynolds = 1e4, end = 1 } = options;
  requireInteger(owner, "times", times, 3);
  requireInteger(owner, "points", points, 4);
  requirePositive(owner, "reynolds", reynolds);
  requirePositive(owner, "end", end);
  return { times, points, reynolds, end };
}

/**
 * The vorticity of a flow on a periodic square of side 2 pi, `w_t + v . grad w = lap w / Re`: the initial condition is built
 * in, `w = w_0 + 0.005 (t / T) b omega`, and means stay 0. The function itself is called `u`, as in other equations.
 */
export function navierStokes2d(options: NavierStokes2dOptions = {}): PdeConstraint<NavierStokes2dProblem> {
  const { times, points, reynolds, end } = checked("navierStokes2d", options);
  const grid = [times, points, points] as const;
  const square = torus({ points: [points, points], length: 2 * Math.PI });
  const [step, spacing] = [end / (times - 1), (2 * Math.PI) / points];
  const share = tensor(Float64Array.from({ length: times }, (_, i) => i / (times - 1))).reshape([1, times, 1, 1]);
  const place = tensor(Float64Array.from({ length: points }, (_, i) => i / points));
  // Axes of the square at 2 and 3 of `[batch, times, points, points, N]`; the transform wants them last.
  const terms = (w: Tensor) => {
    const v = moveAxis(velocity(square, moveAxis(w, -1, 0)), 1, -1);
    const [vx, vy] = [0, 1].map((k) => squeeze(slice(v, [{ start: k, stop: k + 1 }]), 0));
    return {
      u: w,
      wx: periodicDifference(w, 2, spacing),
      wy: periodicDifference(w, 3, spacing),
      laplacian: add(periodicSecondDifference(w, 2, spacing), periodicSecondDifference(w, 3, spacing)),
      vx,
      vy,
    };
  };
  return {
    grid,
    input({ initial }) {
      const shape = [initial.shape[0], ...grid];
      const channels = [
        share,
        place.reshape([1, 1, points, 1]),
        place.reshape([1, 1, 1, points]),
        expandDims(initial, 1),
      ];
      return stack(
        channels.map((channel) => broadcastTo(channel, shape)),
        1,
      );
    },
    shape: (basis) => withoutMean(mul(mul(AMPLITUDE, expandDims(share, 4)), basis)),
    // Blocks with weights of their own have a mean again.
    finish: withoutMean,
    terms: (basis) => ({ ...terms(basis), wt: firstDifference(basis, 1, step) }),
    offset({ initial }) {
      const all = terms(expandDims(expandDims(initial, 1), -1));
      const shape = [initial.shape[0], ...grid];
      return Object.fromEntries(Object.entries(all).map(([name, x]) => [name, broadcastTo(squeeze(x, -1), shape)]));
    },
    residual: ({ wt, vx, vy, wx, wy, laplacian }) =>
      sub(add(wt, add(mul(vx, wx), mul(vy, wy))), mul(1 / reynolds, laplacian)),
  };
}

/** Fields `[batch, times, x, y, N]` less their means over the square. */
function withoutMean(fields: Tensor): Tensor {
  return sub(fields, mean(fields, { axis: [2, 3], keepDims: true }));
}

/** Initial vorticities as the paper draws them: Gaussian random fields, alpha 2.5, tau 3. */
export function randomVorticity(rng: random.Rng, count: number, points: number): Tensor {
  const square = torus({ points: [points, points], length: 2 * Math.PI });
  const drawn = Array.from({ length: count }, () => gaussianRandomField(square, rng, { alpha: 2.5, tau: 3 }));
  const fields = stack(drawn);
  return sub(fields, mean(fields, { axis: [1, 2], keepDims: true }));
}

/**
 * The reference: a Fourier method in steps of `stepSize` at most.
 *
 * @param initial - `[batch, points, points]`.
 * @returns `[batch, times, points, points]`.
 */
export async function solveNavierStokes2d(
  initial: TensorLike,
  options: NavierStokes2dOptions & { readonly stepSize?: number } = {},
): Promise<Tensor> {
  const { stepSize = 5e-3, ...rest } = options;
  const w0 = tensor(initial, { dtype: "float64" });
  requirePositive("solveNavierStokes2d", "stepSize", stepSize);
  const { times, reynolds, end } = checked("solveNavierStokes2d", { points: w0.shape[w0.rank - 1], ...rest });
  const grid = torus({ points: w0.shape.slice(-2), length: 2 * Math.PI });
  const spacing = end / (times - 1);
  const flow = navierStokes(grid, { viscosity: 1 / reynolds });
  const steps = Math.max(1, Math.ceil(spacing / stepSize));
  const { frames } = await simulate(flow, w0, { stepSize: spacing / steps, spacing, frames: times - 1, scheme: "rk4" });
  return concatenate([expandDims(w0, 1), frames], 1);
}
