import {
  addCounts,
  type BilevelRecord,
  type MultiBlockBilevelProblem,
  type OracleCounts,
  type Rate,
  rateTensors,
} from "@offprint/bilevel";
import { figuresOf, runLoop, type Status } from "@offprint/solvers";
import { NonFiniteError, type Tensor, tensor } from "@offprint/tensor-core";
import { requireApart } from "./apart.js";
import { type BlockDraw, blockDraws } from "./block-draws.js";
import { BlockProblem } from "./block-problem.js";
import { BlockStore, type RowSteps } from "./block-store.js";
import { requireCurved, stableLowerStep } from "./curvature.js";
import type { GatheredRows } from "./drifting-rows.js";
import { checkPoint, firstPoint } from "./first-point.js";
import { hessianIteration } from "./hessian-iteration.js";
import { type Moved, once, productIteration, type Weights } from "./iteration.js";
import { type BsvrbOptions, type BsvrbPoint, type BsvrbSettings, type BsvrbState, readOptions } from "./options.js";

/** What {@link bsvrb} gives. */
export interface BsvrbResult<X> {
  /** The last upper variables. */
  readonly x: X;
  /** The lower variables of all blocks, `[m, d]`. */
  readonly y: Tensor;
  /** Estimates of `H_i^-1 grad_y f_i`, `[m, d]`, in version 2. */
  readonly v?: Tensor;
  /** Estimates of the second derivatives in y, `[m, d, d]`, in version 1. */
  readonly hessians?: Tensor;
  /** The last estimate of the gradient in x. */
  readonly z: X;
  /** Iterations done. */
  readonly iterations: number;
  /** How it ended. */
  readonly status: Status;
  /** The derivatives evaluated, each on the batch of one block; a Hessian counts as d products. */
  readonly counts: OracleCounts;
  /** The record of every iteration. */
  readonly history: readonly BilevelRecord[];
  /** What `resume` goes on from. */
  readonly state: BsvrbState;
}

/**
 * BSVRB (Hu, Qiu, Guo, Zhang and Yang 2023): minimise the mean over m blocks of `f_i(x, y_i*(x))`, where `y_i*(x)` minimises the
 * strongly convex `g_i(x, .)`, by sampling I blocks in each iteration. For these
 *
 *     s_i <- MSVR(s_i; grad_y g_i),   H_i <- Pi_lambda[MSVR(H_i; Hessian of g_i)]   or   u_i <- MSVR(u_i; H v_i - grad_y f_i)
 *     z <- G + (1 - beta) (z - G_old),   x <- x - eta z
 *
 * with G the mean of `grad_x f_i - J_i H_i^-1 grad_y f_i`, or of `grad_x f_i - J_i v_i`; and for all blocks `y_i <- y_i - tau s_i`,
 * `v_i <- v_i - tau_v u_i`, which is computed for a block when it is looked at: an iteration costs the same however many
 * there are.
 * @throws ValueError, ShapeError for problems and options that are none; NonFiniteError, with the last good state, where it
 * diverges.
 * @see https://arxiv.org/abs/2305.18730
 * @example
 * const { x, y } = await bsvrb(problem, { sampledBlocks: 10, stepSize: 0.02, maxIterations: 2000 });
 */
