import { byteSize, type DType } from "../dtype.js";
import type { Equation, Variable } from "../graph/builder.js";
import type { IndexingParams } from "../primitives/indices.js";
import { rowMajorStrides, sizeOf } from "../shape.js";
import { callHost } from "./call-out.js";
import type { Compilation } from "./compilation.js";
import { copyInto } from "./groups.js";
import { alongAxis, around, copyBytes, isEmpty, pointer, pushRow, rowMajor } from "./rows.js";
import { elementTypes, Value, type View } from "./values.js";

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
