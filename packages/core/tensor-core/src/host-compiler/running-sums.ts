import { byteSize } from "../dtype.js";
import type { Equation } from "../graph/builder.js";
import type { Compilation } from "./compilation.js";
import { around, isEmpty, pointer, rowMajor } from "./rows.js";
import { elementTypes, Value } from "./values.js";

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
