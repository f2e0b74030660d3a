import {
  type BilevelResult,
  type BilevelRunOptions,
  checkBilevelOptions,
  compiledPhase,
  type Derivatives,
  type MultiBlockBilevelProblem,
  type Rate,
  rateTensors,
  runBilevel,
  storm,
  VectorProblem,
} from "@offprint/bilevel";
import {
  cast,
  div,
  eye,
  jvp,
  linalg,
  matmul,
  mul,
  requirePositive,
  sub,
  type Tensor,
  take,
  tensor,
  tile,
  transpose,
  ValueError,
  vmap,
  zerosLike,
} from "@offprint/tensor-core";
import { requireApart } from "./apart.js";
import { BlockProblem } from "./block-problem.js";
import { type JoinedBatch, joinBlocks } from "./joined-blocks.js";
import { nearestPositiveDefinite, solveRows } from "./positive-definite.js";

/** What {@link rsvrb} keeps beside x and y, of all blocks. */
export interface RsvrbKept {
  /** Estimates of `grad_y g_i`, `[m d]`. */
  readonly s: Tensor;
  /** Of `grad_y f_i`, `[m d]`. */
  readonly v: Tensor;
  /** Of the mixed second derivatives, `[dx, m d]`. */
  readonly mixed: Tensor;
  /** Of the second derivatives in y, `[m, d, d]`. */
  readonly hessians: Tensor;
  /** The estimate of the gradient in x. */
  readonly z: Tensor;
  /** All of the iteration before; at the first, of itself. */
  readonly before: Omit<RsvrbKept, "before"> & { readonly x: Tensor; readonly y: Tensor };
}

/** Options of {@link rsvrb}. */
export interface RsvrbOptions<X> extends BilevelRunOptions<X, Tensor, RsvrbKept> {
  /** I: blocks that an iteration samples, for the estimates and again, independently, for the direction. */
  readonly sampledBlocks: number;
  /** Step of x, > 0. */
  readonly stepSize: Rate;
  /** Step of the y_i, > 0. */
  readonly lowerStepSize: Rate;
  /** beta in (0, 1]: weight of new samples in all estimates. Default 0.1. */
  readonly beta?: number;
  /** The least eigenvalue of the Hessians that are inverted, > 0. Default 1e-5. */
  readonly strongConvexity?: number;
}

/**
 * RSVRB (Guo, Hu, Zhang and Yang 2021), which BSVRB is compared with: gradients and both second derivatives of every block are
 * tracked by STORM, where blocks that are not sampled count as zero and those that are m / I times: all estimates change in every
 * iteration, and its cost grows with the number of blocks.
 * @throws ValueError, ShapeError for problems and options that are none; NonFiniteError, with the last good state, where it
 * diverges.
 */
