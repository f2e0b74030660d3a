import type { Equation, Variable } from "../graph/builder.js";
import type { PadParams, SliceParams } from "../primitives/movement.js";
import { rowMajorStrides, type Shape, sizeOf } from "../shape.js";
import type { Compilation } from "./compilation.js";
import { copyInto } from "./groups.js";
import { reshapedStrides } from "./reshaped-strides.js";
import { type Element, offsets, Value, type View } from "./values.js";

/** The value of `y` in the same memory as that of `x`. */
function alias(c: Compilation, y: Variable, x: Value, view: View): void {
  view.buffer.references++;
  c.define(y, new Value(y.shape, x.dtype, { view }));
}

/** Gives `y` elements of `x` in a new order. */
function rename(c: Compilation, y: Variable, elements: readonly Element[]): void {
  c.define(y, new Value(y.shape, y.dtype, { elements }));
}

/** The elements of a small value that has them in locals. */
function elementsOf(x: Value): readonly Element[] | undefined {
  return x.elements;
}

export function reshape(c: Compilation, { inputs: [x], outputs: [y] }: Equation): boolean {
  const value = c.find(x);
  const elements = elementsOf(value);
  if (value.uniform !== undefined) c.define(y, new Value(y.shape, y.dtype, { uniform: value.uniform }));
  else if (elements !== undefined) rename(c, y, elements);
  else {
    const view = c.view(value);
    const strides = reshapedStrides(x.shape, view.strides, y.shape);
    if (strides !== undefined) alias(c, y, value, { ...view, strides });
    else {
      const to = c.allocate(y);
      copyInto(c, value, { ...to, strides: rowMajorStrides(x.shape) }, true);
      c.define(y, new Value(y.shape, y.dtype, { view: to }));
    }
  }
  return true;
}

export function transpose(c: Compilation, { inputs: [x], outputs: [y], params }: Equation): boolean {
  const { permutation } = params as { permutation: readonly number[] };
  restride(c, x, y, 0, (strides) => permutation.map((axis) => strides[axis]));
  return true;
}

export function slice(c: Compilation, { inputs: [x], outputs: [y], params }: Equation): boolean {
  const { starts, steps } = params as SliceParams;
  const first = (strides: readonly number[]) => starts.reduce((sum, start, axis) => sum + start * strides[axis], 0);
  restride(c, x, y, first, (strides) => strides.map((s, axis) => s * steps[axis]));
  return true;
}

/** Defines `y` as the elements of `x` that other strides and another first element pick. */
function restride(
  c: Compilation,
  x: Variable,
  y: Variable,
  first: 0 | ((strides: readonly number[]) => number),
  change: (strides: readonly number[]) => number[],
): void {
  const value = c.find(x);
  const elements = elementsOf(value);
  const offsetIn = (strides: readonly number[]) => (first === 0 ? 0 : first(strides));
  if (value.uniform !== undefined) c.define(y, new Value(y.shape, y.dtype, { uniform: value.uniform }));
  else if (elements !== undefined) {
    const strides = rowMajorStrides(x.shape);
    const start = offsetIn(strides);
    rename(
      c,
      y,
      offsets(y.shape, change(strides)).map((offset) => elements[start + offset]),
    );
  } else if (sizeOf(y.shape) === 0) rename(c, y, []);
  else {
    const view = c.view(value);
    const offset = view.offset + offsetIn(view.strides);
    alias(c, y, value, { buffer: view.buffer, offset, strides: change(view.strides) });
  }
}

