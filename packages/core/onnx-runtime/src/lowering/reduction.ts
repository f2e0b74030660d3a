import type { Equation } from "@offprint/tensor-core";
import type { LoweringContext } from "./context.js";
import { toType } from "./elementwise.js";
import type { Lowering } from "./lowering.js";

function reduction(operator: string): Lowering {
  return (c, { inputs: [x], outputs: [y], params }) => {
    // Booleans are reduced as integers: not every device has them.
    const source = x.dtype === "bool" ? toType(c, c.value(x), "int32") : c.value(x);
    const reduced = c.emit(
      operator,
      [source, c.graph.integers(params.axes)],
      { shape: y.shape, type: source.type },
      { keepdims: 0 },
    );
    c.define(y, toType(c, reduced, y.dtype));
  };
}

function argExtreme(operator: string): Lowering {
  return (c: LoweringContext, { inputs: [x], outputs: [y], params }: Equation) => {
    const source = x.dtype === "bool" ? toType(c, c.value(x), "int32") : c.value(x);
    const index = c.emit(operator, [source], { shape: y.shape, type: "int64" }, { axis: params.axis, keepdims: 0 });
    c.define(y, toType(c, index, "int32"));
  };
}

export const reductionLowerings = {
  sum: reduction("ReduceSum"),
  prod: reduction("ReduceProd"),
  max: reduction("ReduceMax"),
  min: reduction("ReduceMin"),
  argMax: argExtreme("ArgMax"),
  argMin: argExtreme("ArgMin"),
  cumSum: ((c, { inputs: [x], outputs: [y], params }) => {
    c.define(y, c.emit("CumSum", [c.value(x), c.graph.integer(params.axis)], { shape: y.shape, type: y.dtype }));
  }) as Lowering,
};
