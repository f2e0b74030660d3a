import { f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import * as tc from "../../src/index.js";
import {
  add,
  arange,
  argMax,
  asTensor,
  broadcastTo,
  cast,
  checkpoint,
  concatenate,
  cumSum,
  DTypeError,
  einsum,
  expandDims,
  eye,
  flip,
  full,
  grad,
  hvp,
  IndexError,
  jacobian,
  jit,
  jvp,
  linalg,
  linspace,
  log,
  logicalAnd,
  matmul,
  max,
  mean,
  moveAxis,
  mul,
  pad,
  repeat,
  reshape,
  roll,
  ShapeError,
  slice,
  special,
  split,
  square,
  squeeze,
  stack,
  sum,
  swapAxes,
  type Tensor,
  TraceError,
  take,
  takeAlongAxis,
  tensor,
  tile,
  topK,
  trace,
  transpose,
  tree,
  UnsupportedError,
  ValueError,
  valueAndGrad,
  vjp,
  vmap,
  where,
  zeros,
} from "../../src/index.js";

type ErrorClass = new (message: string) => Error;
/** What is wrong, the call, the error and words that its message must have: the operation or argument, and a remedy. */
type Row = [what: string, call: () => unknown, error: ErrorClass, ...words: string[]];

const x23 = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const ints = tensor(Int32Array.of(1, 2));
const wrong = (x: unknown) => x as never;

const creation: Row[] = [
  ["ragged rows", () => tensor([[1, 2], [3]]), ShapeError, "ragged", "axis 1", "equally long"],
  ["a number beside a row", () => tensor([[1], 2] as never), ShapeError, "ragged", "a number"],
  ["a row beside a number", () => tensor([1, [2]] as never), DTypeError, "numbers or booleans"],
  ["text", () => tensor(wrong("abc")), DTypeError, "string", "give"],
  ["text inside an array", () => tensor(wrong(["a"])), DTypeError, "string"],
  ["nothing", () => asTensor(wrong(undefined)), DTypeError, "undefined"],
  ["an object", () => tensor(wrong({ a: 1 })), DTypeError, "object"],
  ["a tensor inside an array", () => tensor(wrong([ints, ints])), DTypeError, "stack"],
  ["an unknown dtype", () => tensor([1], { dtype: wrong("float16") }), DTypeError, "float16", "float32"],
  ["an unknown dtype to cast to", () => cast(x23, wrong("int64")), DTypeError, "int64", "int32"],
  ["an unknown dtype of zeros", () => zeros([2], wrong("half")), DTypeError, "half", "float32"],
  ["values that do not fill the shape", () => tensor([1, 2, 3], { shape: [2, 2] }), ShapeError, "3 values", "[2, 2]"],
  ["a negative extent", () => zeros([-1]), ShapeError, "full", "[-1]", "non-negative"],
  ["a fractional extent", () => eye(1.5), ShapeError, "eye", "non-negative integers"],
  ["bytes that are not booleans", () => tensor(Uint8Array.of(0, 7)), DTypeError, "Uint8Array", "int32"],
  ["a typed array without a dtype", () => tensor(wrong(new BigInt64Array(2))), DTypeError, "BigInt64Array", "dtype"],
  [
    "big integers with a dtype",
    () => tensor(wrong(new BigInt64Array(2)), { dtype: "int32" }),
    DTypeError,
    "BigInt64Array",
  ],
  ["a step of zero", () => arange(0, 5, 0), ValueError, "arange", "step"],
  ["a count that is negative", () => linspace(0, 1, -1), ValueError, "linspace", "count"],
  ["reading one value of many", () => x23.item(), ValueError, "item", "6 elements", "toArray"],
];

const shapes: Row[] = [
  ["add: [2, 3] and [2]", () => add(x23, [1, 2]), ShapeError, "add", "[2, 3]", "[2]", "reshape or expandDims"],
  ["where", () => where(true, x23, [1, 2]), ShapeError, "where", "[2, 3]"],
  ["matmul", () => matmul(x23, x23), ShapeError, "matmul", "[2, 3]", "transpose"],
  ["matmul of a scalar", () => matmul(x23, 2), ShapeError, "matmul", "use mul"],
  ["matmul with different leading axes", () => matmul(zeros([2, 2, 2]), zeros([3, 2, 2])), ShapeError, "matmul"],
  ["reshape", () => reshape(x23, [4]), ShapeError, "reshape", "[2, 3]", "[4]"],
  ["reshape with two open extents", () => reshape(x23, [-1, -1]), ShapeError, "reshape", "-1"],
  ["reshape that does not divide", () => reshape(x23, [4, -1]), ShapeError, "reshape", "divide"],
  ["broadcastTo", () => broadcastTo(x23, [3, 3]), ShapeError, "broadcastTo", "[2, 3]", "[3, 3]"],
  ["broadcastTo a negative extent", () => broadcastTo(1, [-1]), ShapeError, "broadcastTo", "[-1]"],
  ["transpose", () => transpose(x23, [0, 0]), ShapeError, "transpose", "each"],
  ["squeeze", () => squeeze(x23, 0), ShapeError, "squeeze", "extent 2"],
  ["concatenate", () => concatenate([x23, zeros([3, 2])], 0), ShapeError, "concatenate", "[3, 2]", "axis 0"],
  ["concatenate of nothing", () => concatenate([]), ValueError, "concatenate", "at least one"],
  ["stack", () => stack([x23, ints]), ShapeError, "stack", "[2, 3]", "[2]"],
  ["split into unequal parts", () => split(x23, 2, 1), ShapeError, "split", "extent 3"],
  ["split into a negative number of parts", () => split(x23, -1), ShapeError, "split", "-1"],
  ["split into a fraction of parts", () => split(x23, 1.5), ShapeError, "split", "1.5"],
  ["pad without a pair for each axis", () => pad(x23, [[1, 1]]), ShapeError, "pad", "2 axes"],
  [
    "pad that cuts too much",
    () =>
      pad(x23, [
        [-2, -1],
        [0, 0],
      ]),
    ShapeError,
    "pad",
    "negative",
  ],
  ["tile", () => tile(x23, [-1]), ShapeError, "tile"],
  ["repeat", () => repeat(x23, -1, 0), ShapeError, "repeat"],
  ["max of nothing", () => max(zeros([0])), ShapeError, "max", "empty"],
  ["argMax of nothing", () => argMax(zeros([2, 0])), ShapeError, "argMax", "empty"],
  ["takeAlongAxis", () => takeAlongAxis(x23, tensor(Int32Array.of(0))), ShapeError, "takeAlongAxis"],
  ["einsum", () => einsum("ij,jk->ik", x23, x23), ShapeError, "einsum"],
  ["logBeta", () => special.logBeta(x23, [1, 2]), ShapeError, "logBeta"],
];

const axes: Row[] = [
  ["sum", () => sum(x23, { axis: 2 }), IndexError, "sum", "axis 2", "-2 to 1"],
  ["sum over the same axis twice", () => sum(x23, { axis: [0, -2] }), IndexError, "sum", "twice"],
  ["mean of a fraction", () => mean(x23, { axis: 0.5 }), IndexError, "0.5"],
  ["cumSum of a scalar", () => cumSum(3), IndexError, "cumSum", "scalar"],
  ["argMax", () => argMax(x23, { axis: -3 }), IndexError, "argMax", "-3"],
  ["expandDims", () => expandDims(x23, 4), IndexError, "expandDims"],
  ["moveAxis", () => moveAxis(x23, 0, 5), IndexError, "moveAxis"],
  ["swapAxes", () => swapAxes(x23, 0, 2), IndexError, "swapAxes"],
  ["flip", () => flip(x23, 2), IndexError, "flip"],
  ["roll", () => roll(x23, 1, 2), IndexError, "roll"],
  ["roll by a fraction", () => roll(x23, 0.5, 0), ValueError, "roll", "0.5", "integer"],
  ["stack", () => stack([ints, ints], 3), IndexError, "axis 3"],
  ["concatenate of one tensor", () => concatenate([x23], 2), IndexError, "concatenate", "axis 2"],
  ["slice past the end", () => slice(x23, [null, 3]), IndexError, "slice", "index 3", "axis 1", "extent 3"],
  ["slice with too many entries", () => slice(x23, [0, 0, 0]), IndexError, "slice", "rank 2"],
  ["slice with a step of zero", () => slice(x23, [{ step: 0 }]), IndexError, "slice", "step"],
  ["take", () => take(x23, tensor(Int32Array.of(2))), IndexError, "take", "index 2"],
  ["topK", () => topK(x23, 4), ShapeError, "topK", "4"],
  ["vmap", () => vmap(sum, { inAxes: 2 })(x23), IndexError, "vmap", "axis 2"],
];

const dtypes: Row[] = [
  ["take with floats", () => take(x23, tensor([0.5])), DTypeError, "take"],
  ["the gradient of integers", () => grad((x: Tensor) => sum(x))(ints), DTypeError, "grad", "int32", "cast"],
  [
    "the gradient of an integer result",
    () => grad((x: Tensor) => sum(cast(x, "int32")))(f64([1])),
    DTypeError,
    "grad",
    "int32",
  ],
  ["hvp of integers", () => hvp((x: Tensor) => sum(x))(ints, ints), DTypeError, "hvp", "cast"],
  ["vjp of booleans", () => vjp((x) => x, tensor(true)), DTypeError, "vjp", "bool"],
  ["a primitive of another dtype", () => tc.bind(tc.primitives.exp, [ints], null), DTypeError, "exp", "int32", "cast"],
  [
    "a primitive of mixed dtypes",
    () => tc.bind(tc.primitives.add, [f64([1, 2]), tensor([1, 2])], null),
    DTypeError,
    "add",
    "cast",
  ],
  [
    "a primitive of mixed shapes",
    () => tc.bind(tc.primitives.add, [tensor([1]), tensor([1, 2])], null),
    ShapeError,
    "add",
    "broadcast",
  ],
];

const transformations: Row[] = [
  ["grad of a vector", () => grad((x: Tensor) => square(x))(f64([1, 2])), ShapeError, "grad", "[2]", "sum", "jacobian"],
  [
    "grad of an argument that is not there",
    () => grad((x: Tensor) => x, { argument: 1 })(f64(1)),
    IndexError,
    "argument 1",
  ],
  [
    "grad with hasAux of a plain result",
    () => grad((x: Tensor) => x, { hasAux: true })(f64(1)),
    ValueError,
    "[loss, extra]",
  ],
  [
    "vjp with a cotangent of another shape",
    () => vjp((x) => x, f64([1, 2]))[1](f64([1])),
    ShapeError,
    "cotangent",
    "[1]",
    "[2]",
  ],
  [
    "vjp with a cotangent of another structure",
    () => vjp((x) => x, f64([1]))[1](wrong([f64([1])])),
    ValueError,
    "cotangent",
    "tree",
  ],
  ["jvp with a tangent of another shape", () => jvp((x) => x, [f64([1, 2])], [f64([1])]), ShapeError, "tangent", "[1]"],
  [
    "jvp with too few tangents",
    () => jvp((a, b) => add(a, b), [f64(1), f64(1)], [f64(1)] as never),
    ValueError,
    "tangents",
  ],
  ["hvp with a vector of another shape", () => hvp((x: Tensor) => sum(x))(f64([1, 2]), f64([1])), ShapeError, "hvp"],
  ["vmap over different sizes", () => vmap(add)(x23, tensor([1, 2, 3])), ShapeError, "vmap", "2 and 3", "argument 1"],
  ["vmap over a scalar", () => vmap((x: Tensor) => x)(f64(1)), ShapeError, "vmap", "null in inAxes"],
  ["vmap over nothing", () => vmap(add, { inAxes: null })(x23, x23), ValueError, "vmap", "at least one axis"],
  ["vmap with too many axes", () => vmap((x: Tensor) => x, { inAxes: [0, 0] })(x23), ValueError, "inAxes"],
  ["trees that differ", () => tree.map(add, { a: 1 }, { b: 1 }), ValueError, "tree.map", "same keys"],
  [
    "shapes of one example, not of the batch",
    () => vmap((x: Tensor) => matmul(x, [1, 2]))(x23),
    ShapeError,
    "[3] and [2]",
  ],
  [
    "an argument of an incomplete gamma function",
    () => grad((a: Tensor) => special.gammainc(a, 1))(f64(2)),
    UnsupportedError,
    "gammainc",
    "stopGradient",
  ],
  ["polygamma of a fraction", () => special.polygamma(0.5, 1), ValueError, "order", "integer"],
];

const whileTracing: Row[] = [
  ["item in a trace", () => trace((x: Tensor) => mul(x, x.item()), f64(1)), TraceError, "item", "where()", "cond()"],
  ["data in a trace", () => trace((x: Tensor) => x.data(), x23), TraceError, "data", "traced"],
  ["toArray in a trace", () => trace((x: Tensor) => x.toArray(), x23), TraceError, "traced"],
  ["ndarray in a trace", () => trace((x: Tensor) => x.ndarray(), x23), TraceError, "ndarray"],
  ["item in vmap", () => vmap((x: Tensor) => mul(x, x.item()))(f64([1, 2])), TraceError, "vmap", "where()"],
  [
    "item in the gradient in a trace",
    () =>
      trace(
        grad((x: Tensor) => mul(x, x.item())),
        f64(1),
      ),
    TraceError,
    "item",
  ],
  [
    "a traced value that left its function",
    () => {
      let kept: Tensor | undefined;
      trace((x: Tensor) => (kept = square(x)), x23);
      return square(kept as Tensor);
    },
    TraceError,
    "finished trace",
  ],
  [
    "a value of an unfinished gradient",
    () => {
      const inner = (x: Tensor) => {
        trace((y: Tensor) => mul(x, y), f64(1));
        return x;
      };
      return grad(inner)(f64(1));
    },
    ValueError,
    "unfinished",
    "argument",
  ],
];

const nan = f64([
  [1, Number.NaN],
  [0, 1],
]);
const singular = f64([
  [1, 2],
  [2, 4],
]);
const matrices: Row[] = [
  ...(["cholesky", "eigh", "svd", "qr", "slogdet", "det", "inverse", "pinv", "expm", "luFactor"] as const).map(
    (name): Row => [`NaN into ${name}`, () => linalg[name](nan), ValueError, "NaN", "[0, 1]", "finite"],
  ),
  [
    "infinity into solve",
    () => linalg.solve(eye(2), [1, Number.POSITIVE_INFINITY]),
    ValueError,
    "solve",
    "b of shape",
    "Infinity",
  ],
  ["NaN into triangularSolve", () => linalg.triangularSolve(nan, [1, 1]), ValueError, "triangularSolve", "a of shape"],
  ["NaN into lstsq", () => linalg.lstsq(nan, [1, 1]), ValueError, "NaN"],
  ["singular solve", () => linalg.solve(singular, [1, 1]), ValueError, "solve", "singular", "pivot 1", "lstsq"],
  ["singular inverse", () => linalg.inverse(singular), ValueError, "singular", "pivot 1"],
  [
    "singular in a batch",
    () => linalg.inverse(stack([eye(2, 2, "float64"), singular])),
    ValueError,
    "matrix 1 of the batch",
  ],
  [
    "singular triangular",
    () =>
      linalg.triangularSolve(
        f64([
          [1, 0],
          [1, 0],
        ]),
        [1, 1],
      ),
    ValueError,
    "pivot 1",
  ],
  [
    "not positive definite",
    () =>
      linalg.cholesky(
        f64([
          [1, 2],
          [2, 1],
        ]),
      ),
    ValueError,
    "positive definite",
    "pivot 1",
    "identity",
  ],
  ["cholesky of a rectangle", () => linalg.cholesky(x23), ShapeError, "cholesky", "[2, 3]", "square"],
  ["det of a rectangle", () => linalg.det(x23), ShapeError, "slogdet", "square"],
  ["eigh of a vector", () => linalg.eigh([1, 2]), ShapeError, "eigh", "[2]", "rows"],
  ["solve with too few rows", () => linalg.solve(eye(3), [1, 2]), ShapeError, "solve", "3 rows"],
  ["solve with a scalar", () => linalg.solve(eye(3), 1), ShapeError, "solve", "scalar"],
  ["norm of another order", () => linalg.norm(x23, { ord: 3 }), ValueError, "norm", "order 3"],
  ["nuclear norm of a vector", () => linalg.norm([1, 2], { ord: "nuc" }), ValueError, "norm", "vectors"],
  ["norm over three axes", () => linalg.norm(zeros([2, 2, 2]), { ord: 2 }), ValueError, "norm", "axis"],
  ["norm over an axis that is not there", () => linalg.norm(x23, { axis: 2 }), IndexError, "axis 2"],
  ["a fractional power", () => linalg.matrixPower(eye(2), 0.5), ValueError, "matrixPower", "0.5"],
];

describe.each([
  ["creating tensors", creation],
  ["shapes that do not fit", shapes],
  ["axes and indices out of range", axes],
  ["element types", dtypes],
  ["transformations", transformations],
  ["reading values while tracing", whileTracing],
  ["matrices", matrices],
])("%s", (_, rows) => {
  it.each(rows)("%s", (__, call, error, ...words) => {
    let thrown: unknown;
    try {
      call();
    } catch (e) {
      thrown = e;
    }
    expect(thrown, "the error").toBeInstanceOf(error);
    for (const word of words) expect((thrown as Error).message).toContain(word);
  });
});

it("a compiled function rejects with the same error, and works again with good input", async () => {
  const f = jit((a: Tensor, b: Tensor) => linalg.solve(a, b));
  await expect(f(singular, f64([1, 1]))).rejects.toThrow("singular");
  await expect(f(singular, f64([1, 1, 1]))).rejects.toThrow(ShapeError);
  expect(
    (
      await f(
        f64([
          [2, 0],
          [0, 4],
        ]),
        f64([2, 2]),
      )
    ).toArray(),
  ).toEqual([1, 0.5]);
  await expect(jit((x: Tensor) => mul(x, x.item()))(f64(1))).rejects.toThrow(TraceError);
});

it("NaN passes through elementwise operations without an error", () => {
  expect(log(-1).item()).toBeNaN();
  expect(valueAndGrad((x: Tensor) => log(x))(f64(Number.NaN))[1].item()).toBeNaN();
  expect(logicalAnd(Number.NaN, true).item()).toBe(1);
  expect(jacobian((x: Tensor) => checkpoint(square)(x))(f64([Number.NaN])).item()).toBeNaN();
  expect(full([2], Number.NaN).toArray()).toEqual([Number.NaN, Number.NaN]);
});
