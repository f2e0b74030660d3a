import {
  addCounts,
  type BilevelMethod,
  type BilevelProblem,
  type BilevelResult,
  compiledPhase,
  lowerDescent,
  rateTensors,
  runBilevel,
  VectorProblem,
} from "@offprint/bilevel";
import { requireStateLike } from "@offprint/solvers";
import { type Tensor, tensor, zerosLike } from "@offprint/tensor-core";
import { epochSgdSteps, epochStart, epochStep } from "./epoch-sgd.js";
import { lowerUpdate, outerStep } from "./iteration.js";
import { type BoRepKept, type BoRepOptions, type BoRepSettings, type Refinement, readOptions } from "./options.js";

/** What {@link boRep} gives. */
export interface BoRepResult<X, Y> extends BilevelResult<X, Y, BoRepKept> {
  /** The last estimate of `H^-1 grad_y F`. */
  readonly z: Y;
  /** The x at which the mean of the hypergradients was shortest, its norm, and the iteration that began there (from 1); null before. */
  readonly best: { readonly x: X; readonly norm: number; readonly iteration: number } | null;
}

/**
 * BO-REP, Bilevel Optimization with normalised momentum, initial Refinement and Periodic updates (Hao, Gong and Liu 2024). x moves by a fixed length along the running mean
 * of the hypergradients, so that no bound on the curvature of the upper function is needed; y is made ready at first and then
 * updated every `period` iterations.
 *
 *     every I-th k:  y <- UpdateLower(x, y)
 *     z' = z - gamma (H z - grad_y F),   h = grad_x F - J z
 *     m <- beta m + (1 - beta) h,        x <- x - eta m / |m|,   z <- z'
 *
 * @throws ValueError, ShapeError for problems and options that are none; NonFiniteError, with the last good state, where a
 * derivative is not finite.
 * @see https://arxiv.org/abs/2401.09587
 * @example
 * const { x, best } = await boRep(problem, { stepLength: 0.01, lowerStepSize: 0.1, maxIterations: 500 });
 */
export async function boRep<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  options: BoRepOptions<X, Y>,
): Promise<BoRepResult<X, Y>> {
  const settings = readOptions(options);
  const length = rateTensors("boRep", "stepLength", options.stepLength);
  const vectors = new VectorProblem("boRep", problem);
  const step = outerStep(vectors, settings);
  const updateLower = lowerUpdate(vectors, settings);
  const { refinement, period } = settings;
  const firstZ = options.initialZ === undefined ? undefined : vectors.y.ravel(options.initialZ);
  const method: BilevelMethod<U, L, BoRepKept> = {
    begin: (x, y) => ({ z: firstZ ?? zerosLike(y), m: zerosLike(x), best: null, refinement: null }),
    ...(refinement !== false && { refinement: refinementOf(vectors, refinement, settings) }),
    iterate({ x, y: before, extra }, iteration, draw) {
      const updated = iteration > 1 && (iteration - 1) % period === 0 ? updateLower(x, before, draw) : undefined;
      const y = updated?.y ?? before;
      const next = step({ x, y, z: extra.z, m: extra.m }, length(iteration), draw);
      const norm = next.norm.item();
      const { best } = extra;
      const better = norm > 0 && (best === null || norm < best.norm);
      return {
        x: next.x,
        y,
        extra: { ...extra, z: next.z, m: next.m, best: better ? { x, norm, iteration } : best, refinement: null },
        hypergradientNorm: next.norm,
        cost: updated === undefined ? next.cost : addCounts(next.cost, updated.cost),
      };
    },
  };
  checkKept(options.resume?.inner?.extra, vectors.initial);
  const run = await runBilevel(vectors, method, options);
  const { z, best } = run.state.inner.extra;
  return {
    ...run,
    z: vectors.y.unravel(z),
    best: best === null ? null : { ...best, x: vectors.x.unravel(best.x) },
  };
}

/** Of what is kept, the parts that are null at the beginning. @throws ValueError where they are not of this problem. */
function checkKept(kept: BoRepKept | undefined, { x, y }: { readonly x: Tensor; readonly y: Tensor }): void {
  const present = (name: "best" | "refinement", like: object) =>
    kept?.[name] && requireStateLike("boRep", { extra: { [name]: kept[name] } }, { extra: { [name]: like } });
  present("best", { x, norm: 0, iteration: 0 });
  present("refinement", epochStart(y));
}

/** RefineInitial, a step at a time. */
function refinementOf<X, Y, U, L>(
  vectors: VectorProblem<X, Y, U, L>,
  refinement: Refinement,
  { lowerStepSize }: BoRepSettings,
): NonNullable<BilevelMethod<U, L, BoRepKept>["refinement"]> {
  if (refinement.method === "sgd") {
    const descend = lowerDescent(vectors);
    const stepSize = tensor(refinement.stepSize ?? lowerStepSize, { dtype: "float64" });
    return {
      steps: refinement.steps,
      step: ({ x, y, extra }, draw) => ({ y: descend(x, y, stepSize, draw.lower()), extra, cost: descend.cost }),
    };
  }
  const slope = compiledPhase(vectors, "bo-rep: slope", (d, x: Tensor, y: Tensor, batch: L) => d.gradYG(x, y, batch));
  return {
    steps: epochSgdSteps(refinement),
    step({ x, y, extra }, draw) {
      const next = epochStep(extra.refinement ?? epochStart(y), slope(x, y, draw.lower()), refinement);
      return { y: next.w, extra: { ...extra, refinement: next }, cost: slope.cost };
    },
  };
}
