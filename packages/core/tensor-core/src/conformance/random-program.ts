import {
  add,
  atan2,
  broadcastTo,
  checkpoint,
  concatenate,
  cond,
  conv,
  cos,
  cumSum,
  customVjp,
  div,
  einsum,
  exp,
  expandDims,
  eye,
  flip,
  grad,
  linalg,
  log,
  logSumExp,
  matmul,
  mean,
  moveAxis,
  mul,
  neg,
  pad,
  pow,
  prod,
  reshape,
  roll,
  scan,
  scatterAdd,
  sigmoid,
  sin,
  slice,
  softmax,
  sort,
  special,
  sqrt,
  square,
  squeeze,
  stack,
  sub,
  sum,
  swapAxes,
  type Tensor,
  take,
  takeAlongAxis,
  tanh,
  tensor,
  tile,
  transpose,
  variance,
  vmap,
  where,
} from "../index.js";
import type { Source } from "./sampling.js";

/** A differentiable function of a list of tensors, composed at random; the same for the same source. */
export interface Program {
  /** The program as a function of its inputs. */
  readonly run: (inputs: Tensor[]) => Tensor[];
  /** A point at which it is smooth. */
  readonly inputs: Tensor[];
  /** Names of the steps, for messages. */
  readonly steps: readonly string[];
}

type Step = (...operands: Tensor[]) => Tensor;

interface Node {
  readonly name: string;
  readonly step: Step;
  readonly operands: readonly number[];
}

function constant(source: Source, shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, () => source.uniform(-1, 1)),
    { shape },
  );
}

function indices(source: Source, shape: readonly number[], below: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Int32Array.from({ length: size }, () => source.integer(0, below)),
    { shape },
  );
}

const SMOOTH: Record<string, (x: Tensor) => Tensor> = {
  sin,
  cos,
  tanh,
  sigmoid,
  neg,
  softplus: special.softplus,
  erf: special.erf,
  gelu: special.gelu,
  normalLogCdf: special.normalLogCdf,
  exp: (x) => exp(tanh(x)),
  log: (x) => log(add(square(x), 1)),
  sqrt: (x) => sqrt(add(square(x), 0.5)),
  lgamma: (x) => special.lgamma(add(sigmoid(x), 1)),
  ratio: (x) => div(x, add(square(x), 1)),
  cube: (x) => mul(pow(x, 3), 0.1),
};

const BINARY: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  add,
  sub,
  mul,
  div: (a, b) => div(a, add(square(b), 1)),
  atan2: (a, b) => atan2(a, add(square(b), 1)),
  pow: (a, b) => pow(add(square(a), 0.5), tanh(b)),
  logAddExp: special.logAddExp,
};

/** Steps with one operand; undefined where its shape does not suit. */
const UNARY: ((x: Tensor, source: Source) => [string, Step] | undefined)[] = [
  (_, source) => {
    const name = source.pick(Object.keys(SMOOTH));
    return [name, SMOOTH[name]];
  },
  (x, source) => {
    if (x.rank === 0) return undefined;
    const options = { axis: source.integer(0, x.rank), keepDims: source.next() < 0.5 };
    const reduce = source.pick([sum, mean, logSumExp, variance, prod]);
    return [reduce.name, (y) => reduce(reduce === prod ? tanh(y) : y, options)];
  },
  (x, source) => {
    if (x.rank === 0) return undefined;
    const axis = source.integer(0, x.rank);
    return source.pick<[string, Step]>([
      ["cumSum", (y) => cumSum(y, axis)],
      ["softmax", (y) => softmax(y, axis)],
      ["flip", (y) => flip(y, axis)],
      ["roll", (y) => roll(y, 1, axis)],
      ["sort", (y) => sort(y, { axis })],
      ["transpose", (y) => transpose(y)],
      ["moveAxis", (y) => moveAxis(y, 0, -1)],
      ["reshape", (y) => reshape(y, [-1])],
      ["squeeze", (y) => squeeze(y)],
    ]);
  },
  (x, source) => {
    const axis = source.integer(0, x.rank + 1);
    return x.size > 8
      ? undefined
      : source.pick<[string, Step]>([
          ["expandDims", (y) => expandDims(y, axis)],
          ["broadcastTo", (y) => broadcastTo(y, [2, ...y.shape])],
          ["tile", (y) => tile(y, [2])],
          ["stack", (y) => stack([y, sin(y)], axis)],
        ]);
  },
  (x, source) => {
    if (x.rank === 0) return undefined;
    const axis = source.integer(0, x.rank);
    const n = x.shape[axis];
    const lead = new Array<null>(axis).fill(null);
    const from = source.integer(0, n);
    return source.pick<[string, Step]>([
      ["slice", (y) => slice(y, [...lead, { start: from }])],
      ["reversed slice", (y) => slice(y, [...lead, { start: from, step: -1 }])],
      ["index", (y) => slice(y, [...lead, from - n])],
      ["pad", (y) => pad(y, [1, 0], 0.3)],
      [
        "cut",
        (y) =>
          pad(
            y,
            y.shape.map((_, i): [number, number] => (i === axis && n > 1 ? [-1, 1] : [0, 0])),
          ),
      ],
    ]);
  },
  (x, source) => {
    if (x.rank === 0) return undefined;
    const axis = source.integer(0, x.rank);
    const n = x.shape[axis];
    const rows = indices(source, [source.integer(1, 4)], n);
    const along = indices(
      source,
      x.shape.map((extent, i) => (i === axis ? 2 : extent)),
      n,
    );
    return source.pick<[string, Step]>([
      ["take", (y) => take(y, rows, { axis })],
      ["takeAlongAxis", (y) => takeAlongAxis(y, along, { axis })],
      ["scatterAdd", (y) => scatterAdd(y, rows, take(sin(y), rows, { axis }), { axis })],
    ]);
  },
  (x, source) => {
    if (x.rank < 2) return undefined;
    const n = x.shape[x.rank - 2];
    const gram = (y: Tensor) => add(mul(matmul(y, swapAxes(y, -1, -2)), 0.3), eye(n, n, "float64"));
    return source.pick<[string, Step]>([
      ["gram", gram],
      ["cholesky", (y) => linalg.cholesky(gram(y))],
      ["solve", (y) => linalg.solve(gram(y), y)],
      ["logdet", (y) => linalg.slogdet(gram(y)).logAbsDet],
      ["expm", (y) => linalg.expm(mul(gram(y), 0.2))],
      ["frobenius", (y) => linalg.norm(add(y, 0.1), { axis: [-2, -1] })],
      ["einsum", (y) => einsum("...ij,...kj->...ik", y, cos(y))],
    ]);
  },
  (x, source) => {
    const mask = tensor(
      Uint8Array.from({ length: x.size }, () => source.integer(0, 2)),
      { shape: x.shape },
    );
    return ["where", (y) => where(mask, sin(y), mul(y, 0.5))];
  },
  (x, source) => {
    if (x.rank === 0 || x.shape[0] === 0) return undefined;
    return source.pick<[string, Step]>([
      ["vmap", (y) => vmap((row: Tensor) => mul(sin(row), mean(row)))(y)],
      ["vmap of grad", (y) => vmap(grad((row: Tensor) => sum(mul(sin(row), mean(row)))))(y)],
      ["scan", (y) => scan((s: Tensor, row: Tensor) => [tanh(add(s, row)), mul(s, row)], mul(slice(y, [0]), 0), y)[1]],
    ]);
  },
  (_, source) => {
    const cubic = (y: Tensor) => mul(mul(y, y), sin(y));
    return source.pick<[string, Step]>([
      ["grad", (y) => grad((z: Tensor) => sum(cubic(z)))(y)],
      ["checkpoint", checkpoint(cubic)],
      [
        "customVjp",
        customVjp(
          cubic,
          (y) => [cubic(y), [y, sin(y)]],
          ([y, s], g) => [mul(g, add(mul(mul(y, 2), s), mul(mul(y, y), cos(y))))],
        ),
      ],
      ["cond", (y) => cond(tensor(true), cubic, (z: Tensor) => z, y)],
    ]);
  },
];