export function broadcastTo(c: Compilation, { inputs: [x], outputs: [y] }: Equation): boolean {
  const value = c.find(x);
  const size = sizeOf(y.shape);
  if (size === 0) rename(c, y, []);
  else if (value.uniform !== undefined || sizeOf(x.shape) === 1) {
    c.define(y, new Value(y.shape, y.dtype, { uniform: c.element(value) }));
  } else if (value.elements !== undefined && size <= c.small) {
    const elements = c.elements(value);
    rename(
      c,
      y,
      offsets(y.shape, stretched(x.shape, rowMajorStrides(x.shape), y.shape)).map((i) => elements[i]),
    );
  } else {
    const view = c.view(value);
    alias(c, y, value, { ...view, strides: stretched(x.shape, view.strides, y.shape) });
  }
  return true;
}

/** Strides that repeat a shape along the axes of a larger one. */
function stretched(from: Shape, strides: readonly number[], to: Shape): number[] {
  const lead = to.length - from.length;
  return to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : strides[axis - lead]));
}

export function pad(c: Compilation, { inputs: [x], outputs: [y], params }: Equation): boolean {
  const { low, interior, value: fill } = params as PadParams;
  const value = c.find(x);
  const size = sizeOf(y.shape);
  const filling = c.known(y.dtype, y.dtype === "float32" ? Math.fround(fill) : fill);
  const strides = rowMajorStrides(y.shape);
  // The part of x that lands inside the result, axis by axis.
  const steps = interior.map((n) => n + 1);
  const first = low.map((n, axis) => (n < 0 ? Math.ceil(-n / steps[axis]) : 0));
  const count = x.shape.map((n, axis) => {
    const last = Math.min(n - 1, Math.floor((y.shape[axis] - 1 - low[axis]) / steps[axis]));
    return Math.max(0, last - first[axis] + 1);
  });
  const start = first.reduce((sum, i, axis) => sum + (low[axis] + i * steps[axis]) * strides[axis], 0);
  const windowStrides = strides.map((s, axis) => s * steps[axis]);
  if (sizeOf(count) === 0) {
    c.define(y, new Value(y.shape, y.dtype, { uniform: filling }));
    return true;
  }
  if (size <= c.small && sizeOf(x.shape) <= c.small) {
    const from = rowMajorStrides(x.shape);
    const origin = first.reduce((sum, i, axis) => sum + i * from[axis], 0);
    const given = c.elements(value);
    const elements = new Array<Element>(size).fill(filling);
    const targets = offsets(count, windowStrides);
    offsets(count, from).forEach((offset, i) => {
      elements[start + targets[i]] = given[origin + offset];
    });
    rename(c, y, elements);
    return true;
  }
  const view = c.allocate(y);
  copyInto(c, new Value(y.shape, y.dtype, { uniform: filling }), view, true);
  let part: Value;
  if (value.uniform !== undefined) part = new Value(count, y.dtype, { uniform: value.uniform });
  else {
    const from = c.view(value);
    const offset = first.reduce((sum, i, axis) => sum + i * from.strides[axis], from.offset);
    part = new Value(count, y.dtype, { view: { ...from, offset } });
  }
  copyInto(c, part, { buffer: view.buffer, offset: start, strides: windowStrides }, false);
  c.define(y, new Value(y.shape, y.dtype, { view }));
  return true;
}

export function concatenate(c: Compilation, { inputs, outputs: [y], params }: Equation): boolean {
  const { axis } = params as { axis: number };
  const values = inputs.map((v) => c.find(v));
  const strides = rowMajorStrides(y.shape);
  if (sizeOf(y.shape) <= c.small) {
    const elements = new Array<Element>(sizeOf(y.shape));
    let start = 0;
    for (const value of values) {
      const given = c.elements(value);
      offsets(value.shape, strides).forEach((offset, i) => {
        elements[start + offset] = given[i];
      });
      start += value.shape[axis] * strides[axis];
    }
    rename(c, y, elements);
    return true;
  }
  const view = c.allocate(y);
  let start = 0;
  for (const value of values) {
    copyInto(c, value, { buffer: view.buffer, offset: start, strides }, false);
    start += value.shape[axis] * strides[axis];
  }
  c.define(y, new Value(y.shape, y.dtype, { view }));
  return true;
}