export async function bsvrb<X, U = null, L = U>(
  problem: MultiBlockBilevelProblem<X, U, L>,
  options: BsvrbOptions<X, U, L>,
): Promise<BsvrbResult<X>> {
  const owner = "bsvrb";
  const blocks = new BlockProblem(owner, problem);
  const settings = readOptions(owner, options, blocks.count);
  const drawn = firstKept(blockDraws(blocks, settings, options.draw));
  if (options.resume === undefined) {
    requireCurved(blocks, drawn);
    requireApart(blocks, drawn(1));
  }
  const steps = rowSteps(blocks, settings, options, drawn);
  const iterate = iterationOf(blocks, settings, rateTensors(owner, "stepSize", options.stepSize ?? steps.lower));
  const { evaluate } = options;
  const open = (point: BsvrbPoint) => new BlockStore(blocks, settings, steps, point);
  // What the blocks have is changed in place, from a copy of where the run begins; points are complete in snapshots alone.
  let store: BlockStore | undefined;
  const run = await runLoop<BsvrbPoint, BilevelRecord, never>(
    {
      owner,
      limit: settings.maxIterations,
      initial: () => firstPoint(blocks, settings),
      step(point, iteration) {
        store ??= open(point);
        return iterate(point, store, drawn(iteration), iteration);
      },
      async record({ x, hypergradientNorm, counts }, iteration) {
        if (hypergradientNorm === null) return undefined;
        const told = { iteration, hypergradientNorm, counts };
        if (evaluate === undefined || store === undefined) return told;
        const place = placeOf(blocks, x, store, iteration);
        return { ...told, evaluation: await figuresOf(owner, "evaluate", evaluate(place, iteration)) };
      },
      snapshot: (point) => (store === undefined ? point : { ...point, ...store.state() }),
      check: (point) => checkPoint(point, blocks, settings),
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  return {
    ...{ x: blocks.x.unravel(last.x), z: blocks.x.unravel(last.z), ...(store ?? open(last)).finalRows(iterations + 1) },
    ...{ iterations, status, counts: last.counts, history, state },
  };
}

/** Draws of which the first, that others look at too, is made once. */
function firstKept<D>(drawn: (iteration: number) => D): (iteration: number) => D {
  const first = once(() => drawn(1));
  return (iteration) => (iteration === 1 ? first() : drawn(iteration));
}

/** tau and tau_v. */
function rowSteps<X, U, L>(
  problem: BlockProblem<X, U, L>,
  settings: BsvrbSettings,
  { lowerStepSize, linearStepSize }: BsvrbOptions<X, U, L>,
  drawn: (iteration: number) => BlockDraw<U, L>,
): RowSteps {
  const { owner } = problem;
  const checked = (name: string, rate: Rate): Rate => {
    const tensors = rateTensors(owner, name, rate);
    return typeof rate === "function" ? (iteration) => tensors(iteration).item() : rate;
  };
  const lower =
    lowerStepSize === undefined ? stableLowerStep(problem, settings, drawn) : checked("lowerStepSize", lowerStepSize);
  return { lower, linear: linearStepSize === undefined ? lower : checked("linearStepSize", linearStepSize) };
}

function placeOf<X, U, L>(problem: BlockProblem<X, U, L>, x: Tensor, store: BlockStore, iteration: number) {
  return {
    x: problem.x.unravel(x),
    get y() {
      return store.lowerRows(iteration + 1);
    },
  };
}

/** One iteration: the compiled derivatives of the sampled blocks, and what is kept of them. */
function iterationOf<X, U, L>(
  problem: BlockProblem<X, U, L>,
  settings: BsvrbSettings,
  stepSize: (iteration: number) => Tensor,
) {
  const { version, estimator, sampledBlocks: count } = settings;
  const { width, initial } = problem;
  const { dtype } = initial.y;
  const scalar = (value: number) => tensor(value, { dtype: "float64" });
  const [alpha, gamma, beta] = [settings.alpha, settings.gamma, settings.beta].map(scalar);
  const one = scalar(1);
  const rows = (values: Float64Array) => tensor(values, { dtype }).reshape([count, width]);
  const byHessians = hessianIteration(problem, estimator, settings.strongConvexity);
  const byProducts = productIteration(problem, estimator);
  const used = version === "v1" ? byHessians : byProducts;
  return (point: BsvrbPoint, store: BlockStore, draw: BlockDraw<U, L>, iteration: number): BsvrbPoint => {
    const { blocks } = draw;
    const numbers = blocks.data();
    const found = store.gather(numbers, iteration);
    const { x, previousX, z } = point;
    // The first G sets z.
    const weights: Weights = {
      ...{ alpha, gamma, stepSize: stepSize(iteration) },
      beta: point.hypergradientNorm === null ? one : beta,
    };
    const common = {
      ...{ y: rows(found.y.now), yBefore: rows(found.y.before), s: rows(found.y.directions) },
      first: settings.init === "full" ? null : tensor(found.first),
    };
    const batches = [
      { blocks, data: draw.upper },
      { blocks, data: draw.lower },
    ] as const;
    const place = { x, previousX, z };
    let next: Moved;
    if (found.hessians !== undefined) {
      next = byHessians(place, { ...common, hessians: found.hessians }, weights, ...batches);
    } else {
      const v = found.v as GatheredRows;
      const known = { ...common, v: rows(v.now), vBefore: rows(v.before), u: rows(v.directions) };
      next = byProducts(place, known, weights, ...batches);
    }
    const norm = next.norm.item();
    if (!Number.isFinite(norm)) {
      throw new NonFiniteError(
        `the hypergradient's norm is ${norm}: the iteration diverged and was not made; take smaller steps`,
      );
    }
    store.put(numbers, iteration, found, { s: next.s.data(), tracked: next.tracked.data() });
    const counts = addCounts(point.counts, used.cost, count);
    return { ...point, x: next.x, previousX: x, z: next.z, hypergradientNorm: norm, counts };
  };
}