/** Steps with two operands; undefined where their shapes do not suit. */
const PAIRS: ((a: Tensor, b: Tensor, source: Source) => [string, Step] | undefined)[] = [
  (_, __, source) => {
    const name = source.pick(Object.keys(BINARY));
    return [name, BINARY[name]];
  },
  () => ["matmul", matmul],
  (a, _, source) => {
    const axis = source.integer(0, Math.max(1, a.rank));
    return ["concatenate", (x, y) => concatenate([x, y], axis)];
  },
  () => ["inner gradient", (x, y) => grad((z: Tensor) => sum(mul(sin(z), y)))(x)],
  (a, b) =>
    a.rank === 3 && b.rank === 3 && b.shape[2] <= a.shape[2] && a.shape[1] === b.shape[1]
      ? ["conv", (x, w) => conv(x, w)]
      : undefined,
];

const MAX_SIZE = 40;

/** Draws a program of about `length` steps. Steps that do not suit, or whose values grow too large, are left out. */
export function randomProgram(source: Source, length: number): Program {
  const inputs = Array.from({ length: source.integer(1, 4) }, () =>
    constant(
      source,
      Array.from({ length: source.integer(0, 4) }, () => source.pick([1, 2, 3])),
    ),
  );
  const values: Tensor[] = [...inputs];
  const nodes: Node[] = [];
  const consumed = new Set<number>();
  for (let attempt = 0; nodes.length < length && attempt < 20 * length; attempt++) {
    // Later values are likelier, so that programs grow deep.
    const draw = () => Math.floor(values.length * Math.sqrt(source.next()));
    const operands = source.next() < 0.6 ? [draw()] : [draw(), draw()];
    const [a, b] = operands.map((i) => values[i]);
    const chosen = operands.length === 1 ? source.pick(UNARY)(a, source) : source.pick(PAIRS)(a, b, source);
    if (chosen === undefined) continue;
    const node = acceptable(chosen, operands, values);
    if (node === undefined) continue;
    nodes.push(node.node);
    values.push(node.value);
    for (const i of operands) consumed.add(i);
  }
  const ends = values.map((_, i) => i).filter((i) => !consumed.has(i));
  return {
    inputs,
    steps: nodes.map((node) => `${node.name}(${node.operands})`),
    run: (given) => {
      const results = [...given];
      for (const { step, operands } of nodes) results.push(step(...operands.map((i) => results[i])));
      return ends.map((i) => results[i]);
    },
  };
}

/** The step, scaled down where its values are large; undefined where its operands do not fit or it is too big. */
function acceptable(
  [name, step]: [string, Step],
  operands: readonly number[],
  values: readonly Tensor[],
): { node: Node; value: Tensor } | undefined {
  let value: Tensor;
  try {
    value = step(...operands.map((i) => values[i]));
  } catch (error) {
    if (["ShapeError", "IndexError", "ValueError"].includes((error as Error).name)) return undefined;
    throw error;
  }
  if (value.size > MAX_SIZE || value.rank > 5) return undefined;
  const peak = Array.from(value.data()).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  if (!Number.isFinite(peak)) return undefined;
  if (peak <= 2) return { node: { name, step, operands }, value };
  const scaled: Step = (...x) => mul(step(...x), 1 / peak);
  return { node: { name, step: scaled, operands }, value: mul(value, 1 / peak) };
}
