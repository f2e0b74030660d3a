import type { Equation } from "../graph/builder.js";
import { sizeOf } from "../shape.js";
import { writeCond } from "./branch.js";
import { writeCall } from "./call-out.js";
import type { Compilation } from "./compilation.js";
import { conv, convInputGrad, convKernelGrad } from "./convolution.js";
import { take, takeAlongAxis, unwritten } from "./indexing.js";
import { lu, triangularSolve } from "./linear-systems.js";
import { writeScan, writeWhile } from "./loops.js";
import { broadcastTo, concatenate, pad, reshape, slice, transpose } from "./movement.js";
import { matmul } from "./product.js";
import { reduce } from "./reduction.js";
import { cumSum } from "./running-sums.js";
import { scatterAdd, scatterAddAlongAxis, scatterProduct, scatterSet } from "./scatter.js";
import { fft, irfft, rfft } from "./transform.js";
import { isElementwise, writeElements } from "./unrolled.js";

/** Writes one operation; false where this compiler has no code of its own for such operands. */
type Lowering = (c: Compilation, equation: Equation) => boolean;

const lowerings: Readonly<Record<string, Lowering>> = {
  reshape,
  transpose,
  broadcastTo,
  slice,
  pad,
  concatenate,
  matmul,
  conv,
  convInputGrad,
  convKernelGrad,
  take,
  takeAlongAxis,
  scatterAdd,
  scatterAddAlongAxis,
  scatterProduct,
  scatterSet,
  unwritten,
  cumSum,
  fft,
  rfft,
  irfft,
  lu,
  triangularSolve,
  cond: writeCond,
  scan: writeScan,
  whileLoop: writeWhile,
};

/** Writes one operation of the graph: as code of its own, or as a call of the host's kernel. */
export function lower(c: Compilation, equation: Equation): void {
  const { primitive, inputs, outputs } = equation;
  if (isElementwise(equation)) {
    const [y] = outputs;
    if ((sizeOf(y.shape) > c.small || c.crowded) && !inputs.every((v) => c.isUniform(v))) c.groups.addStep(equation);
    else {
      writeElements(c, equation);
      for (const v of inputs) c.release(v);
    }
    return;
  }
  if (reduce(c, equation)) return;
  if (primitive.name === "identity") c.define(outputs[0], c.share(c.find(inputs[0])));
  else if (!lowerings[primitive.name]?.(c, equation)) writeCall(c, equation);
  for (const v of inputs) c.release(v);
}
