import {
  add,
  argMax,
  cond,
  conv,
  div,
  equal,
  fft,
  floor,
  grad,
  greater,
  isNaN as isNan,
  less,
  linalg,
  logicalAnd,
  matmul,
  maxPool,
  mean,
  mod,
  mul,
  random,
  relu,
  reshape,
  scan,
  scatterAdd,
  sin,
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
  topK,
  transpose,
  tree,
  valueAndGrad,
  where,
  whileLoop,
} from "@offprint/tensor-core";
import { smallMlp } from "./models.js";

/** A function that is exported, and arguments to run it with. */
export interface ExportCase {
  readonly f: (...args: any[]) => any;
  readonly args: readonly unknown[];
}

type State = { [name: string]: Tensor };

const rng = random.rng(11);
const normal = (...shape: number[]) => rng.normal(shape);
const wide = (...shape: number[]) => rng.normal(shape, { dtype: "float64" });

const small = smallMlp([3, 8, 4], 6);

/** One step of Adam on a linear model, state and moments in and out. */
function adamStep(params: State, first: State, second: State, count: Tensor, x: Tensor, y: Tensor) {
  const loss = (p: State) => mean(square(sub(add(matmul(x, p.w), p.b), y)));
  const [value, gradient] = valueAndGrad(loss)(params);
  const steps = add(count, 1);
  const m = tree.map((a: Tensor, g: Tensor) => add(mul(a, 0.9), mul(g, 0.1)), first, gradient);
  const v = tree.map((a: Tensor, g: Tensor) => add(mul(a, 0.999), mul(square(g), 0.001)), second, gradient);
  const scale = (decay: number) => sub(1, sin(mul(steps, decay)));
  const next = tree.map(
    (p: Tensor, a: Tensor, b: Tensor) =>
      sub(p, mul(div(div(a, scale(0.1)), add(sqrt(div(b, scale(0.2))), 1e-8)), 0.01)),
    params,
    m,
    v,
  );
  return { next, m, v, steps, value };
}

function attention(x: Tensor, w: Tensor): Tensor {
  const qkv = transpose(reshape(matmul(x, w), [2, 5, 3, 2, 4]), [2, 0, 3, 1, 4]);
  const [q, k, v] = [0, 1, 2].map((i) => qkv.slice([i]));
  const heard = matmul(softmax(div(matmul(q, transpose(k, [0, 1, 3, 2])), 2)), v);
  return mean(square(heard));
}

function cnnLoss(kernel: Tensor, weights: Tensor, x: Tensor): Tensor {
  const h = maxPool(relu(conv(x, kernel, { padding: 1 })), 2, { strides: 2 });
  return mean(square(matmul(reshape(h, [x.shape[0], -1]), weights)));
}

function rnn(w: Tensor, xs: Tensor) {
  const step = (h: Tensor, x: Tensor): [Tensor, Tensor] => {
    const next = tanh(add(matmul(h, w), x));
    return [next, mean(next)];
  };
  const [last, means] = scan(step, mul(xs.slice([0]), 0), xs);
  return add(sum(square(last)), sum(means));
}

/** Functions of every kind that the backend compiles, and what to run them on. */
export const exportCases: Readonly<Record<string, ExportCase>> = {
  "mlp-step": { f: small.step, args: [small.params, ...small.data] },
  "adam-step": {
    f: adamStep,
    args: [
      { w: normal(3, 2), b: normal(2) },
      { w: normal(3, 2), b: normal(2) },
      tree.map(square, { w: normal(3, 2), b: normal(2) }),
      tensor(3),
      normal(5, 3),
      normal(5, 2),
    ],
  },
  "attention-gradient": { f: (x, w) => grad(attention, { argument: 1 })(x, w), args: [normal(2, 5, 8), normal(8, 24)] },
  "cnn-step": {
    f: (k: Tensor, w: Tensor, x: Tensor) => {
      const [gk, gw] = grad(cnnLoss, { argument: [0, 1] })(k, w, x);
      return [sub(k, mul(gk, 0.1)), sub(w, mul(gw, 0.1))];
    },
    args: [normal(2, 1, 3, 3), normal(2 * 3 * 3, 2), normal(2, 1, 6, 6)],
  },
  "scan-gradient": { f: (w, xs) => grad(rnn)(w, xs), args: [normal(3, 3), normal(4, 2, 3)] },
  cond: {
    f: (x: Tensor, y: Tensor) =>
      cond(
        greater(sum(x), 0),
        (a: Tensor) => mul(a, y),
        (a: Tensor) => sin(a),
        x,
      ),
    args: [tensor([1, -3, 1]), tensor([2, 3, 4])],
  },
  "while-loop": {
    f: (x: Tensor, limit: Tensor) =>
      whileLoop(
        (s: Tensor) => less(sum(s), limit),
        (s: Tensor) => add(mul(s, 1.5), 1),
        x,
      ),
    args: [tensor([1, 2]), tensor(100)],
  },
  fourier: {
    f: (x: Tensor) => [fft.fft(x, { axis: 0 }), fft.fft(x, { axis: 1 }), fft.ifft(fft.fft(x, { axis: 1 })).re],
    args: [normal(8, 6)],
  },
  "long-odd-fourier": { f: (x: Tensor) => fft.fft(x), args: [wide(2, 77)] },
  "solve-float64": {
    f: (a: Tensor, b: Tensor) => [linalg.solve(a, b), linalg.cholesky(add(matmul(a, transpose(a)), 0))],
    args: [
      add(
        wide(4, 4),
        mul(
          tensor([
            [1, 0, 0, 0],
            [0, 1, 0, 0],
            [0, 0, 1, 0],
            [0, 0, 0, 1],
          ]),
          5,
        ),
      ),
      wide(4, 2),
    ],
  },
  "special-functions": {
    f: (x: Tensor) => [
      special.gelu(x),
      special.erfc(x),
      special.softplus(x),
      special.normalLogCdf(x),
      special.erfinv(tanh(x)),
    ],
    args: [normal(3, 4)],
  },
  indexing: {
    f: (x: Tensor, i: Tensor) => [
      take(x, i),
      scatterAdd(x, i, mul(take(x, i), 2)),
      sort(x, { axis: 0 }),
      topK(x, 2).indices,
      argMax(x, { axis: 1 }),
    ],
    args: [normal(4, 3), tensor(new Int32Array([2, 0, 2]))],
  },
  logic: {
    f: (x: Tensor, n: Tensor) => [
      logicalAnd(less(x, 0.5), equal(mod(n, 2), 0)),
      where(isNan(x), 0, floor(x)),
      mod(n, -3),
      where(isNan(x), 0, x).cast("int32"),
    ],
    args: [tensor([0.2, Number.NaN, -1.5, 3.7]), tensor(new Int32Array([-4, 3, 7, 10]))],
  },
};