export async function rsvrb<X, U = null, L = U>(
  problem: MultiBlockBilevelProblem<X, U, L>,
  options: RsvrbOptions<X>,
): Promise<BilevelResult<X, Tensor, RsvrbKept>> {
  const owner = "rsvrb";
  checkBilevelOptions(owner, options, ["sampledBlocks", "stepSize", "lowerStepSize", "beta", "strongConvexity"]);
  const { sampledBlocks, beta: weight = 0.1, strongConvexity = 1e-5 } = options;
  if (!(weight > 0 && weight <= 1)) throw new ValueError(`${owner}: beta is ${weight}; it must be in (0, 1]`);
  requirePositive(owner, "strongConvexity", strongConvexity);
  const upperStep = rateTensors(owner, "stepSize", options.stepSize);
  const lowerStep = rateTensors(owner, "lowerStepSize", options.lowerStepSize);
  const vectors = new VectorProblem(owner, joinBlocks(problem, { sampledBlocks }));
  const [m, d] = problem.initial.y.shape;
  const float64 = { dtype: "float64" } as const;
  const numbers = { beta: tensor(weight, float64), least: tensor(strongConvexity, float64) };
  if (options.resume === undefined) requireApart(new BlockProblem(owner, problem), vectors.full.lower);
  type Batch = JoinedBatch<U, L>;
  // The joined lower function weighs sampled blocks by m / I, the upper one by 1 / I.
  const sampled = (derivatives: Derivatives<Tensor, Tensor, Batch, Batch>, { x, y }: Place, batch: Batch): Tracked => {
    const slopes = vmap((unit: Tensor) => jvp((at: Tensor) => derivatives.gradYG(at, y, batch), [x], [unit])[1]);
    const columns = vmap((unit: Tensor) => derivatives.hvpYY(x, y, tile(unit, [m]), batch).reshape([m, d]));
    return {
      s: derivatives.gradYG(x, y, batch),
      v: mul(derivatives.gradYF(x, y, batch), m),
      mixed: slopes(eye(x.size, x.size, x.dtype)),
      hessians: transpose(columns(eye(d, d, y.dtype)), [1, 2, 0]),
    };
  };
  const begin = compiledPhase(vectors, "rsvrb: begin", (derivatives, at: Place, batch: Batch) =>
    sampled(derivatives, at, batch),
  );
  const advance = compiledPhase(
    vectors,
    "rsvrb: iteration",
    (derivatives, at: Kept, previous: Kept, rates: Rates, tracking: Batch, batch: Batch) => {
      const track = (kept: Tensor, now: Tensor, before: Tensor, beta: Tensor) =>
        cast(storm(kept, now, before, beta), kept.dtype);
      const direction = ({ x, y, v, mixed, hessians }: Kept) => {
        const { blocks } = batch;
        const rows = take(v.reshape([m, d]), blocks);
        const solved = solveRows(nearestPositiveDefinite(take(hessians, blocks), rates.least), rows);
        const slopes = take(mixed.reshape([x.size, m, d]), blocks, { axis: 1 }).reshape([x.size, blocks.size * d]);
        return sub(derivatives.gradXF(x, y, batch), div(matmul(slopes, solved.reshape([-1])), blocks.size));
      };
      const [now, before] = [sampled(derivatives, at, tracking), sampled(derivatives, previous, tracking)];
      const s = track(at.s, now.s, before.s, rates.beta);
      const z = track(at.z, direction(at), direction(previous), rates.betaX);
      return {
        ...{ s, z },
        v: track(at.v, now.v, before.v, rates.beta),
        mixed: track(at.mixed, now.mixed, before.mixed, rates.beta),
        hessians: track(at.hessians, now.hessians, before.hessians, rates.beta),
        x: cast(sub(at.x, mul(rates.x, z)), at.x.dtype),
        y: cast(sub(at.y, mul(rates.y, s)), at.y.dtype),
        norm: linalg.norm(z),
      };
    },
  );
  return runBilevel<X, Tensor, Batch, Batch, RsvrbKept>(
    vectors,
    {
      begin(x, y) {
        const estimates = { ...begin({ x, y }, vectors.full.lower), z: zerosLike(x) };
        return { ...estimates, before: { x, y, ...estimates } };
      },
      iterate({ x, y, extra }, iteration, draw) {
        const { before, ...estimates } = extra;
        const at: Kept = { x, y, ...estimates };
        // The first direction sets z.
        const betaX = iteration === 1 ? tensor(1, float64) : numbers.beta;
        const rates = { x: upperStep(iteration), y: lowerStep(iteration), ...numbers, betaX };
        const { norm, x: nextX, y: nextY, ...tracked } = advance(at, before, rates, draw.lower(), draw.upper());
        const { cost } = advance;
        return { x: nextX, y: nextY, extra: { ...tracked, before: at }, hypergradientNorm: norm, cost };
      },
    },
    options,
  );
}

interface Place {
  readonly x: Tensor;
  readonly y: Tensor;
}

type Tracked = Pick<RsvrbKept, "s" | "v" | "mixed" | "hessians">;
type Kept = Omit<RsvrbKept, "before"> & Place;

interface Rates {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly beta: Tensor;
  readonly betaX: Tensor;
  readonly least: Tensor;
}
