import { addCounts, compiledPhase, noCounts } from "@offprint/bilevel";
import { requireStateLike } from "@offprint/solvers";
import { asTensor, mul, random, type Tensor, tensor, zerosLike } from "@offprint/tensor-core";
import { blockParts } from "./block-draws.js";
import type { BlockBatch, BlockProblem } from "./block-problem.js";
import { restingRows } from "./drifting-rows.js";
import { blockHessians } from "./hessian-iteration.js";
import type { BsvrbPoint, BsvrbSettings } from "./options.js";
import { projectMatrices } from "./positive-definite.js";

/** Where a run begins: estimates of all blocks by one batch each, or of none. */
export function firstPoint<X, U, L>(problem: BlockProblem<X, U, L>, settings: BsvrbSettings): BsvrbPoint {
  const { count, width, initial } = problem;
  const { version, init, sampledBlocks, seed, strongConvexity } = settings;
  const size = version === "v1" ? width * width : width;
  const [s, tracked] = [new Float64Array(count * width), new Float64Array(count * size)];
  let counts = noCounts();
  if (init === "full") {
    const estimate = firstEstimates(problem, version);
    // In parts of I blocks, which all have one shape.
    for (const [part, numbers] of blockParts(count, sampledBlocks).entries()) {
      const blocks = asTensor(numbers, "int32");
      const { upper, lower } = problem.draw(random.rng(`${seed}/first/${part}`), blocks);
      const rows = takeRows(initial.y, numbers);
      const found = estimate(initial.x, rows, { blocks, data: upper }, { blocks, data: lower });
      const real = Math.min(sampledBlocks, count - part * sampledBlocks);
      s.set(found.s.data().subarray(0, real * width), part * sampledBlocks * width);
      const values = version === "v1" ? projectMatrices(found.tracked, strongConvexity) : found.tracked.data();
      tracked.set(values.subarray(0, real * size), part * sampledBlocks * size);
      const cost = version === "v1" ? { ...estimate.cost, hvpYY: width } : estimate.cost;
      counts = addCounts(counts, cost, real);
    }
  }
  return {
    ...{ x: initial.x, previousX: initial.x, z: zerosLike(initial.x), hypergradientNorm: null, counts },
    touched: new Int32Array(count),
    known: new Uint8Array(count).fill(init === "full" ? 1 : 0),
    y: restingRows(Float64Array.from(initial.y.data()), count, s),
    v: version === "v2" ? restingRows(new Float64Array(count * width), count, tracked) : null,
    hessians:
      version === "v1" ? { values: tracked, lastBlocks: new Int32Array(0), lastValues: new Float64Array(0) } : null,
  };
}

/** @throws ValueError where a point to go on from is none of this problem and version. */
export function checkPoint<X, U, L>(point: BsvrbPoint, problem: BlockProblem<X, U, L>, settings: BsvrbSettings): void {
  const { owner, width } = problem;
  const { hessians, ...like } = firstPoint(problem, { ...settings, init: "lazy" });
  requireStateLike(owner, point, { ...like, hessians: hessians && { values: hessians.values } });
  if (hessians === null || point.hessians === null) return;
  // As many as the run that saved them sampled, or none.
  const { lastBlocks, lastValues } = point.hessians;
  const blocks = new Int32Array(lastBlocks?.length ?? 0);
  const last = { lastBlocks: blocks, lastValues: new Float64Array(blocks.length * width ** 2) };
  requireStateLike(owner, { hessians: { lastBlocks, lastValues } }, { hessians: last });
}

/** The estimates of some blocks by one batch, with v = 0: `grad_y g_i`, and `-grad_y f_i` or the Hessians. */
function firstEstimates<X, U, L>(problem: BlockProblem<X, U, L>, version: "v1" | "v2") {
  return compiledPhase(
    problem,
    `bsvrb: first estimates of ${version}`,
    (d, x: Tensor, y: Tensor, upper: BlockBatch<U>, lower: BlockBatch<L>) => ({
      s: d.gradYG(x, y, lower),
      tracked: version === "v1" ? blockHessians(problem, d, x, y, lower) : mul(d.gradYF(x, y, upper), -1),
    }),
  );
}

function takeRows(rows: Tensor, numbers: Int32Array): Tensor {
  const [width, values] = [rows.shape[1], rows.data()];
  const out = new Float64Array(numbers.length * width);
  for (const [k, block] of numbers.entries()) out.set(values.subarray(block * width, (block + 1) * width), k * width);
  return tensor(out, { dtype: rows.dtype }).reshape([numbers.length, width]);
}
