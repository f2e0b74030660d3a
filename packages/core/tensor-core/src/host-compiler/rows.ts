import { byteSize, type DType } from "../dtype.js";
import type { Equation, Variable } from "../graph/builder.js";
import type { IndexingParams } from "../primitives/indices.js";
import { sizeOf } from "../shape.js";
import { isContiguous } from "../tensor.js";
import { callHost } from "./call-out.js";
import type { Compilation } from "./compilation.js";
import { copyInto } from "./groups.js";
import type { View } from "./values.js";

/** Longer runs of bytes are copied by the engine. */
const INLINE_BYTES = 64;

/** Operands row-major in memory, and what to free when they are used. */
interface Operands {
  readonly views: readonly View[];
  free(): void;
}

/** @param from the first operand that must be row-major; those before it are given as they lie. */
export function rowMajor(c: Compilation, variables: readonly Variable[], from = 0): Operands {
  const temporaries: View[] = [];
  const views = variables.map((v, i) => {
    const value = c.find(v);
    const view = c.view(value);
    if (i < from || isContiguous(v.shape, view.strides)) return view;
    const copy = c.allocateFor(v.shape, v.dtype);
    copyInto(c, value, copy, true);
    temporaries.push(copy);
    return copy;
  });
  return { views, free: () => temporaries.forEach((view) => c.arena.release(view.buffer)) };
}

/** The address of a view's first element, in a local. */
export function pointer(c: Compilation, view: View, dtype: DType): number {
  c.pushAddress(view, dtype);
  return c.writer.keep("i32");
}

/** The extents before, along and after an axis. */
export function around(v: Variable, axis: number): { outer: number; extent: number; inner: number } {
  return { outer: sizeOf(v.shape.slice(0, axis)), extent: v.shape[axis], inner: sizeOf(v.shape.slice(axis + 1)) };
}

/**
 * Leaves the distance of the row that the index at a pointer names. An index out of range calls the host's kernel, which
 * throws the error that says so.
 */
export function pushRow(c: Compilation, at: number, extent: number, rowBytes: number, fail: () => void): void {
  const { writer: w } = c;
  w.get(at);
  w.access("i32.load");
  const index = w.keep("i32");
  w.get(index);
  w.i32(extent);
  w.op("i32.ge_u");
  w.if(() => {
    fail();
    w.op("unreachable");
  });
  w.get(index);
  w.i32(rowBytes);
  w.op("i32.mul");
}

/** Copies bytes from one pointer to another. */
export function copyBytes(c: Compilation, to: number, from: number, bytes: number): void {
  const { writer: w } = c;
  if (bytes > INLINE_BYTES) {
    w.get(to);
    w.get(from);
    w.i32(bytes);
    w.memoryCopy();
    return;
  }
  const moves: readonly [number, string, string][] = [
    [16, "v128.load", "v128.store"],
    [8, "f64.load", "f64.store"],
    [4, "i32.load", "i32.store"],
    [1, "i32.load8_u", "i32.store8"],
  ];
  let at = 0;
  for (const [size, load, store] of moves) {
    for (; at + size <= bytes; at += size) {
      w.get(to);
      w.get(from);
      w.access(load, at);
      w.access(store, at);
    }
  }
}

/** Whether one of them has no elements. */
export function isEmpty(variables: readonly Variable[]): boolean {
  return variables.some((v) => sizeOf(v.shape) === 0);
}

/** Walks over indices that are as many as the elements they move, but for one axis of the tensor they point into. */
export function alongAxis(
  c: Compilation,
  equation: Equation,
  views: readonly View[],
  elements: View,
  others: View,
  move: (element: number, other: number) => void,
): void {
  const { inputs } = equation;
  const { axis } = equation.params as IndexingParams;
  const [x, indices] = inputs;
  const { writer: w } = c;
  const { outer, extent, inner } = around(x, axis);
  const size = byteSize(x.dtype);
  const base = pointer(c, elements, x.dtype);
  const at = pointer(c, views[1], "int32");
  const other = pointer(c, others, x.dtype);
  w.repeat(outer, () => {
    w.repeat(indices.shape[axis], () => {
      w.get(base);
      const column = w.keep("i32");
      w.repeat(inner, () => {
        w.get(column);
        pushRow(c, at, extent, inner * size, () => callHost(c, equation, views, [elements]));
        w.op("i32.add");
        move(w.keep("i32"), other);
        w.advance(column, size);
        w.advance(other, size);
        w.advance(at, 4);
      });
    });
    w.advance(base, extent * inner * size);
  });
}
