import {
  abs,
  add,
  atan2,
  broadcastTo,
  clip,
  concatenate,
  cond,
  conv,
  cumSum,
  div,
  exp,
  expandDims,
  fft,
  flip,
  greater,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  maxPool,
  mean,
  minimum,
  mul,
  neg,
  pad,
  prod,
  relu,
  reshape,
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
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  transpose,
  variance,
  where,
} from "@offprint/tensor-core";
import { Source } from "@offprint/tensor-core/conformance";

/** A differentiable scalar function made of random operations, and a point at which it is smooth almost surely. */
export interface RandomProgram {
  readonly loss: (...inputs: Tensor[]) => Tensor;
  /** Inputs and the results of all operations, in order. */
  readonly values: (...inputs: Tensor[]) => Tensor[];
  readonly inputs: readonly Tensor[];
}

/** One step: makes a value from values made before. Everything it decides is drawn when the program is made. */
type Step = (values: readonly Tensor[]) => Tensor;

const unaries: ((x: Tensor) => Tensor)[] = [
  sin,
  tanh,
  sigmoid,
  relu,
  abs,
  neg,
  special.softplus,
  special.erf,
  special.gelu,
  special.silu,
  (x) => exp(sin(x)),
  (x) => sqrt(add(square(x), 0.5)),
  (x) => log(add(square(x), 1)),
  (x) => clip(x, -0.7, 0.9),
  (x) => mul(x, 0.37),
  (x) => sub(1.3, x),
];

const binaries: ((a: Tensor, b: Tensor) => Tensor)[] = [
  add,
  sub,
  mul,
  mul,
  maximum,
  minimum,
  (a, b) => div(a, add(square(b), 1)),
  (a, b) => where(greater(a, b), sin(a), b),
  (a, b) => atan2(add(square(a), 0.1), b),
  (a, b) => add(mul(a, 2), mul(b, -0.5)),
];

const reductions: ((x: Tensor, axis: number, keepDims: boolean) => Tensor)[] = [
  (x, axis, keepDims) => sum(x, { axis, keepDims }),
  (x, axis, keepDims) => mean(x, { axis, keepDims }),
  (x, axis, keepDims) => max(x, { axis, keepDims }),
  (x, axis, keepDims) => logSumExp(x, { axis, keepDims }),
  (x, axis, keepDims) => variance(x, { axis, keepDims }),
  (x, axis, keepDims) => prod(sin(x), { axis, keepDims }),
];

const alongAxes: ((x: Tensor, axis: number) => Tensor)[] = [
  (x, axis) => softmax(x, axis),
  (x, axis) => logSoftmax(x, axis),
  (x, axis) => cumSum(x, axis),
  (x, axis) => flip(x, axis),
  (x, axis) => sort(x, { axis }),
  (x, axis) => fft.fft(x, { axis }).im,
  (x, axis) => concatenate([x, tanh(x)], axis),
  (x, axis) =>
    pad(
      x,
      x.shape.map((_, i): [number, number] => (i === axis ? [1, 2] : [0, 0])),
    ),
];

/** Values stay of moderate size, or rounding would be magnified beyond comparison. */
const tamed = (x: Tensor): Tensor => mul(tanh(mul(x, 0.5)), 2);

const MAX_SIZE = 64;

class Maker {
  private readonly shapes: (readonly number[])[] = [];
  readonly steps: Step[] = [];

  constructor(private readonly source: Source) {}

  addInput(shape: readonly number[]): void {
    this.shapes.push(shape);
  }

  /** Adds a step, unless its result would be large. */
  private push(shape: readonly number[], step: Step): void {
    if (shape.reduce((a, b) => a * b, 1) > MAX_SIZE || shape.length > 4) return;
    this.shapes.push(shape);
    this.steps.push(step);
  }

  private pick(fits: (shape: readonly number[]) => boolean = () => true): number | undefined {
    const found = this.shapes.map((_, i) => i).filter((i) => fits(this.shapes[i]));
    // Later values are likelier, so that programs grow deep.
    return found.length === 0 ? undefined : found[Math.floor(found.length * Math.sqrt(this.source.next()))];
  }

