import {
  arange,
  cast,
  concatenate,
  type DType,
  type ElementType,
  equal,
  exp,
  full,
  log,
  max,
  min,
  minimum,
  mul,
  type PrimitiveParams,
  reshape,
  type Shape,
  slice,
  sub,
  sum,
  where,
} from "@offprint/tensor-core";
import { cumSumInBlocks, inBlocks, sumInBlocks } from "./blocked-sums.js";
import { composed } from "./composed.js";
import { type LoweringContext, sameShape } from "./context.js";
import { toType } from "./elementwise.js";
import { byDevice, isForGpu, type Lowering, lowerings } from "./lowering.js";

/** @param ofNothing what the reduction of no element is. */
function reduction(operator: string, ofNothing: Partial<Record<DType, number>>): Lowering<PrimitiveParams<"sum">> {
  return (c, { inputs: [x], outputs: [y], params }) => {
    if (params.axes.length === 0) {
      // ONNX would reduce all axes.
      c.define(y, c.value(x));
      return;
    }
    if (x.shape.includes(0)) {
      c.defineConstant(y, full(y.shape, ofNothing[y.dtype] as number, y.dtype));
      return;
    }
    const kept = x.shape.map((n, axis) => (params.axes.includes(axis) ? 1 : n));
    const source = toType(c, c.value(x), reducedAs(c, operator, x.dtype));
    const reduce = (shape: Shape, keepdims: 0 | 1) => {
      const reduced = c.emit(
        operator,
        [source, c.graph.integers(params.axes)],
        { shape, type: source.type },
        { keepdims },
      );
      return toType(c, reduced, y.dtype);
    };
    // Where the result is only reshaped to have its axes back, they are kept.
    const consumer = c.soleConsumer(y);
    const restored = consumer?.primitive.name === "reshape" && sameShape(consumer.outputs[0].shape, kept);
    if (restored) c.defineReshapeOf(y, reduce(kept, 1));
    else c.define(y, reduce(y.shape, 0));
  };
}

const plainSum = reduction("ReduceSum", { float32: 0, float64: 0, int32: 0 });

/** Sums of floats on the CPU wait for what comes of them; the engine makes one operation of means and what follows them. */
const sumOrMean: Lowering<PrimitiveParams<"sum">> = (c, equation) => {
  const { inputs, outputs, params } = equation;
  const [x] = inputs;
  const float = x.dtype === "float32" || x.dtype === "float64";
  if (isForGpu(c) || !float || params.axes.length === 0 || x.shape.includes(0)) plainSum(c, equation);
  else c.defineSum(outputs[0], { source: c.value(x), axes: params.axes, keeps: false });
};

/** Booleans are reduced as integers: not every device has them. The CPU's sums of int32 saturate, and int64 has room. */
function reducedAs(c: LoweringContext, operator: string, dtype: DType): ElementType {
  if (dtype === "bool") return "int32";
  return dtype === "int32" && operator === "ReduceSum" && !isForGpu(c) ? "int64" : dtype;
}

/** Products of int32 modulo 2^32, as elementwise products are; the engine's reduction saturates. */
const productByHalves = composed<PrimitiveParams<"prod">>(([x], { axes }) => {
  let product = x;
  for (const axis of axes) {
    while (product.shape[axis] > 1) {
      const half = product.shape[axis] >> 1;
      const part = (start: number, stop: number) =>
        slice(
          product,
          product.shape.map((_, i) => (i === axis ? { start, stop } : null)),
        );
      const pairs = mul(part(0, half), part(half, 2 * half));
      product = product.shape[axis] % 2 === 0 ? pairs : concatenate([pairs, part(2 * half, 2 * half + 1)], axis);
    }
  }
  return [
    reshape(
      product,
      x.shape.filter((_, axis) => !axes.includes(axis)),
    ),
  ];
});

function argExtreme(operator: string): Lowering<PrimitiveParams<"argMax">> {
  return (c, { inputs: [x], outputs: [y], params }) => {
    const source = x.dtype === "bool" ? toType(c, c.value(x), "int32") : c.value(x);
    const index = c.emit(operator, [source], { shape: y.shape, type: "int64" }, { axis: params.axis, keepdims: 0 });
    c.define(y, toType(c, index, "int32"));
  };
}

/** The first place where the extreme is: GPUs have no 64-bit indices. */
function argExtremeByComparison(extreme: typeof max): Lowering<PrimitiveParams<"argMax">> {
  return composed(([x], { axis }) => {
    const values = x.dtype === "bool" ? cast(x, "int32") : x;
    const n = values.shape[axis];
    const places = reshape(
      arange(0, n, 1, "int32"),
      values.shape.map((_, i) => (i === axis ? n : 1)),
    );
    const hit = equal(values, extreme(values, { axis, keepDims: true }));
    // NaN equals nothing; the last place stands for it.
    return [minimum(min(where(hit, places, n), { axis }), n - 1)];
  });
}

export const reductionLowerings = lowerings({
  sum: inBlocks(sumInBlocks, sumOrMean),
  prod: (c, equation) => {
    const wraps = equation.inputs[0].dtype === "int32" && !equation.inputs[0].shape.includes(0);
    (wraps ? productByHalves : reduction("ReduceProd", { float32: 1, float64: 1, int32: 1 }))(c, equation);
  },
  max: reduction("ReduceMax", { float32: -Infinity, float64: -Infinity, int32: -2147483648, bool: 0 }),
  min: reduction("ReduceMin", { float32: Infinity, float64: Infinity, int32: 2147483647, bool: 1 }),
  argMax: byDevice(argExtreme("ArgMax"), argExtremeByComparison(max)),
  argMin: byDevice(argExtreme("ArgMin"), argExtremeByComparison(min)),
  softmax: (c, { inputs: [x], outputs: [y], params }) => {
    c.define(y, c.emit("Softmax", [c.value(x)], { shape: y.shape, type: y.dtype }, { axis: params.axis }));
  },
  logSoftmax: byDevice(
    (c, { inputs: [x], outputs: [y], params }) => {
      c.define(y, c.emit("LogSoftmax", [c.value(x)], { shape: y.shape, type: y.dtype }, { axis: params.axis }));
    },
    composed(([x], { axis }) => {
      const centred = sub(x, max(x, { axis, keepDims: true }));
      return [sub(centred, log(sum(exp(centred), { axis, keepDims: true })))];
    }),
  ),
  cumSum: inBlocks(cumSumInBlocks, (c, { inputs: [x], outputs: [y], params }) => {
    c.define(y, c.emit("CumSum", [c.value(x), c.graph.integer(params.axis)], { shape: y.shape, type: y.dtype }));
  }),
});
