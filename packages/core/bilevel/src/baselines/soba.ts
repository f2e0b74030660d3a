import { linalg, requireDecayRate, requireInteger, type Tensor, tensor, zerosLike } from "@offprint/tensor-core";
import {
  type BilevelResult,
  type BilevelRunOptions,
  checkBilevelOptions,
  type Rate,
  rateTensors,
  runBilevel,
} from "../bilevel-run.js";
import { compiledPhase } from "../compiled-phase.js";
import { movingAverage } from "../estimators/moving-average.js";
import { type DescentOptions, descentOptionNames, descentRates, lowerDescent, refinementBy } from "../lower-descent.js";
import type { BilevelProblem } from "../problem.js";
import { VectorProblem } from "../vector-problem.js";
import { minus } from "../vector-steps.js";

/** What SOBA and MA-SOBA keep beside x and y. */
export interface SobaKept {
  /** The estimate of `H^-1 grad_y F`, `[dy]`. */
  readonly z: Tensor;
  /** The running mean of the directions, `[dx]`. */
  readonly m: Tensor;
}

/** Options of {@link soba}. */
export interface SobaOptions<X, Y> extends DescentOptions, BilevelRunOptions<X, Y, SobaKept> {
  /** Step of z, > 0. Default `lowerStepSize`. */
  readonly linearStepSize?: Rate;
}

/** Options of {@link maSoba}. */
export interface MaSobaOptions<X, Y> extends SobaOptions<X, Y> {
  /** beta in [0, 1): the weight of the past in the mean of the directions. Default 0.9. */
  readonly momentum?: number;
}

const names = [...descentOptionNames, "linearStepSize"];

/**
 * SOBA (Dagreou, Ablin, Vaiter and Moreau 2022): y, z and x each make one stochastic gradient step from the same point.
 * One batch of each level serves all three.
 * @throws NonFiniteError, with the last good state, where it diverges; ValueError for options out of range.
 */
export async function soba<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  options: SobaOptions<X, Y>,
): Promise<BilevelResult<X, Y, SobaKept>> {
  checkBilevelOptions("soba", options, names);
  return together("soba", problem, options, 0);
}

/**
 * MA-SOBA (Chen, Xiao and Balasubramanian 2023): SOBA whose x moves along the running mean
 * `m <- beta m + (1 - beta) h` of the directions.
 * @throws NonFiniteError, with the last good state, where it diverges; ValueError for options out of range.
 */
export async function maSoba<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  options: MaSobaOptions<X, Y>,
): Promise<BilevelResult<X, Y, SobaKept>> {
  checkBilevelOptions("maSoba", options, [...names, "momentum"]);
  const { momentum = 0.9 } = options;
  requireDecayRate("maSoba", "momentum", momentum);
  return together("maSoba", problem, options, momentum);
}

async function together<X, Y, U, L>(
  owner: string,
  problem: BilevelProblem<X, Y, U, L>,
  options: SobaOptions<X, Y>,
  momentum: number,
): Promise<BilevelResult<X, Y, SobaKept>> {
  const { linearStepSize = options.lowerStepSize, refinementSteps = 0 } = options;
  requireInteger(owner, "refinementSteps", refinementSteps, 0);
  const { upperStep, lowerStep } = descentRates(owner, options);
  const linearStep = rateTensors(owner, "linearStepSize", linearStepSize);
  const vectors = new VectorProblem(owner, problem);
  const descend = lowerDescent(vectors);
  const beta = tensor(momentum, { dtype: "float64" });
  const step = compiledPhase(vectors, "soba: step", (d, { x, y, z, m }: Point, rates: Rates, upper: U, lower: L) => {
    const gradients = d.gradsF(x, y, upper);
    const products = d.productsG(x, y, z, lower);
    const mean = movingAverage(m, minus(gradients.x, 1, products.x), rates.beta);
    return {
      x: vectors.projectX(minus(x, rates.x, mean)),
      y: vectors.projectY(minus(y, rates.y, d.gradYG(x, y, lower))),
      z: minus(z, rates.z, minus(products.y, 1, gradients.y)),
      m: mean,
      norm: linalg.norm(mean),
    };
  });
  return runBilevel<X, Y, U, L, SobaKept>(
    vectors,
    {
      begin: (x, y) => ({ z: zerosLike(y), m: zerosLike(x) }),
      refinement: refinementBy(descend, refinementSteps, lowerStep(1)),
      iterate({ x, y, extra: { z, m } }, iteration, draw) {
        const rates = { x: upperStep(iteration), y: lowerStep(iteration), z: linearStep(iteration), beta };
        const next = step({ x, y, z, m }, rates, draw.upper(), draw.lower());
        const extra = { z: next.z, m: next.m };
        return { x: next.x, y: next.y, extra, hypergradientNorm: next.norm, cost: step.cost };
      },
    },
    options,
  );
}

interface Point extends SobaKept {
  readonly x: Tensor;
  readonly y: Tensor;
}

interface Rates {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly z: Tensor;
  readonly beta: Tensor;
}
