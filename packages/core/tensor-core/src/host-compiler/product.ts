import { byteSize } from "../dtype.js";
import type { Equation, Variable } from "../graph/builder.js";
import type { Primitive } from "../primitive.js";
import { addP, mulP } from "../primitives/elementwise.js";
import { sizeOf } from "../shape.js";
import { mergeAxes } from "../strided.js";
import type { Compilation } from "./compilation.js";
import { type ProductShape, productFunction, scratchBytes, transposed, wantsTransposing } from "./product-function.js";
import { rowMajor } from "./rows.js";
import { type Element, elementTypes, Value, type View } from "./values.js";

/** Sums of up to so many terms are computed where they are used. */
const FEW_TERMS = 3;

/** The matrix product of two stacks of matrices. */
export function matmul(c: Compilation, { inputs: [a, b], outputs: [y] }: Equation): boolean {
  const depth = a.shape[a.shape.length - 1];
  if (sizeOf(y.shape) === 0 || depth === 0) {
    c.define(y, new Value(y.shape, y.dtype, { uniform: c.known(y.dtype, 0) }));
  } else if ([a, b, y].every((v) => sizeOf(v.shape) <= c.small)) unrolled(c, { a, b, y });
  else if (depth <= FEW_TERMS && y.shape[y.shape.length - 1] * byteSize(y.dtype) >= 16) termByTerm(c, { a, b, y });
  else batched(c, { a, b, y });
  return true;
}

interface Operands {
  readonly a: Equation["inputs"][number];
  readonly b: Equation["inputs"][number];
  readonly y: Equation["inputs"][number];
}

/** Element by element. */
function unrolled(c: Compilation, { a, b, y }: Operands): void {
  const { writer: w } = c;
  const rank = a.shape.length;
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[rank - 1];
  const [left, right] = [c.elements(c.find(a)), c.elements(c.find(b))];
  const type = elementTypes[y.dtype];
  const elements: Element[] = [];
  for (let batch = 0; batch < sizeOf(a.shape.slice(0, -2)); batch++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let p = 0; p < k; p++) {
          c.push(left[(batch * m + i) * k + p]);
          c.push(right[(batch * k + p) * n + j]);
          w.op(`${type}.mul`);
          if (p > 0) w.op(`${type}.add`);
        }
        elements.push(c.take(y.dtype));
      }
    }
  }
  c.define(y, new Value(y.shape, y.dtype, { elements }));
}

/** Sums of columns times rows, as elementwise operations that join those on the product. */
function termByTerm(c: Compilation, { a, b, y }: Operands): void {
  const { shape, dtype } = y;
  const depth = a.shape[a.shape.length - 1];
  const left = c.view(c.find(a));
  const adjacent = c.view(c.find(b)).strides[shape.length - 1] === 1;
  const { views, free } = rowMajor(c, adjacent ? [] : [b]);
  const right = adjacent ? c.view(c.find(b)) : views[0];
  const [lead, column] = [left.strides.slice(0, -1), left.strides[shape.length - 1]];
  const row = right.strides[shape.length - 2];
  const factor = (view: View, offset: number, strides: readonly number[]) =>
    c.introduce(shape, dtype, { ...c.shareView(view), offset: view.offset + offset, strides });
  let sum: Variable | undefined;
  for (let p = 0; p < depth; p++) {
    const x = factor(left, p * column, [...lead, 0]);
    const z = factor(right, p * row, [...right.strides.slice(0, -2), 0, 1]);
    const last = p === depth - 1;
    const term = last && sum === undefined ? y : c.introduce(shape, dtype);
    c.groups.addStep({ primitive: mulP as Primitive, inputs: [x, z], params: null, outputs: [term] });
    if (sum !== undefined) {
      const next = last ? y : c.introduce(shape, dtype);
      c.groups.addStep({ primitive: addP as Primitive, inputs: [sum, term], params: null, outputs: [next] });
      sum = next;
    } else sum = term;
  }
  free();
}

/** One call of a function for products of this shape for each pair of matrices. */
function batched(c: Compilation, { a, b, y }: Operands): void {
  const [left, right] = [a, b].map((v) => c.view(c.find(v)));
  const to = c.allocate(y);
  const rank = a.shape.length;
  const size = byteSize(y.dtype);
  const lead = a.shape.slice(0, -2);
  const views = [left, right, to];
  const merged = mergeAxes(
    lead,
    views.map((v) => v.strides.slice(0, -2)),
  );
  const [m, k] = a.shape.slice(-2);
  const bytes = (strides: readonly number[]) => strides.slice(-2).map((s) => s * size) as [number, number];
  const n = b.shape[rank - 1];
  const straight: ProductShape = {
    dtype: y.dtype as "float32" | "float64",
    m,
    n,
    k,
    a: bytes(left.strides),
    b: bytes(right.strides),
    c: bytes(to.strides),
  };
  const turned = wantsTransposing(straight);
  const shape = turned ? transposed(straight) : straight;
  c.note(`product [${[...lead, m, k].join(", ")}] x [${[...lead, k, n].join(", ")}]`, [to]);
  writeProducts(c, turned ? [right, left, to] : views, shape, {
    shape: merged.shape,
    strides: turned ? [1, 0, 2].map((i) => merged.strides[i]) : merged.strides,
  });
  c.define(y, new Value(y.shape, y.dtype, { view: to }));
}

/** Calls a function for products of a shape once for each index of further axes; views of a, b and c, strides in elements. */
export function writeProducts(
  c: Compilation,
  views: readonly View[],
  shape: ProductShape,
  lead: { readonly shape: readonly number[]; readonly strides: readonly (readonly number[])[] },
): void {
  const { writer: w } = c;
  const size = byteSize(shape.dtype);
  const product = c.module.shared(`product ${JSON.stringify(shape)}`, productFunction(shape));
  const needed = scratchBytes(shape);
  const scratch = needed > 0 ? c.arena.allocate(needed) : undefined;
  const moves = views.map((view, i) => {
    c.pushAddress(view, shape.dtype);
    return { pointer: w.keep("i32"), steps: lead.strides[i].map((s) => s * size) };
  });
  w.walk(lead.shape, moves, () => {
    for (const { pointer } of moves) w.get(pointer);
    if (scratch === undefined) w.i32(0);
    else c.pushAddress({ buffer: scratch, offset: 0, strides: [] }, "float32");
    w.call(product);
  });
  if (scratch !== undefined) c.arena.release(scratch);
}
