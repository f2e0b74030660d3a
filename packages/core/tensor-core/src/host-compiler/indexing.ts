import { byteSize, type DType } from "../dtype.js";
import type { Equation, Variable } from "../graph/builder.js";
import type { IndexingParams } from "../primitives/indexing.js";
import { rowMajorStrides, sizeOf } from "../shape.js";
import { isContiguous } from "../tensor.js";
import { callHost } from "./call-out.js";
import type { Compilation } from "./compilation.js";
import { copyInto } from "./groups.js";
import { elementTypes, Value, type View } from "./values.js";

/** Longer runs of bytes are copied by the engine. */
const INLINE_BYTES = 64;

/** Operands row-major in memory, and what to free when they are used. */
export interface Operands {
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

function pointer(c: Compilation, view: View, dtype: DType): number {
  c.pushAddress(view, dtype);
  return c.writer.keep("i32");
}

/** The extents before, along and after an axis. */
function around(v: Variable, axis: number): { outer: number; extent: number; inner: number } {
  return { outer: sizeOf(v.shape.slice(0, axis)), extent: v.shape[axis], inner: sizeOf(v.shape.slice(axis + 1)) };
}

/**
 * Leaves the distance of the row that the index at a pointer names. An index out of range calls the host's kernel, which
 * throws the error that says so.
 */
function pushRow(c: Compilation, at: number, extent: number, rowBytes: number, fail: () => void): void {
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

function copyBytes(c: Compilation, to: number, from: number, bytes: number): void {
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

function isEmpty(variables: readonly Variable[]): boolean {
  return variables.some((v) => sizeOf(v.shape) === 0);
}

/** Rows of x in the order of the indices. */
export function take(c: Compilation, equation: Equation): boolean {
  const { inputs, outputs } = equation;
  const { axis } = equation.params as IndexingParams;
  const [x, indices] = inputs;
  if (isEmpty([...inputs, ...outputs])) return false;
  const { writer: w } = c;
  const { views, free } = rowMajor(c, inputs);
  const to = c.allocate(outputs[0]);
  const { outer, extent, inner } = around(x, axis);
  const rowBytes = inner * byteSize(x.dtype);
  c.note("take", [to]);
  const [from, start, target] = [pointer(c, views[0], x.dtype), pointer(c, views[1], "int32"), pointer(c, to, x.dtype)];
  w.repeat(outer, () => {
    w.get(start);
    const at = w.keep("i32");
    w.repeat(sizeOf(indices.shape), () => {
      w.get(from);
      pushRow(c, at, extent, rowBytes, () => callHost(c, equation, views, [to]));
      w.op("i32.add");
      copyBytes(c, target, w.keep("i32"), rowBytes);
      w.advance(target, rowBytes);
      w.advance(at, 4);
    });
    w.advance(from, extent * rowBytes);
  });
  free();
  c.define(outputs[0], new Value(outputs[0].shape, x.dtype, { view: to }));
  return true;
}

/** x with rows of updates added where the indices say. */
export function scatterAdd(c: Compilation, equation: Equation): boolean {
  const { x, rowBytes } = rowsOf(equation);
  const size = byteSize(x.dtype);
  return scatterRows(c, equation, (row, from) => {
    c.writer.repeat(rowBytes / size, () => {
      addElement(c, x.dtype, row, from);
      if (rowBytes > size) c.writer.advance(row, size);
      c.writer.advance(from, size);
    });
  });
}

/** x with rows replaced where the indices say. */
export function scatterSet(c: Compilation, equation: Equation): boolean {
  const { rowBytes } = rowsOf(equation);
  return scatterRows(c, equation, (row, from) => {
    copyBytes(c, row, from, rowBytes);
    c.writer.advance(from, rowBytes);
  });
}

function rowsOf({ inputs: [x], params }: Equation) {
  const extents = around(x, (params as IndexingParams).axis);
  return { x, ...extents, rowBytes: extents.inner * byteSize(x.dtype) };
}

/** @param write - puts a row of updates into one of x, and moves the pointer to the updates past it. */
function scatterRows(c: Compilation, equation: Equation, write: (row: number, from: number) => void): boolean {
  const { inputs, outputs } = equation;
  const [, indices, updates] = inputs;
  if (isEmpty([...inputs, ...outputs])) return false;
  const { writer: w } = c;
  const { x, outer, extent, rowBytes } = rowsOf(equation);
  const { views, free } = rowMajor(c, inputs, 1);
  const to = copyOfBase(c, x, outputs[0]);
  c.note(equation.primitive.name, [to]);
  const [target, start, from] = [
    pointer(c, to, x.dtype),
    pointer(c, views[1], "int32"),
    pointer(c, views[2], updates.dtype),
  ];
  w.repeat(outer, () => {
    w.get(start);
    const at = w.keep("i32");
    w.repeat(sizeOf(indices.shape), () => {
      w.get(target);
      pushRow(c, at, extent, rowBytes, () => callHost(c, equation, views, [to]));
      w.op("i32.add");
      write(w.keep("i32"), from);
      w.advance(at, 4);
    });
    w.advance(target, extent * rowBytes);
  });
  free();
  c.define(outputs[0], new Value(outputs[0].shape, x.dtype, { view: to }));
  return true;
}

/** Memory that is written later. */
export function unwritten(c: Compilation, { outputs: [y] }: Equation): boolean {
  const small = sizeOf(y.shape) <= c.small;
  c.define(y, new Value(y.shape, y.dtype, small ? { uniform: c.known(y.dtype, 0) } : { view: c.allocate(y) }));
  return true;
}

/** Where x lies, if nothing else needs it any more, else a copy: what is added is added there. */
function copyOfBase(c: Compilation, x: Variable, y: Variable): View {
  const value = c.find(x);
  const own = c.ownPlace(x);
  if (own !== undefined) {
    own.buffer.references++;
    return own;
  }
  const to = c.allocate(y);
  copyInto(c, value, { ...to, strides: rowMajorStrides(x.shape) }, true);
  return to;
}

/** Adds the element at one pointer to the one at another. */
function addElement(c: Compilation, dtype: DType, to: number, from: number): void {
  const { writer: w } = c;
  const type = elementTypes[dtype];
  w.get(to);
  w.get(to);
  w.access(`${type}.load`);
  w.get(from);
  w.access(`${type}.load`);
  w.op(`${type}.add`);
  w.access(`${type}.store`);
}

/** Sums of products of rows at the places that indices name. */
export function scatterProduct(c: Compilation, equation: Equation): boolean {
  const { inputs, outputs } = equation;
  const [values, x, into] = inputs;
  const [y] = outputs;
  if (isEmpty([...inputs, y])) return false;
  const { writer: w } = c;
  const { views, free } = rowMajor(c, inputs);
  const to = c.allocate(y);
  c.note("scatterProduct", [to]);
  const rowBytes = x.shape[1] * byteSize(x.dtype);
  const [value, source, row, column, target] = [
    pointer(c, views[0], x.dtype),
    pointer(c, views[1], x.dtype),
    pointer(c, views[2], "int32"),
    pointer(c, views[3], "int32"),
    pointer(c, to, x.dtype),
  ];
  w.get(target);
  w.i32(0);
  w.i32(y.shape[0] * rowBytes);
  w.memoryFill();
  const rowAt = (index: number, start: number, extent: number): number => {
    w.get(start);
    pushRow(c, index, extent, rowBytes, () => callHost(c, equation, views, [to]));
    w.op("i32.add");
    return w.keep("i32");
  };
  w.repeat(into.shape[0], () => {
    const sum = rowAt(row, target, y.shape[0]);
    const factor = rowAt(column, source, x.shape[0]);
    addProductOfRows(c, x.dtype, values.shape[1], sum, value, factor);
    w.advance(row, 4);
    w.advance(column, 4);
  });
  free();
  c.define(y, new Value(y.shape, x.dtype, { view: to }));
  return true;
}

/** Rows of more vectors than this are walked through by a loop. */
const UNROLLED_VECTORS = 16;

/** `sum += value * factor` over a row; moves the pointer to the value past it. */
function addProductOfRows(
  c: Compilation,
  dtype: DType,
  width: number,
  sum: number,
  value: number,
  factor: number,
): void {
  const { writer: w } = c;
  const size = byteSize(dtype);
  const lanes = 16 / size;
  const vectors = Math.floor(width / lanes);
  const term = (load: string, store: string, type: string, at: number) => {
    w.get(sum);
    w.get(sum);
    w.access(load, at);
    w.get(value);
    w.access(load, at);
    w.get(factor);
    w.access(load, at);
    w.op(`${type}.mul`, `${type}.add`);
    w.access(store, at);
  };
  const vector = (at: number) => term("v128.load", "v128.store", lanes === 2 ? "f64x2" : "f32x4", at);
  const walks = vectors > UNROLLED_VECTORS;
  if (walks) {
    w.repeat(vectors, () => {
      vector(0);
      for (const pointer of [sum, value, factor]) w.advance(pointer, 16);
    });
  } else for (let k = 0; k < vectors; k++) vector(16 * k);
  const done = walks ? 0 : vectors * 16;
  const type = elementTypes[dtype];
  const rest = width - vectors * lanes;
  for (let k = 0; k < rest; k++) term(`${type}.load`, `${type}.store`, type, done + k * size);
  w.advance(value, done + rest * size);
}

/** Walks over indices that are as many as the elements they move, but for one axis of the tensor they point into. */
function alongAxis(
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

/** One element of x for each index. */
export function takeAlongAxis(c: Compilation, equation: Equation): boolean {
  const { inputs, outputs } = equation;
  const [x] = inputs;
  const [y] = outputs;
  if (isEmpty([...inputs, ...outputs])) return false;
  const { views, free } = rowMajor(c, inputs);
  const to = c.allocate(y);
  c.note("takeAlongAxis", [to]);
  alongAxis(c, equation, views, views[0], to, (element, other) => copyBytes(c, other, element, byteSize(x.dtype)));
  free();
  c.define(y, new Value(y.shape, y.dtype, { view: to }));
  return true;
}

/** x with one update added for each index. */
export function scatterAddAlongAxis(c: Compilation, equation: Equation): boolean {
  const { inputs, outputs } = equation;
  const [x] = inputs;
  const [y] = outputs;
  if (isEmpty([...inputs, ...outputs])) return false;
  const { views, free } = rowMajor(c, inputs, 1);
  const to = copyOfBase(c, x, y);
  c.note("scatterAddAlongAxis", [to]);
  alongAxis(c, equation, views, to, views[2], (element, other) => addElement(c, x.dtype, element, other));
  free();
  c.define(y, new Value(y.shape, y.dtype, { view: to }));
  return true;
}

/** Running sums along an axis, carried in float64. */
export function cumSum(c: Compilation, { inputs, outputs, params }: Equation): boolean {
  const { axis } = params as { axis: number };
  const [x] = inputs;
  const [y] = outputs;
  if (isEmpty([x]) || x.dtype === "bool") return false;
  const { writer: w } = c;
  const { views, free } = rowMajor(c, inputs);
  const to = c.allocate(y);
  const { outer, extent, inner } = around(x, axis);
  const size = byteSize(x.dtype);
  const type = elementTypes[x.dtype];
  const running = type === "f32" ? "f64" : type;
  c.note("cumSum", [to]);
  const [source, target] = [pointer(c, views[0], x.dtype), pointer(c, to, x.dtype)];
  w.repeat(outer, () => {
    w.repeat(inner, () => {
      w.constant(running, 0);
      const total = w.keep(running);
      w.get(source);
      const from = w.keep("i32");
      w.get(target);
      const into = w.keep("i32");
      w.repeat(extent, () => {
        w.get(into);
        w.get(total);
        w.get(from);
        w.access(`${type}.load`);
        if (type === "f32") w.op("f64.promote_f32");
        w.op(`${running}.add`);
        w.tee(total);
        if (type === "f32") w.op("f32.demote_f64");
        w.access(`${type}.store`);
        w.advance(from, inner * size);
        w.advance(into, inner * size);
      });
      w.advance(source, size);
      w.advance(target, size);
    });
    w.advance(source, (extent - 1) * inner * size);
    w.advance(target, (extent - 1) * inner * size);
  });
  free();
  c.define(y, new Value(y.shape, y.dtype, { view: to }));
  return true;
}
