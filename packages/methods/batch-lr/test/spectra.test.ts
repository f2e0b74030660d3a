import { withSpectrum } from "@offprint/claims/makers";
import { crossEntropy } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import {
  add,
  grad,
  linalg,
  matmul,
  mean,
  mul,
  random,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { checkSymmetric, curvature, krylovSpectrum, polyak, powerIteration, spectralDensity } from "../src/index.js";

const rng = random.rng("spectra");
const operatorOf = (matrix: Tensor) => (x: Float64Array, out: Float64Array) => {
  const n = x.length;
  const values = matrix.data();
  for (let i = 0; i < n; i++) {
    let total = 0;
    for (let j = 0; j < n; j++) total += values[i * n + j] * x[j];
    out[i] = total;
  }
};
const start = (n: number) => Float64Array.from(random.rng(`start ${n}`).normal([n], { dtype: "float64" }).data());

describe("Lanczos from a vector", () => {
  const eigenvalues = Float64Array.from({ length: 30 }, (_, i) => Math.sin(3 * i) * 4);
  const matrix = withSpectrum(rng, eigenvalues);
  const apply = operatorOf(matrix);

  it("gives the exact spectrum with as many steps as the order", () => {
    const { nodes, weights } = krylovSpectrum(apply, start(30), 30);
    expectClose(nodes, Float64Array.from(eigenvalues).sort(), { absolute: 1e-10 });
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it("has exact moments below twice the steps", () => {
    const z = start(30);
    const size = Math.hypot(...z);
    const { nodes, weights, mean: average } = krylovSpectrum(apply, z, 6);
    let vector = z.map((x) => x / size);
    const unit = vector;
    for (let k = 0; k < 12; k++) {
      const exact = unit.reduce((total, x, i) => total + x * vector[i], 0);
      const found = nodes.reduce((total, node, i) => total + weights[i] * node ** k, 0);
      expect(found / 4 ** k).toBeCloseTo(exact / 4 ** k, 12);
      if (k === 1) expect(average).toBeCloseTo(exact, 12);
      const next = new Float64Array(30);
      apply(vector, next);
      vector = next;
    }
  });

  it("has unit Ritz vectors, which are eigenvectors at the ends", () => {
    const { nodes, vector } = krylovSpectrum(apply, start(30), 30);
    const top = vector(29);
    const product = new Float64Array(30);
    apply(top, product);
    expectClose(
      product,
      top.map((x) => x * nodes[29]),
      { absolute: 1e-9 },
    );
    expect(Math.hypot(...top)).toBeCloseTo(1, 12);
  });

  it("ends early on a matrix of low rank, with its values", () => {
    const low = withSpectrum(rng, [5, -2, ...new Array(28).fill(0)]);
    const { nodes } = krylovSpectrum(operatorOf(low), start(30), 20);
    expect(nodes.length).toBe(3);
    expectClose(nodes, [-2, 0, 5], { absolute: 1e-10 });
  });

  it("needs fewer products than power iteration", () => {
    const steep = withSpectrum(rng, [3, ...Array.from({ length: 29 }, (_, i) => 2.7 - i / 15)]);
    const found = powerIteration(operatorOf(steep), { start: start(30) });
    expect(found.value).toBeCloseTo(3, 3);
    expect(found.iterations).toBeGreaterThan(30);
    expect(krylovSpectrum(operatorOf(steep), start(30), 15).nodes.at(-1)).toBeCloseTo(3, 3);
    expect(powerIteration(operatorOf(steep), { start: start(30), maxIterations: 2 }).status).toBe("limit");
  });

  it("refuses a zero start, steps out of range, products that are not finite, and what is not symmetric", () => {
    expect(() => krylovSpectrum(apply, new Float64Array(30), 3)).toThrow(/must not be zero/);
    expect(() => krylovSpectrum(apply, start(30), 0)).toThrow(/steps is 0/);
    expect(() => krylovSpectrum(apply, start(30), 31)).toThrow(/steps is 31/);
    expect(() => krylovSpectrum((_, out) => void out.fill(Number.NaN), start(30), 3)).toThrow(/not finite/);
    checkSymmetric(apply, 30, rng);
    const skew = (x: Float64Array, out: Float64Array) => {
      apply(x, out);
      out[0] += x[1];
    };
    expect(() => checkSymmetric(skew, 30, rng)).toThrow(/not symmetric/);
    expect(() => powerIteration(apply, { start: new Float64Array(30) })).toThrow(/not zero/);
    const one = { start: Float64Array.of(1, 0) };
    expect(powerIteration((_, out) => out.fill(0), one)).toMatchObject({ value: 0, status: "converged" });
    expect(() => powerIteration((_, out) => out.fill(Number.NaN), one)).toThrow(
      /apply gave values that are not finite/,
    );
    expect(() => polyak({ largest: 2 } as never)).toThrow(/polyak: spectrumNodes.nodes is undefined/);
    expect(() => polyak({ nodes: [1, 2], weights: [1] })).toThrow(/2 nodes have 1 weights; give one for each/);
  });
});

describe("products with the Hessian", () => {
  const draw = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
  const params = { a: draw([3, 4]), b: draw([4, 3]) };
  type Net = typeof params;
  const batch = { x: draw([6, 3]), y: rng.randint([6], { high: 3 }) };
  const outputs = ({ a, b }: Net, { x }: typeof batch) => matmul(tanh(matmul(x, a)), b);
  const outputLoss = (z: Tensor, { y }: typeof batch) => crossEntropy(z, y);
  const loss = (p: Net, data: typeof batch) => outputLoss(outputs(p, data), data);
  const dense = (apply: (x: Float64Array, out: Float64Array) => void, n: number) => {
    const columns = Array.from({ length: n }, (_, j) => {
      const out = new Float64Array(n);
      apply(
        Float64Array.from({ length: n }, (_, i) => (i === j ? 1 : 0)),
        out,
      );
      return [...out];
    });
    return tensor(Float64Array.from(columns.flat()), { shape: [n, n] });
  };
  const hessian = curvature(loss);

  it("agree with finite differences of the gradient", () => {
    const n = hessian.sizeOf(params);
    expect(n).toBe(24);
    const v = start(n);
    const out = new Float64Array(n);
    hessian.at(params, batch)(v, out);
    const at = (step: number): Net => ({
      a: add(params.a, mul(tensor(v.slice(0, 12), { shape: [3, 4] }), step)),
      b: add(params.b, mul(tensor(v.slice(12), { shape: [4, 3] }), step)),
    });
    const slope = (p: Net) => {
      const { a, b } = grad((q: Net) => loss(q, batch))(p) as Net;
      return [...a.data(), ...b.data()];
    };
    const [up, down] = [slope(at(1e-5)), slope(at(-1e-5))];
    expectClose(
      out,
      up.map((g, i) => (g - down[i]) / 2e-5),
      { absolute: 1e-6 },
    );
  });

  it("are symmetric, and those with the Gauss-Newton matrix positive semidefinite", () => {
    const n = 24;
    checkSymmetric(hessian.at(params, batch), n, rng, 1e-12);
    const gaussNewton = dense(curvature({ outputs, outputLoss }).at(params, batch), n);
    expect(Math.min(...linalg.eigh(gaussNewton).values.data())).toBeGreaterThan(-1e-12);
    expect(Math.min(...linalg.eigh(dense(hessian.at(params, batch), n)).values.data())).toBeLessThan(-1e-3);
  });

  it("are the same with both matrices for a linear model", () => {
    const linear = (w: Tensor, { x }: typeof batch) => matmul(x, w);
    const w = draw([3, 3]);
    const whole = dense(
      curvature((p: Tensor, data: typeof batch) => outputLoss(linear(p, data), data)).at(w, batch),
      9,
    );
    expectClose(dense(curvature({ outputs: linear, outputLoss }).at(w, batch), 9), whole, { absolute: 1e-12 });
  });

  it("are exact on a quadratic, in the precision of the parameters", () => {
    const matrix = withSpectrum(rng, [1, 2, 3]);
    const f = (x: Tensor) => mul(sum(mul(x, matmul(matrix, x))), 0.5);
    expectClose(dense(curvature(f).at(tensor(new Float64Array(3)), null), 3), matrix, { absolute: 1e-12 });
    const single = curvature((x: Tensor) => mean(square(sub(x, 1)))).at(tensor([1, 2]), null);
    const out = new Float64Array(2);
    single(Float64Array.of(1, 0), out);
    expectClose(out, [1, 0], { absolute: 1e-6 });
  });

  it("refuse numbers that are not finite, and go on from there", () => {
    const cubic = curvature((p: Tensor) => sum(mul(square(p), p)));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -Number.MAX_VALUE]) {
      const apply = cubic.at(tensor([1, 3], { dtype: "float64" }), null);
      const out = new Float64Array(2);
      expect(() => apply(Float64Array.of(1, value), out)).toThrow(/product with the Hessian is not finite/);
      apply(Float64Array.of(1, -1), out);
      expectClose(out, [6, -18], { absolute: 1e-12 });
    }
  });

  it("refuse a loss that is none", () => {
    expect(() => curvature({ outputs } as never)).toThrow(/must both be functions/);
    expect(() => curvature(3 as never)).toThrow(/must be a function/);
  });
});

describe("Polyak's rates", () => {
  it("make the iteration's spectral radius the root of the momentum at both ends of the spectrum", () => {
    const { learningRate, momentum } = polyak(
      { nodes: [0.3, 7], weights: [0.5, 0.5] },
      { safety: 1, smallest: "min-positive" },
    )!;
    for (const lambda of [0.3, 7]) {
      // Eigenvalues of [[1 + rho - alpha lambda, -rho], [1, 0]].
      const trace = 1 + momentum - learningRate * lambda;
      const discriminant = trace * trace - 4 * momentum;
      const radius =
        discriminant < 0
          ? Math.sqrt(momentum)
          : Math.max(Math.abs(trace + Math.sqrt(discriminant)), Math.abs(trace - Math.sqrt(discriminant))) / 2;
      expect(radius).toBeCloseTo(Math.sqrt(momentum), 6);
    }
  });

  it("follow each rule for the smallest curvature, with a floor below the mean", () => {
    const spectrum = { nodes: [-1, 1e-9, 2, 8], weights: [0.4, 0.2, 0.2, 0.2] };
    const mu = (smallest: "mean" | "min-positive" | "abs-mean" | "zero") => polyak(spectrum, { smallest })?.smallest;
    expect(mu("mean")).toBeCloseTo(1.6, 8);
    expect(mu("min-positive")).toBe(2);
    expect(mu("abs-mean")).toBeCloseTo(2.4, 8);
    expect(mu("zero")).toBe(0);
    expect(polyak({ nodes: [-1, 8], weights: [0.95, 0.05] })?.smallest).toBe(8e-3);
    expect(polyak(spectrum, { smallest: "zero" })?.momentum).toBe(0.99);
    expect(polyak(spectrum, { momentum: false, safety: 0.5 })).toMatchObject({ learningRate: 0.25, momentum: 0 });
  });

  it("are none where no curvature is positive, and refuse options out of range", () => {
    expect(polyak({ nodes: [-2, -1], weights: [0.5, 0.5] })).toBeUndefined();
    const spectrum = { nodes: [1], weights: [1] };
    expect(() => polyak(spectrum, { safety: 2 })).toThrow(/safety is 2/);
    expect(() => polyak(spectrum, { maxMomentum: 1 })).toThrow(/maxMomentum is 1/);
    expect(() => polyak(spectrum, { smallest: "least" as "mean" })).toThrow(/smallest/);
  });
});

const small = withSpectrum(rng, [1, 2, 3, 4, 5]);
runConformance(
  "spectralDensity",
  {
    run: (options) => spectralDensity(operatorOf(small), 5, { steps: 3, ...options }),
    limit: "probes",
    short: 6,
    endless: { probes: 1e9, steps: 1 },
    seeded: true,
    invalid: [{ steps: 0 }, { steps: 6 }, { kind: "sign" }],
    nonFinite: [() => spectralDensity((_, out) => void out.fill(Number.NaN), 5, { probes: 2, steps: 2 })],
    outcome: ({ nodes, weights, status, history, iterations }) => ({ nodes, weights, status, history, iterations }),
  },
  { describe, it, expect },
);

it("a density has area one, and the trace of the matrix with probes of signs", async () => {
  const diagonal = (x: Float64Array, out: Float64Array) => x.forEach((value, i) => (out[i] = value * (i + 1)));
  const { density, trace, mean: average } = await spectralDensity(diagonal, 5, { steps: 5, probes: 2 });
  const x = Float64Array.from({ length: 801 }, (_, i) => -2 + i / 80);
  expect(density(x, 0.1).reduce((total, each) => total + each / 80, 0)).toBeCloseTo(1, 6);
  expect(trace).toBeCloseTo(15, 10);
  expect(average((v) => v * v)).toBeCloseTo(11, 10);
  expect(() => density(x, 0)).toThrow(/sigma is 0/);
});
