import {
  add,
  arange,
  less,
  maximum,
  mul,
  type PrimitiveParams,
  scatterAdd,
  segmentMax,
  take,
  where,
  zeros,
} from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import { composed } from "./composed.js";
import type { LoweringContext } from "./context.js";
import { refusingNegative } from "./counted-indices.js";
import { toType } from "./elementwise.js";
import { isForGpu, type Lowering, lowerings } from "./lowering.js";

/** Booleans are moved as int32: not every kernel has them. */
function movable(c: LoweringContext, x: Value): Value {
  return x.type === "bool" ? toType(c, x, "int32") : x;
}

function transpose(c: LoweringContext, x: Value, perm: readonly number[]): Value {
  if (perm.every((axis, i) => axis === i)) return x;
  return c.emit("Transpose", [x], { shape: perm.map((axis) => x.shape[axis]), type: x.type }, { perm });
}

/** Axis `axis` of a tensor of `rank` brought to the front, and the way back. */
function toFront(rank: number, axis: number): { there: number[]; back: number[] } {
  const there = [axis, ...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis)];
  const back: number[] = [];
  there.forEach((from, i) => {
    back[from] = i;
  });
  return { there, back };
}

/** Adds (or takes the largest of) slices along one axis. */
function scatterRows(reduction: "add" | "max"): Lowering<PrimitiveParams<"scatterAdd">> {
  const byElements = scatterRowsByElements(reduction);
  return (c, equation) => {
    const {
      inputs: [x, indices, updates],
      outputs: [y],
      params,
    } = equation;
    if (updates.shape.includes(0)) {
      c.define(y, c.value(x));
      return;
    }
    if (isForGpu(c)) {
      byElements(c, equation);
      return;
    }
    // ScatterND adds slices along the leading axis, so the axis goes to the front and back.
    const { axis } = params;
    const rank = x.shape.length;
    const indexRank = indices.shape.length;
    const { there, back } = toFront(rank, axis);
    const data = transpose(c, c.value(x), there);
    const update = c.value(updates);
    const indexAxes = Array.from({ length: indexRank }, (_, i) => axis + i);
    const others = update.shape.map((_, i) => i).filter((i) => !indexAxes.includes(i));
    const moved = transpose(c, update, [...indexAxes, ...others]);
    const at = refusingNegative(c, indices, x.shape[axis]);
    const places = c.reshape(toType(c, at, "int64"), [...indices.shape, 1]);
    const added = c.emit(
      "ScatterND",
      [data, places, moved],
      { shape: data.shape, type: data.type },
      { reduction: reduction },
    );
    c.define(y, transpose(c, added, back));
  };
}

/** The same with an index for every element, as GPUs have it. */
function scatterRowsByElements(reduction: "add" | "max"): Lowering<PrimitiveParams<"scatterAdd">> {
  return (c, { inputs: [x, indices, updates], outputs: [y], params: { axis } }) => {
    const count = indices.shape.reduce((a, b) => a * b, 1);
    const shape = x.shape.map((n, i) => (i === axis ? count : n));
    const column = c.reshape(
      c.value(indices),
      shape.map((n, i) => (i === axis ? n : 1)),
    );
    const places = c.emit("Expand", [column, c.graph.integers(shape)], { shape, type: "int32" });
    const operands = [c.value(x), places, c.reshape(c.value(updates), shape)];
    c.define(y, c.emit("ScatterElements", operands, { shape: y.shape, type: y.dtype }, { axis, reduction }));
  };
}

export const indexingLowerings = lowerings({
  take: (c, { inputs: [x, indices], outputs: [y], params }) => {
    const source = movable(c, c.value(x));
    const taken = c.emit(
      "Gather",
      [source, refusingNegative(c, indices, x.shape[params.axis])],
      { shape: y.shape, type: source.type },
      { axis: params.axis },
    );
    c.define(y, toType(c, taken, y.dtype));
  },

  takeAlongAxis: (c, { inputs: [x, indices], outputs: [y], params }) => {
    const source = movable(c, c.value(x));
    const taken = c.emit(
      "GatherElements",
      [source, refusingNegative(c, indices, x.shape[params.axis])],
      { shape: y.shape, type: source.type },
      { axis: params.axis },
    );
    c.define(y, toType(c, taken, y.dtype));
  },

  scatterAdd: scatterRows("add"),
  scatterMax: scatterRows("max"),

  scatterAddAlongAxis: (c, { inputs: [x, indices, updates], outputs: [y], params }) => {
    if (updates.shape.includes(0)) {
      c.define(y, c.value(x));
      return;
    }
    const added = c.emit(
      "ScatterElements",
      [c.value(x), refusingNegative(c, indices, x.shape[params.axis]), c.value(updates)],
      { shape: y.shape, type: y.dtype },
      { axis: params.axis, reduction: "add" },
    );
    c.define(y, added);
  },

  scatterProduct: composed(([values, x, into, from], { rows }) => [
    scatterAdd(zeros([rows, x.shape[1]], x.dtype), into, mul(values, take(x, from))),
  ]),

  // Of several updates for a row the last stands: the operator leaves that open.
  scatterSet: composed(([x, indices, updates], { axis }) => {
    const { there, back } = toFront(x.rank, axis);
    const front = x.transpose(there);
    const [rows, ...rest] = front.shape;
    const indexAxes = indices.shape.map((_, i) => axis + i);
    const others = updates.shape.map((_, i) => i).filter((i) => !indexAxes.includes(i));
    if (indices.size === 0) return [x];
    const parts = updates.transpose([...indexAxes, ...others]).reshape([indices.size, ...rest]);
    const fromEnd = indices.reshape([indices.size]);
    const fromStart = where(less(fromEnd, 0), add(fromEnd, rows), fromEnd);
    const last = segmentMax(arange(0, indices.size, 1, "int32"), fromStart, rows);
    const column = last.reshape([rows, ...rest.map(() => 1)]);
    return [where(less(column, 0), front, take(parts, maximum(last, 0))).transpose(back)];
  }),

  unwritten: composed(([like], { shape }) => [zeros(shape, like.dtype)]),

  topKIndices: (c, { inputs: [x], outputs: [y], params }) => {
    const source = movable(c, c.value(x));
    const k = c.graph.integers([params.k]);
    const attributes = { axis: params.axis, largest: params.largest ? 1 : 0, sorted: 1 };
    const [, places] = c.graph.nodeWithOutputs(
      "TopK",
      [source, k],
      [
        { shape: y.shape, type: source.type },
        { shape: y.shape, type: "int64" },
      ],
      attributes,
    );
    c.define(y, toType(c, places, "int32"));
  },
});
