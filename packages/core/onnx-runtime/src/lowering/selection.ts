import type { Equation, Variable } from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import { type LoweringContext, sameShape } from "./context.js";
import { isForGpu } from "./lowering.js";
import { toType } from "./to-type.js";

/** Fewer elements are selected as fast as they are looked at beforehand. */
const MANY = 4096;

/** Sums begin with 0, so that the sign of a 0 among their terms is lost. */
const SUMS = new Set(["sum", "matmul", "conv", "convInputGrad", "convKernelGrad"]);
/** Operations that at most hand the sign of a 0 on. */
const HANDS_ON = new Set(["add", "sub", "mul", "transpose", "reshape", "broadcastTo", "identity"]);

/** Whether something could tell -0 from 0 in the place of a variable. */
function signOfZeroMatters(c: LoweringContext, v: Variable, seen = new Set<Variable>()): boolean {
  if (seen.has(v)) return false;
  seen.add(v);
  return c.consumersOf(v).some((consumer) => {
    if (consumer === null) return true;
    const { name } = consumer.primitive;
    if (SUMS.has(name)) return false;
    return !HANDS_ON.has(name) || consumer.outputs.some((output) => signOfZeroMatters(c, output, seen));
  });
}

/**
 * `where(condition, x, 0)` or `where(condition, 0, x)` of many numbers, as the gradient of relu has it. ONNX Runtime's
 * `Where` on a CPU branches at every element: 65,536 of which every other one is taken took 790 us, the product with the
 * condition 71 us with the test before it. That test finds infinities and NaN, of which the product would not be 0.
 * @returns undefined where that is not what is wanted, or of no use.
 */
export function maskedByProduct(c: LoweringContext, equation: Equation, operands: Value[]): Value | undefined {
  const [condition, a, b] = operands;
  const [, onTrue, onFalse] = equation.inputs.map((v) => c.constantOf(v));
  const x = Object.is(onFalse, 0) ? a : Object.is(onTrue, 0) ? b : undefined;
  if (x === undefined || isForGpu(c) || c.target.portable) return undefined;
  const [y] = equation.outputs;
  const whole = sameShape(x.shape, y.shape) && y.shape.reduce((count, n) => count * n, 1) >= MANY;
  const isFloat = x.type === "float32" || x.type === "float64";
  if (!whole || !isFloat || signOfZeroMatters(c, y)) return undefined;
  const zero = c.scalar(x.type, 0);
  const axes = c.graph.integers(x.shape.map((_, axis) => axis));
  const scalar = { shape: [], type: x.type };
  const test = c.emit("ReduceSum", [c.map("Mul", [x, zero]), axes], scalar, { keepdims: 0 });
  const branch = (lower: (inner: LoweringContext) => Value) => {
    const inner = c.nested();
    inner.graph.outputs.push(lower(inner));
    return inner.graph;
  };
  const [selected] = c.graph.nodeWithOutputs(
    "If",
    [c.map("Equal", [test, zero], "bool")],
    [{ shape: y.shape, type: y.dtype }],
    {
      then_branch: branch((inner) => {
        const kept = x === a ? condition : inner.map("Not", [condition]);
        return inner.map("Mul", [x, toType(inner, kept, x.type)]);
      }),
      else_branch: branch((inner) => inner.map("Where", [condition, a, b], x.type)),
    },
  );
  return selected;
}
