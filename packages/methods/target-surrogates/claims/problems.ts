import { orthonormal } from "@offprint/claims/makers";
import { breastCancer } from "@offprint/datasets";
import { linalg, matmul, mul, random, type Tensor, tensor, transpose } from "@offprint/tensor-core";

/** Logistic regression without a bias of its own. */
export interface LogisticProblem {
  /** Inputs `[n, d]`, float64. */
  readonly x: Tensor;
  /** Labels 0 or 1. */
  readonly y: Float64Array;
  /** Mean loss at weights `[d]`. */
  loss(w: ArrayLike<number>): number;
  /** The least mean loss. */
  readonly optimum: number;
}

const double = { dtype: "float64" } as const;

/** A problem from its data; the optimum is Newton's. */
export function logisticProblem(x: Tensor, y: Float64Array): LogisticProblem {
  const [n, d] = x.shape;
  const rows = x.data() as Float64Array;
  const products = (w: ArrayLike<number>) => {
    const z = new Float64Array(n);
    for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) z[i] += rows[i * d + j] * w[j];
    return z;
  };
  const loss = (w: ArrayLike<number>) => {
    const z = products(w);
    let total = 0;
    for (let i = 0; i < n; i++) total += Math.max(z[i], 0) + Math.log1p(Math.exp(-Math.abs(z[i]))) - y[i] * z[i];
    return total / n;
  };
  return { x, y, loss, optimum: newton(x, y, loss, products) };
}

/** Damped Newton steps until they gain nothing. */
function newton(
  x: Tensor,
  y: Float64Array,
  loss: (w: ArrayLike<number>) => number,
  products: (w: ArrayLike<number>) => Float64Array,
): number {
  const [n, d] = x.shape;
  const xt = transpose(x);
  let w = new Float64Array(d);
  let least = loss(w);
  for (let k = 0; k < 100; k++) {
    const p = products(w).map((z) => 1 / (1 + Math.exp(-z)));
    const g = matmul(xt, tensor(p.map((each, i) => each - y[i])));
    const H = matmul(
      xt,
      mul(
        x,
        tensor(
          p.map((each) => each * (1 - each)),
          { shape: [n, 1] },
        ),
      ),
    );
    const step = linalg.solve(H, g).data();
    let length = 1;
    let next = w;
    let value = Number.POSITIVE_INFINITY;
    for (; length > 1e-6 && !(value < least); length /= 2) {
      next = w.map((each, j) => each - length * step[j]);
      value = loss(next);
    }
    if (!(value < least - 1e-15)) return Math.min(least, value);
    [w, least] = [next, value];
  }
  return least;
}

/** `X = sqrt(n) U diag(1, ..., 1/kappa) V^T`, with weights and labels that are the same for every kappa. */
export function conditioned(seed: number, n: number, kappas: readonly number[], d = 20): LogisticProblem[] {
  const rng = random.rng(`${seed}/conditioned`);
  const u = orthonormal(rng, n, d);
  const v = orthonormal(rng, d, d);
  const noise = rng.normal([d], double).data();
  const uniforms = rng.uniform([n], double).data();
  return kappas.map((kappa) => {
    const scale = Float64Array.from({ length: d }, (_, j) => kappa ** (-j / (d - 1)));
    const x = matmul(mul(u, tensor(scale.map((each) => each * Math.sqrt(n)))), transpose(v));
    const z = matmul(u, tensor(Float64Array.from(noise, (each) => Math.sqrt(n) * 0.7 * each))).data();
    const y = Float64Array.from(z, (each, i) => (uniforms[i] < 1 / (1 + Math.exp(-each)) ? 1 : 0));
    return logisticProblem(x, y);
  });
}

/** Breast cancer with a bias, 5 % of the labels flipped; features divided by their maxima, or standardised. */
export function flippedCancer(seed: number, scaling: "maxima" | "standard" = "maxima"): LogisticProblem {
  const { inputs, targets } = breastCancer(double);
  const [n, d] = inputs.shape;
  const from = inputs.data();
  const x = new Float64Array(n * (d + 1)).fill(1);
  for (let j = 0; j < d; j++) {
    const column = Float64Array.from({ length: n }, (_, i) => from[i * d + j]);
    const mean = column.reduce((a, b) => a + b, 0) / n;
    const deviation = Math.sqrt(column.reduce((total, each) => total + (each - mean) ** 2, 0) / n);
    const most = column.reduce((a, b) => Math.max(a, b));
    for (let i = 0; i < n; i++) {
      x[i * (d + 1) + j] = scaling === "maxima" ? column[i] / most : (column[i] - mean) / deviation;
    }
  }
  const y = Float64Array.from(targets.data());
  const flips = random
    .rng(`${seed}/flips`)
    .permutation(n)
    .data()
    .slice(0, Math.round(0.05 * n));
  for (const i of flips) y[i] = 1 - y[i];
  return logisticProblem(tensor(x, { shape: [n, d + 1] }), y);
}

/** A linear network with one hidden layer, and the targets that it is to give. */
export interface FactorisationProblem {
  /** Inputs `[n, 6]`. */
  readonly x: Tensor;
  /** Targets `[n, 10]`. */
  readonly y: Tensor;
  /** Initial weights. */
  readonly params: { readonly W1: Tensor; readonly W2: Tensor };
  /** Least loss of a network this wide. */
  readonly floor: number;
}

/** `y = A x` with rows of A that fade to nothing; k is the width of the network. */
export function factorisation(seed: number, k: number, n: number): FactorisationProblem {
  const rng = random.rng(`${seed}/factorisation`);
  const fading = tensor(Float64Array.from({ length: 10 }, (_, i) => 1 + (i / 9) * (1e-10 - 1)));
  const A = rng.uniform([6, 10], double).mul(fading);
  const x = rng.normal([n, 6], double);
  const y = matmul(x, A);
  const params = {
    W1: rng.normal([6, k], double).mul(1 / Math.sqrt(6)),
    W2: rng.normal([k, 10], double).mul(1 / Math.sqrt(k)),
  };
  // y = x A with x of full rank: the best outputs of rank k are those of the singular value decomposition
  const singular = Array.from(linalg.svdvals(y).data());
  const floor = singular.slice(k).reduce((total, s) => total + (s * s) / (2 * n), 0);
  return { x, y, params, floor };
}

/** Forward function of the linear network. */
export function factored({ W1, W2 }: FactorisationProblem["params"], x: Tensor): Tensor {
  return matmul(matmul(x, W1), W2);
}