  grow(): void {
    const { source } = this;
    const kinds = [
      this.unary,
      this.unary,
      this.binary,
      this.binary,
      this.reduction,
      this.axis,
      this.product,
      this.movement,
      this.indexing,
      this.window,
      this.control,
    ];
    source.pick(kinds).call(this);
  }

  private unary(): void {
    const at = this.pick() as number;
    const f = this.source.pick(unaries);
    this.push(this.shapes[at], (v) => tamed(f(v[at])));
  }

  private binary(): void {
    const a = this.pick() as number;
    const f = this.source.pick(binaries);
    const whole = this.shapes[a];
    const b = this.pick((shape) => {
      const lead = whole.length - shape.length;
      return lead >= 0 && shape.every((n, i) => n === 1 || n === whole[lead + i]);
    }) as number;
    const swapped = this.source.next() < 0.5;
    this.push(whole, (v) => tamed(swapped ? f(broadcastTo(v[b], whole), v[a]) : f(v[a], v[b])));
  }

  private reduction(): void {
    const at = this.pick((shape) => shape.length > 0);
    if (at === undefined) return;
    const axis = this.source.integer(0, this.shapes[at].length);
    const keepDims = this.source.next() < 0.5;
    const f = this.source.pick(reductions);
    const shape = this.shapes[at].flatMap((n, i) => (i !== axis ? [n] : keepDims ? [1] : []));
    this.push(shape, (v) => tamed(f(v[at], axis, keepDims)));
  }

  private axis(): void {
    const at = this.pick((shape) => shape.length > 0);
    if (at === undefined) return;
    const axis = this.source.integer(0, this.shapes[at].length);
    const which = this.source.integer(0, alongAxes.length);
    const growth = which === alongAxes.length - 2 ? (n: number) => 2 * n : (n: number) => n + 3;
    const grows = which >= alongAxes.length - 2;
    const shape = this.shapes[at].map((n, i) => (i === axis && grows ? growth(n) : n));
    this.push(shape, (v) => tamed(alongAxes[which](v[at], axis)));
  }

  private product(): void {
    const a = this.pick((shape) => shape.length >= 2);
    if (a === undefined) return;
    const [m, k] = this.shapes[a].slice(-2);
    const b = this.pick((shape) => shape.length === 2 && shape.includes(k));
    const lead = this.shapes[a].slice(0, -2);
    if (b === undefined) {
      this.push([...lead, m, m], (v) => tamed(matmul(v[a], transposedLast(v[a]))));
      return;
    }
    const turn = this.shapes[b][0] !== k;
    const n = this.shapes[b][turn ? 0 : 1];
    this.push([...lead, m, n], (v) => tamed(matmul(v[a], turn ? transpose(v[b]) : v[b])));
  }

  private movement(): void {
    const { source } = this;
    const at = this.pick() as number;
    const shape = this.shapes[at];
    switch (source.integer(0, 4)) {
      case 0: {
        const permutation = source.shuffle(shape.map((_, i) => i));
        this.push(
          permutation.map((axis) => shape[axis]),
          (v) => transpose(v[at], permutation),
        );
        return;
      }
      case 1: {
        const size = shape.reduce((a, b) => a * b, 1);
        const divisors = [1, 2, 3, 4].filter((d) => size % d === 0);
        const d = source.pick(divisors);
        this.push([d, size / d], (v) => reshape(v[at], [d, size / d]));
        return;
      }
      case 2: {
        const axis = source.integer(0, shape.length + 1);
        this.push([...shape.slice(0, axis), 1, ...shape.slice(axis)], (v) => expandDims(v[at], axis));
        return;
      }
      default: {
        if (shape.length === 0) return;
        const parts = shape.map((n) => {
          const start = source.integer(0, n);
          return { start, stop: source.integer(start + 1, n + 1), step: source.pick([1, 1, 2]) };
        });
        this.push(
          parts.map(({ start, stop, step }) => Math.ceil((stop - start) / step)),
          (v) => slice(v[at], parts),
        );
      }
    }
  }

