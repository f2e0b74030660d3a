import { runLoop, runOptionNames } from "@offprint/solvers";
import {
  checkOptions,
  jitSync,
  mul,
  requireFinite,
  requirePositive,
  sub,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { largestEigenvalue, type Measurement, measured } from "../measurement.js";
import type { Prox } from "../prox.js";
import { regularizerAt } from "../regularizer.js";
import {
  checkDenoised,
  checkedCommon,
  dataTerm,
  denoised,
  firstPoint,
  largestChange,
  type Reconstruction,
  type ReconstructionOptions,
  type ReconstructionRecord,
  reconstructionOptions,
  requireProx,
} from "./reconstruction.js";

/** Where PnP-PGD stands. */
export interface GradientDescentState {
  /** The last reconstruction. */
  readonly x: Tensor;
  /** Largest change of an entry in the last iteration; infinite before the first. */
  readonly change: number;
  /** `F(x)` of each, where it is known. */
  readonly objectives: Float64Array | null;
}

/** Options of {@link pnpGradientDescent}. */
export interface GradientDescentOptions extends ReconstructionOptions<GradientDescentState> {
  /**
   * eta, > 0 and below `2 / L` with `L = 2 s lambda_max(A^T A)`; below `1 / L` for the guarantee. A larger step gives the prior
   * less weight, `1 / eta`. Default `0.95 / L`.
   */
  readonly stepSize?: number;
}

/**
 * Plug-and-play proximal gradient descent: `x <- f(x - eta grad h(x))` with `h(x) = s |A x - y|^2`. With a
 * learned proximal network and `eta < 1 / L` it descends `F(x) = h(x) + phi(x) / eta` to a critical point, whatever phi is
 *; the records have F.
 * @param prox The denoiser.
 * @param y The measurements, `[batch, ...output]`, or one of them.
 * @throws ValueError, ShapeError; NonFiniteError.
 */
export async function pnpGradientDescent(
  prox: Prox,
  measurement: Measurement,
  y: TensorLike,
  options: GradientDescentOptions = {},
): Promise<Reconstruction<GradientDescentState>> {
  const owner = "pnpGradientDescent";
  checkOptions(owner, options, ["stepSize", ...reconstructionOptions, ...runOptionNames]);
  const { dataScale, maxIterations, tolerance } = checkedCommon(owner, options);
  if (options.stepSize !== undefined) requirePositive(owner, "stepSize", options.stepSize);
  requireProx(owner, prox);
  const data = measured(owner, measurement, y);
  const start = firstPoint(owner, measurement, data, options.initial);
  const lipschitz = 2 * dataScale * (await largestEigenvalue(measurement));
  const stepSize = options.stepSize ?? 0.95 / lipschitz;
  const warnings = warningsOf(owner, stepSize, lipschitz);
  const { apply, adjoint } = measurement;
  const forward = jitSync((x: Tensor, seen: Tensor) =>
    sub(x, mul(adjoint(sub(apply(x), seen)), 2 * dataScale * stepSize)),
  );
  const objective = jitSync((v: Tensor, x: Tensor, psi: Tensor, seen: Tensor) =>
    dataTerm(measurement, x, seen, dataScale).add(regularizerAt(v, x, psi).div(stepSize)),
  );
  const { withPotential } = prox;
  try {
    const { last, ...run } = await runLoop<GradientDescentState, ReconstructionRecord>(
      {
        owner,
        limit: maxIterations,
        initial: () => ({ x: start, change: Number.POSITIVE_INFINITY, objectives: null }),
        async step({ x: before }) {
          const v = forward(before, data);
          if (withPotential === undefined) {
            const x = await denoised(owner, prox, v);
            return { x, change: largestChange(x, before), objectives: null };
          }
          const { x, psi } = withPotential(v);
          checkDenoised(owner, x, v);
          const objectives = Float64Array.from(objective(v, x, psi, data).data());
          return { x, change: largestChange(x, before), objectives };
        },
        record: ({ change, objectives }, iteration) => ({
          iteration,
          change,
          ...(objectives && { objective: objectives.reduce((a, b) => a + b, 0), objectives }),
        }),
        finished: ({ change }) => (tolerance > 0 && change <= tolerance ? "converged" : undefined),
        check: ({ x }) => requireLike(owner, x, start),
      },
      options,
    );
    return { ...run, x: last.x, ...(last.objectives && { objective: last.objectives }), warnings };
  } finally {
    forward.release();
    objective.release();
  }
}

function warningsOf(owner: string, stepSize: number, lipschitz: number): string[] {
  if (!(stepSize < Number.POSITIVE_INFINITY)) {
    throw new ValueError(`${owner}: the measurement is zero, so that no stepSize follows from it; give one`);
  }
  if (stepSize * lipschitz >= 2) {
    throw new ValueError(`${owner}: stepSize is ${stepSize}; it must be below 2 / L = ${2 / lipschitz}`);
  }
  if (stepSize * lipschitz < 1) return [];
  return [`stepSize is ${stepSize}: from 1 / L = ${1 / lipschitz} on nothing is guaranteed`];
}

/** @internal Throws where a state to resume is of another problem. */
export function requireLike(owner: string, x: Tensor | undefined, like: Tensor): void {
  if (x?.shape === undefined || String(x.shape) !== String(like.shape) || x.dtype !== like.dtype) {
    throw new ValueError(`${owner}: resume is a state of another problem; give one of this problem`);
  }
  requireFinite(owner, "resume", x);
}
