import { full, type Shape } from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import type { LoweringContext } from "./context.js";
import { toType } from "./elementwise.js";
import { isForGpu, lowerings } from "./lowering.js";

/** ONNX's way to say "before the first element" for slices that run backwards. */
const BEFORE_FIRST = Number.MIN_SAFE_INTEGER;

export function slice(
  c: LoweringContext,
  x: Value,
  starts: readonly number[],
  counts: readonly number[],
  steps: readonly number[],
): Value {
  // Of one element there is no order; GPUs would begin elsewhere.
  const strides = steps.map((step, axis) => (counts[axis] === 1 ? 1 : step));
  const ends = starts.map((start, axis) => {
    const end = start + counts[axis] * strides[axis];
    return end < 0 ? BEFORE_FIRST : end;
  });
  const g = c.graph;
  const axes = g.integers(starts.map((_, axis) => axis));
  return c.emit("Slice", [x, g.integers(starts), g.integers(ends), axes, g.integers(strides)], {
    shape: counts,
    type: x.type,
  });
}

function takeBackward(
  c: LoweringContext,
  x: Value,
  starts: readonly number[],
  counts: readonly number[],
  steps: readonly number[],
  backward: readonly boolean[],
): Value {
  // Booleans are moved as int32: not every kernel has them.
  let out = toType(c, x, x.type === "bool" ? "int32" : x.type);
  backward.forEach((turned, axis) => {
    if (!turned) return;
    const places = Int32Array.from({ length: counts[axis] }, (_, i) => starts[axis] + i * steps[axis]);
    const shape = out.shape.map((n, a) => (a === axis ? counts[axis] : n));
    const indices = c.graph.constant("int32", [places.length], places);
    out = c.emit("Gather", [out, indices], { shape, type: out.type }, { axis });
  });
  return toType(c, out, x.type);
}

function sliceAny(
  c: LoweringContext,
  x: Value,
  starts: readonly number[],
  counts: readonly number[],
  steps: readonly number[],
): Value {
  const backward = steps.map((step, axis) => step < 0 && counts[axis] > 1);
  if (isForGpu(c) && backward.includes(true)) {
    // GPUs begin elsewhere when they go backward from the middle: these axes are taken by their places.
    const whole = <T>(kept: readonly T[], all: (axis: number) => T) => kept.map((v, k) => (backward[k] ? all(k) : v));
    const forward = sliceAny(
      c,
      x,
      whole(starts, () => 0),
      whole(counts, (k) => x.shape[k]),
      whole(steps, () => 1),
    );
    return takeBackward(c, forward, starts, counts, steps, backward);
  }
  if (counts.includes(0))
    return slice(
      c,
      x,
      starts.map(() => 0),
      counts,
      steps.map(() => 1),
    );
  return slice(c, x, starts, counts, steps);
}

/** Puts `interior[axis]` copies of `value` between the elements along each axis. */
function dilate(c: LoweringContext, x: Value, interior: readonly number[], value: Value): Value {
  let out = x;
  interior.forEach((between, axis) => {
    const n = out.shape[axis];
    if (between === 0 || n <= 1) return;
    const head = out.shape.slice(0, axis + 1);
    const tail = out.shape.slice(axis + 1);
    const column = c.reshape(out, [...head, 1, ...tail]);
    const wide = pad(
      c,
      column,
      column.shape.map(() => 0),
      column.shape.map((_, a) => (a === axis + 1 ? between : 0)),
      value,
    );
    const joined = c.reshape(wide, [...out.shape.slice(0, axis), n * (between + 1), ...tail]);
    const counts = joined.shape.map((extent, a) => (a === axis ? extent - between : extent));
    out = slice(
      c,
      joined,
      counts.map(() => 0),
      counts,
      counts.map(() => 1),
    );
  });
  return out;
}

export function pad(
  c: LoweringContext,
  x: Value,
  low: readonly number[],
  high: readonly number[],
  value: Value,
): Value {
  if (low.every((n) => n === 0) && high.every((n) => n === 0)) return x;
  const shape = x.shape.map((n, axis) => n + low[axis] + high[axis]);
  return c.emit("Pad", [x, c.graph.integers([...low, ...high]), value], { shape, type: x.type });
}

/** Cuts first, so that padding never has to remove. */
function padOrCut(c: LoweringContext, x: Value, low: readonly number[], high: readonly number[], value: Value): Value {
  const cutsLow = low.map((n) => Math.max(0, -n));
  const counts = x.shape.map((n, axis) => Math.max(0, n - cutsLow[axis] - Math.max(0, -high[axis])));
  const cut = counts.every((n, axis) => n === x.shape[axis])
    ? x
    : sliceAny(
        c,
        x,
        cutsLow,
        counts,
        counts.map(() => 1),
      );
  const shape: Shape = x.shape.map((n, axis) => n + low[axis] + high[axis]);
  return pad(
    c,
    cut,
    low.map((n) => Math.max(0, n)),
    shape.map((n, axis) => n - counts[axis] - Math.max(0, low[axis])),
    value,
  );
}

export const movementLowerings = lowerings({
  reshape: (c, { inputs: [x], outputs: [y] }) => c.defineReshaped(y, x),
  transpose: (c, { inputs: [x], outputs: [y], params }) => c.defineTransposed(y, x, params.permutation),
  broadcastTo: (c, { inputs: [x], outputs: [y] }) => c.defineBroadcast(y, x),
  slice: (c, { inputs: [x], outputs: [y], params }) => {
    c.define(y, sliceAny(c, c.value(x), params.starts, params.counts, params.steps));
  },
  pad: (c, { inputs: [x], outputs: [y], params }) => {
    if (x.shape.includes(0)) {
      c.defineConstant(y, full(y.shape, params.value, y.dtype));
      return;
    }
    const source = c.value(x);
    // Booleans are padded as bytes: not every device pads them.
    const bytes = x.dtype === "bool" ? toType(c, source, "int32") : source;
    const value = c.scalar(bytes.type, params.value);
    const padded = padOrCut(c, dilate(c, bytes, params.interior, value), params.low, params.high, value);
    c.define(y, toType(c, padded, y.dtype));
  },
  concatenate: (c, { inputs, outputs: [y], params }) => {
    const parts = inputs.filter((v) => !v.shape.includes(0)).map((v) => c.value(v));
    const joined = () => c.emit("Concat", parts, { shape: y.shape, type: y.dtype }, { axis: params.axis });
    c.define(y, parts.length === 1 ? parts[0] : joined());
  },
});