  private indexing(): void {
    const { source } = this;
    const at = this.pick((shape) => shape.length > 0);
    if (at === undefined) return;
    const shape = this.shapes[at];
    const axis = source.integer(0, shape.length);
    const count = source.integer(1, 5);
    const indices = tensor(Int32Array.from({ length: count }, () => source.integer(0, shape[axis])));
    const taken = shape.map((n, i) => (i === axis ? count : n));
    if (source.next() < 0.5) this.push(taken, (v) => take(v[at], indices, { axis }));
    else this.push(shape, (v) => tamed(scatterAdd(v[at], indices, sin(take(v[at], indices, { axis })), { axis })));
  }

  private window(): void {
    const at = this.pick((shape) => shape.length === 3 && shape[2] >= 3);
    if (at === undefined) return;
    const [n, channels, width] = this.shapes[at];
    const stride = this.source.pick([1, 2]);
    if (this.source.next() < 0.4) {
      const out = Math.floor((width - 2) / stride) + 1;
      this.push([n, channels, out], (v) => maxPool(v[at], 2, { strides: stride }));
      return;
    }
    const kernel = tensor(
      Float64Array.from({ length: 2 * channels * 3 }, () => this.source.uniform(-1, 1)),
      { shape: [2, channels, 3] },
    );
    const out = Math.floor((width - 1) / stride) + 1;
    this.push([n, 2, out], (v) => tamed(conv(v[at], asTypeOf(kernel, v[at]), { strides: stride, padding: 1 })));
  }

  private control(): void {
    const at = this.pick((shape) => shape.length > 0 && shape[0] > 0);
    const other = this.pick() as number;
    if (at === undefined) return;
    const shape = this.shapes[at];
    if (this.source.next() < 0.5) {
      const step =
        (x: Tensor) =>
        (s: Tensor, row: Tensor): [Tensor, Tensor] => {
          const next = tanh(add(mul(s, 0.5), mul(row, mean(x))));
          return [next, sin(add(next, row))];
        };
      const reverse = this.source.next() < 0.5;
      this.push(shape, (v) => scan(step(v[other]), mul(slice(v[at], [0]), 0.5), v[at], { reverse })[1]);
      return;
    }
    const threshold = this.source.uniform(-0.5, 0.5);
    this.push(shape, (v) =>
      cond(
        greater(mean(v[other]), threshold),
        (x: Tensor) => sin(mul(x, 1.5)),
        (x: Tensor) => tanh(sub(x, mean(v[other]))),
        v[at],
      ),
    );
  }
}

function transposedLast(x: Tensor): Tensor {
  const axes = x.shape.map((_, i) => i);
  return transpose(x, [...axes.slice(0, -2), axes[axes.length - 1], axes[axes.length - 2]]);
}

function asTypeOf(x: Tensor, like: Tensor): Tensor {
  return tensor(x, { dtype: like.dtype });
}

const INPUT_SHAPES = [[], [3], [2, 3], [3, 2], [1, 3], [2, 2, 3], [2, 1, 4], [4]];

/** The random program of a seed; the same each time. */
export function randomProgram(seed: number, dtype: "float32" | "float64"): RandomProgram {
  const source = new Source(seed);
  const maker = new Maker(source);
  const inputs = Array.from({ length: source.integer(1, 5) }, () => {
    const shape = source.pick(INPUT_SHAPES);
    maker.addInput(shape);
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float64Array.from({ length: size }, () => source.uniform(-1.5, 1.5)),
      { shape, dtype },
    );
  });
  const length = source.integer(3, 16);
  while (maker.steps.length < length) maker.grow();
  const { steps } = maker;
  const values = (...given: Tensor[]) => {
    const all = [...given];
    for (const step of steps) all.push(step(all));
    return all;
  };
  // Every value counts a little, the last ones most.
  const loss = (...given: Tensor[]) =>
    values(...given)
      .map((x, i) => mean(mul(x, 1 + 0.1 * i)))
      .reduce((total, term) => add(mul(total, 0.7), term));
  return { loss, values, inputs };
}
