import { byteSize } from "../dtype.js";
import type { Equation } from "../graph/builder.js";
import type { IndexingParams } from "../primitives/indices.js";
import { sizeOf } from "../shape.js";
import { callHost } from "./call-out.js";
import type { Compilation } from "./compilation.js";
import { alongAxis, around, copyBytes, isEmpty, pointer, pushRow, rowMajor } from "./rows.js";
import { Value } from "./values.js";

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

/** Memory that is written later. */
export function unwritten(c: Compilation, { outputs: [y] }: Equation): boolean {
  const small = sizeOf(y.shape) <= c.small;
  c.define(y, new Value(y.shape, y.dtype, small ? { uniform: c.known(y.dtype, 0) } : { view: c.allocate(y) }));
  return true;
}
