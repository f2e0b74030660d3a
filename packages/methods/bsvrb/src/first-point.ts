import { addCounts, noCounts } from "@offprint/bilevel";
import { asTensor, random, type Tensor, tensor, zerosLike } from "@offprint/tensor-core";
import { blockParts } from "./block-draws.js";
import type { BlockProblem } from "./block-problem.js";
import { restingRows } from "./drifting-rows.js";
import { costOf, firstEstimates } from "./iteration.js";
import type { BsvrbPoint, BsvrbSettings } from "./options.js";

/** Where a run begins: estimates of all blocks by one batch each, or of none. */
export function firstPoint<X, U, L>(problem: BlockProblem<X, U, L>, settings: BsvrbSettings): BsvrbPoint {
  const { count, width, initial } = problem;
  const { version, init, sampledBlocks, seed } = settings;
  const size = version === "v1" ? width * width : width;
  const [s, tracked] = [new Float64Array(count * width), new Float64Array(count * size)];
  let counts = noCounts();
  if (init === "full") {
    const estimate = firstEstimates(problem, version);
    const least = tensor(settings.strongConvexity, { dtype: "float64" });
    // In parts of I blocks, which all have one shape.
    for (const [part, numbers] of blockParts(count, sampledBlocks).entries()) {
      const blocks = asTensor(numbers, "int32");
      const { upper, lower } = problem.draw(random.rng(`${seed}/first/${part}`), blocks);
      const rows = takeRows(initial.y, numbers);
      const found = estimate(initial.x, rows, least, { blocks, data: upper }, { blocks, data: lower });
      const real = Math.min(sampledBlocks, count - part * sampledBlocks);
      s.set(found.s.data().subarray(0, real * width), part * sampledBlocks * width);
      tracked.set(found.tracked.data().subarray(0, real * size), part * sampledBlocks * size);
      counts = addCounts(counts, costOf(estimate.cost, version, width), real);
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

function takeRows(rows: Tensor, numbers: Int32Array): Tensor {
  const [width, values] = [rows.shape[1], rows.data()];
  const out = new Float64Array(numbers.length * width);
  for (const [k, block] of numbers.entries()) out.set(values.subarray(block * width, (block + 1) * width), k * width);
  return tensor(out, { dtype: rows.dtype }).reshape([numbers.length, width]);
}
