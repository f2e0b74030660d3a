import {
  broadcastTo,
  type DType,
  flip,
  repeat,
  reshape,
  slice,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import type { Source } from "@offprint/tensor-core/conformance";

/** An operand as it is given to a function, and what the function does to it before using it. */
export interface Operand {
  readonly given: Tensor;
  readonly use: (x: Tensor) => Tensor;
}

const asIs = (x: Tensor) => x;

/** Row-major values of their own. */
function copy(x: Tensor): Tensor {
  return tensor(x.data().slice(), { shape: x.shape, dtype: x.dtype });
}

/** Equal tensors over memory in other orders. */
const layouts: ((x: Tensor) => Tensor)[] = [
  asIs,
  (x) => transpose(copy(transpose(x))),
  (x) => (x.rank === 0 ? x : flip(copy(flip(x)))),
  (x) => (x.rank === 0 ? x : copy(repeat(x, 2, x.rank - 1)).slice([...x.shape.slice(1).map(() => null), { step: 2 }])),
  (x) => (x.rank === 0 ? x : copy(repeat(x, 2, 0)).slice([{ start: x.shape[0] > 0 ? 1 : 0, step: 2 }])),
];

/** The tensor in a random layout of its memory. */
export function laidOut(x: Tensor, source: Source): Tensor {
  return source.pick(layouts)(x);
}

/** The same value made inside the function from another: transposed, reshaped, cut out. */
export function dressed(x: Tensor, source: Source): Operand {
  const given = laidOut(x, source);
  switch (source.integer(0, 5)) {
    case 0:
      return { given: laidOut(transpose(x), source), use: (y) => transpose(y) };
    case 1:
      return { given: laidOut(reshape(x, [x.size]), source), use: (y) => reshape(y, x.shape) };
    case 2: {
      if (x.rank === 0) return { given, use: asIs };
      const doubled = repeat(x, 2, 0);
      return { given: doubled, use: (y) => slice(y, [{ step: 2 }]) };
    }
    default:
      return { given, use: asIs };
  }
}

/** A shape of rank 0 to `maxRank` with extents 0 (rarely), 1, 2, 3. */
export function randomShape(source: Source, maxRank = 4): number[] {
  return Array.from({ length: source.integer(0, maxRank + 1) }, () =>
    source.next() < 0.05 ? 0 : source.pick([1, 2, 2, 3]),
  );
}

/** A shape that broadcasts to another. */
export function smallerShape(shape: readonly number[], source: Source): number[] {
  const kept = shape.slice(source.next() < 0.3 ? source.integer(0, shape.length + 1) : 0);
  return kept.map((n) => (source.next() < 0.25 ? 1 : n));
}

/** An operand that is stretched to `shape` inside the function. */
export function stretched(x: Tensor, shape: readonly number[], source: Source): Operand {
  const { given, use } = dressed(x, source);
  return { given, use: (y) => broadcastTo(use(y), shape) };
}

/** A tensor of drawn numbers. */
export function drawn(values: readonly number[], shape: readonly number[], dtype: DType): Tensor {
  return tensor(Float64Array.from(values), { shape, dtype });
}
