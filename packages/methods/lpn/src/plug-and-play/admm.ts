import { runLoop, runOptionNames } from "@offprint/solvers";
import {
  add,
  checkOptions,
  clip,
  mul,
  requireChoice,
  requirePositive,
  sub,
  type Tensor,
  type TensorLike,
  ValueError,
  zerosLike,
} from "@offprint/tensor-core";
import { type Measurement, measured } from "../measurement.js";
import type { Prox } from "../prox.js";
import { requireLike } from "./gradient-descent.js";
import { type DataSolver, proximalDataStep } from "./proximal-data-step.js";
import {
  checkedCommon,
  denoised,
  firstPoint,
  largestChange,
  type Reconstruction,
  type ReconstructionOptions,
  type ReconstructionRecord,
  reconstructionOptions,
  requireProx,
} from "./reconstruction.js";

/** A splitting variable and its scaled multiplier. */
export interface Splitting {
  /** The copy of x that one term sees. */
  readonly z: Tensor;
  /** The scaled multiplier of `x = z`. */
  readonly u: Tensor;
}

/** Where PnP-ADMM stands. */
export interface AdmmState {
  /** What agrees with the data. */
  readonly x: Tensor;
  /** The denoised copy, and with `box` the one in it. */
  readonly splittings: readonly Splitting[];
  /** Largest change of an entry of z in the last iteration; infinite before the first. */
  readonly change: number;
}

/** Options of {@link pnpAdmm}. */
export interface AdmmOptions extends ReconstructionOptions<AdmmState> {
  /**
   * rho, > 0: how strongly the copies are held together. The larger, the less the data count in an iteration; convergence is
   * proved above `L = 2 s lambda_max(A^T A)`, and smaller values often give the better image. Default 0.1.
   */
  readonly rho?: number;
  /** The order of the updates. Default `"xuz"`, that of the theorem. */
  readonly order?: "xuz" | "xzu";
  /** How the data step's systems are solved. Default: factorised up to 1024 unknowns. */
  readonly dataSolver?: DataSolver;
  /** Keeps a second copy in a range, such as `[0, 1]`. */
  readonly box?: readonly [low: number, high: number];
}

/**
 * Plug-and-play ADMM: `x = argmin h + rho / 2 |z - u - x|^2`, `u = u + x - z`, `z = f(u + x)`, with
 * `h(x) = s |A x - y|^2`. With a learned proximal network and rho large enough it converges to a critical point of `h + rho phi`
 * (section 4).
 * @param prox The denoiser.
 * @param y The measurements, `[batch, ...output]`, or one of them.
 * @returns `x` is the denoised copy z.
 * @throws ValueError, ShapeError; NonFiniteError.
 */
export async function pnpAdmm(
  prox: Prox,
  measurement: Measurement,
  y: TensorLike,
  options: AdmmOptions = {},
): Promise<Reconstruction<AdmmState>> {
  const owner = "pnpAdmm";
  const own = ["rho", "order", "dataSolver", "box"];
  checkOptions(owner, options, [...own, ...reconstructionOptions, ...runOptionNames]);
  const { rho = 0.1, order = "xuz", dataSolver, box } = options;
  const { dataScale, maxIterations, tolerance } = checkedCommon(owner, options);
  requirePositive(owner, "rho", rho);
  requireChoice(owner, "order", order, ["xuz", "xzu"]);
  requireChoice(owner, "dataSolver", dataSolver, ["cholesky", "conjugateGradients"]);
  if (box !== undefined && !isRange(box)) {
    throw new ValueError(`${owner}: box is [${String(box)}]; give [low, high] with low < high`);
  }
  requireProx(owner, prox);
  const data = measured(owner, measurement, y);
  const start = firstPoint(owner, measurement, data, options.initial);
  const terms: Prox[] = [prox, ...(box === undefined ? [] : [(v: Tensor) => clip(v, box[0], box[1])])];
  const dataStep = proximalDataStep(measurement, data, dataScale, rho * terms.length, dataSolver);
  try {
    const { last, ...run } = await runLoop<AdmmState, ReconstructionRecord>(
      {
        owner,
        limit: maxIterations,
        initial: () => ({
          x: start,
          splittings: terms.map(() => ({ z: start, u: zerosLike(start) })),
          change: Number.POSITIVE_INFINITY,
        }),
        async step({ x: near, splittings }) {
          const targets = splittings.map(({ z, u }) => sub(z, u));
          const target = mul(
            targets.reduce((a, b) => add(a, b)),
            1 / targets.length,
          );
          const x = await dataStep.solve(target, near);
          const next = await Promise.all(splittings.map(({ z, u }, i) => split(owner, terms[i], order, x, z, u)));
          return { x, splittings: next, change: largestChange(next[0].z, splittings[0].z) };
        },
        record: ({ change }, iteration) => ({ iteration, change }),
        finished: ({ change }) => (tolerance > 0 && change <= tolerance ? "converged" : undefined),
        check: ({ x, splittings }) => {
          requireLike(owner, x, start);
          const copies: readonly Partial<Splitting>[] = Array.isArray(splittings) ? splittings : [];
          for (let i = 0; i < Math.max(copies.length, terms.length); i++) {
            requireLike(owner, i < terms.length ? copies[i]?.z : undefined, start);
            requireLike(owner, copies[i]?.u, start);
          }
        },
      },
      options,
    );
    return { ...run, x: last.splittings[0].z, warnings: [] };
  } finally {
    dataStep.release();
  }
}

function isRange(box: unknown): boolean {
  return Array.isArray(box) && box.length === 2 && box.every((end) => typeof end === "number") && box[0] < box[1];
}

/** The updates of a copy and its multiplier, in either order. */
async function split(
  owner: string,
  term: Prox,
  order: "xuz" | "xzu",
  x: Tensor,
  z: Tensor,
  u: Tensor,
): Promise<Splitting> {
  if (order === "xuz") {
    const moved = sub(add(u, x), z);
    return { z: await denoised(owner, term, add(moved, x)), u: moved };
  }
  const next = await denoised(owner, term, add(x, u));
  return { z: next, u: sub(add(u, x), next) };
}
