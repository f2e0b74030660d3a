import {
  add,
  diagonal,
  div,
  eye,
  grad,
  linalg,
  matmul,
  mul,
  random,
  sin,
  special,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { errorLike, expectClose, expectGradient, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  additive,
  condition,
  evidenceTerms,
  matern,
  nngp,
  onInputs,
  randomFeatures,
  rawOf,
  scale,
  scaleAfter,
  squaredExponential,
  sumOf,
} from "../src/index.js";
import { type Reference, usual } from "./reference.js";

const fixture = readFixture<Reference>(import.meta.url, "sklearn.json");
const f64 = (values: number[] | number[][]) => tensor(values, { dtype: "float64" });
const wave = (x: Tensor) => sum(sin(mul(2, x)), 1);

describe("condition", () => {
  it("gives scikit-learn's means, covariances and evidence", () => {
    for (const [name, { mean, covariance, logEvidence }] of Object.entries(fixture.cases)) {
      const kernel = scale(usual(name, fixture.lengths), 1.7);
      const posterior = condition(kernel, fixture.X, fixture.y, { noise: 0.02 });
      expectClose(posterior.mean(fixture.Z), mean, 1e-9, name);
      expectClose(posterior.covariance(fixture.Z), covariance, 1e-9, name);
      expectClose(
        posterior.variance(fixture.Z),
        covariance.map((row, i) => row[i]),
        1e-9,
        name,
      );
      expect(posterior.logEvidence).toBeCloseTo(logEvidence, 8);
      const both = posterior.marginals(fixture.Z);
      expectClose([both.mean, both.variance], [posterior.mean(fixture.Z), posterior.variance(fixture.Z)], 1e-12);
      expect(posterior.jitter).toBe(0);
      const K = add(kernel.matrix(f64(fixture.X)), mul(0.02, eye(25, 25, "float64")));
      expect(posterior.quadratic).toBeCloseTo(evidenceTerms(K, f64(fixture.y)).quadratic.item(), 8);
    }
  });

  it("has the evidence's gradient of scikit-learn", () => {
    for (const [name, { gradient }] of Object.entries(fixture.cases)) {
      const kernel = scale(usual(name, fixture.lengths), 1.7);
      const [X, y] = [f64(fixture.X), f64(fixture.y)];
      const evidence = (logs: Tensor) => {
        const raw = (value: Tensor) => rawOf(value.exp());
        const parts = { variance: raw(logs.slice([0])), kernel: { length: raw(logs.slice([{ start: 1, stop: 4 }])) } };
        const K = add(kernel.with(parts).matrix(X), mul(logs.slice([4]).exp(), f64(identity(25))));
        const { quadratic, logDeterminant } = evidenceTerms(K, y);
        return mul(-0.5, add(quadratic, logDeterminant));
      };
      const at = f64([1.7, ...fixture.lengths, 0.02]).log();
      expectClose(grad(evidence)(at), gradient, { relative: 1e-6, absolute: 1e-6 }, name);
    }
  });

  it("interpolates without noise, and knows nothing far away", () => {
    const x = f64([[0], [0.5], [1.3]]);
    const posterior = condition(squaredExponential(), x, wave(x), { mean: 0.3 });
    expectClose(posterior.mean(x), wave(x), 1e-6);
    expect(posterior.mean([[50]]).item()).toBeCloseTo(0.3, 12);
    expect(posterior.variance([[50]]).item()).toBeCloseTo(1, 12);
    expect(Math.max(...Array.from(posterior.variance(x).data()))).toBeLessThan(1e-7);
    const nothing = condition(squaredExponential(), zeros([0, 1], "float64"), zeros([0], "float64"));
    expect(nothing.mean([[1]]).item()).toBe(0);
    expect(nothing.variance([[1]]).item()).toBe(1);
  });

  it("leaves one out as the inverse of its covariances says", () => {
    const [n, noise] = [9, 0.05];
    const x = random.rng(5).uniform([n, 2], { dtype: "float64" });
    const y = random.rng(6).normal([n], { dtype: "float64" });
    const kernel = squaredExponential({ length: [0.4, 0.8] });
    const inverse = linalg.solve(add(kernel.matrix(x), mul(noise, eye(n, n, "float64"))), eye(n, n, "float64"));
    const weights = matmul(inverse, y).toArray() as number[];
    const precisions = diagonal(inverse).toArray() as number[];
    for (let i = 0; i < n; i++) {
      const others = tensor(
        Array.from({ length: n }, (_, k) => k).filter((k) => k !== i),
        { dtype: "int32" },
      );
      const posterior = condition(kernel, take(x, others), take(y, others), { noise });
      const at = x.slice([{ start: i, stop: i + 1 }]);
      expectClose(posterior.mean(at), [y.slice([i]).item() - weights[i] / precisions[i]], 1e-10);
      expectClose(posterior.variance(at), [1 / precisions[i] - noise], 1e-10);
    }
  });

  it("appends values by rank-one updates as if they had been there", () => {
    const rng = random.rng(4);
    const x = rng.normal([20, 2], { dtype: "float64" });
    const y = wave(x);
    const [first, rest] = [
      { start: 0, stop: 12 },
      { start: 12, stop: 20 },
    ];
    const options = { noise: 0.01, scale: { kind: "inverseGamma", shape: 2, rate: 1 } } as const;
    const whole = condition(matern(), x, y, options);
    let grown = condition(matern(), x.slice([first]), y.slice([first]), options);
    for (let i = rest.start; i < rest.stop; i++) {
      grown = grown.append(x.slice([{ start: i, stop: i + 1 }]), y.slice([{ start: i, stop: i + 1 }]));
    }
    const z = rng.normal([5, 2], { dtype: "float64" });
    expectClose(grown.mean(z), whole.mean(z), 1e-9);
    expectClose(grown.covariance(z), whole.covariance(z), 1e-9);
    expect(grown.logEvidence).toBeCloseTo(whole.logEvidence, 9);
    expect(grown.count).toBe(20);
  });

  it.each([1e-9, 1e-3, 1e3, 1e9])("is the same in units of inputs and values, with gradients: %s", (unit) => {
    const [x, z, at] = [
      [[0.3], [1.1], [2.4]],
      [[0.8], [3]],
      [[1.5], [2]],
    ];
    const observed = (length: number, height: number) => {
      const inLengths = (rows: number[][]) => rows.map(([v]) => [v * length]);
      const posterior = condition(
        scale(squaredExponential({ length }), height ** 2),
        inLengths(x),
        x.map(([v]) => height * Math.sin(v)),
        { derivatives: { x: inLengths(z), y: z.map(([v]) => [(height / length) * Math.cos(v)]) } },
      );
      expect(posterior.jitter).toBe(0);
      return [div(posterior.mean(inLengths(at)), height), div(posterior.variance(inLengths(at)), height ** 2)];
    };
    const [mean, variance] = observed(1, 1);
    for (const [length, height] of [
      [unit, 1],
      [1, unit],
      [unit, unit],
    ]) {
      const [sameMean, sameVariance] = observed(length, height);
      expectClose(sameMean, mean, 1e-9);
      expectClose(sameVariance, variance, 1e-9);
    }
  });

  it("takes points again that are known without noise", () => {
    const [x, y, at] = [
      [[0], [1], [2], [3.5]],
      [0.1, -0.4, 0.9, 2],
      [[0.5], [2.7]],
    ];
    const posterior = condition(matern(), x, y);
    const again = posterior.append(x, y);
    expect(again.jitter).toBeCloseTo(1e-8, 12);
    expectClose(again.mean(at), posterior.mean(at), 1e-7);
  });

  it("reports the jitter that repeated points need, and refuses what no jitter mends", () => {
    const posterior = condition(squaredExponential(), [[1], [1], [2]], [0.5, 0.5, 1]);
    expect(posterior.jitter).toBeGreaterThanOrEqual(1e-8);
    expect(posterior.jitter).toBeLessThanOrEqual(1e-4);
    expect(posterior.mean([[1]]).item()).toBeCloseTo(0.5, 3);
    const indefinite = {
      ...squaredExponential(),
      matrix: (x: Tensor, x2: Tensor = x) => matmul(x, x2.transpose()).mul(-1),
    };
    const wrong = { ...indefinite, with: () => indefinite };
    expect(() => condition(wrong, [[1], [2]], [0, 0])).toThrow(errorLike("ConvergenceError", /not positive definite/));
  });

  it("draws functions with its mean and covariance", () => {
    const x = f64([[0], [1]]);
    const posterior = condition(matern(), x, [0, 1], { noise: 0.1 });
    const z = f64([[0.3], [0.8], [2]]);
    const draws = posterior.sample(z, { rng: random.rng(2), count: 4000 });
    expectClose(draws.mean(0), posterior.mean(z), { absolute: 0.05 });
    const centred = sub(draws, draws.mean(0));
    expectClose(matmul(centred.transpose(), centred).div(4000), posterior.covariance(z), { absolute: 0.05 });
  });

  it("draws what is known without noise as it is", () => {
    const x = f64([[0], [1], [1.5]]);
    for (const kernel of [squaredExponential(), matern(), matern({ smoothness: 0.5 })]) {
      const draws = condition(kernel, x, [0, 1, -2]).sample(x, { rng: random.rng(3), count: 5 });
      for (const draw of draws.toArray() as number[][]) expectClose(f64(draw), f64([0, 1, -2]), { absolute: 1e-5 });
      const large = condition(scale(kernel, 1e8), x, [0, 1, -2]).sample(x, { count: 5 });
      for (const draw of large.toArray() as number[][]) expectClose(f64(draw), f64([0, 1, -2]), { absolute: 1e-1 });
    }
  });
});

describe("gradients", () => {
  const x = random.rng(1).normal([15, 2], { dtype: "float64" });
  const z = random.rng(2).normal([3, 2], { dtype: "float64" });

  it("of the mean are those of differences; covariances of gradients those of the posterior covariance", () => {
    for (const kernel of [
      squaredExponential({ length: 0.9 }),
      matern(),
      nngp({ kind: "fullyConnected", depth: 1, activation: "erf" }),
    ]) {
      const posterior = condition(kernel, x, wave(x), { noise: 1e-3, mean: (v) => mul(0.1, sum(square(v), 1)) });
      const h = 1e-4;
      const [gradient, covariance] = [
        posterior.gradient(z).toArray() as number[][],
        posterior.gradientCovariance(z).toArray() as number[][][],
      ];
      const shifted = (i: number, s: number) => z.add(f64([0, 1].map((k) => (k === i ? s * h : 0))));
      for (let i = 0; i < 2; i++) {
        const slope = sub(posterior.mean(shifted(i, 1)), posterior.mean(shifted(i, -1)))
          .div(2 * h)
          .toArray() as number[];
        for (let m = 0; m < 3; m++) expect(gradient[m][i]).toBeCloseTo(slope[m], 5);
        for (let j = 0; j < 2; j++) {
          const mixed = [1, -1].flatMap((s) =>
            [1, -1].map((t) => posterior.covariance(shifted(i, s), shifted(j, t)).mul(s * t)),
          );
          const second = mixed
            .reduce((a, b) => a.add(b))
            .div(4 * h * h)
            .toArray() as number[][];
          for (let m = 0; m < 3; m++) expect(covariance[m][i][j]).toBeCloseTo(second[m][m], 3);
        }
      }
    }
  });

  it("that are observed are met, and sharpen what is known of values", () => {
    const f = (v: Tensor) => wave(v);
    const slopes = (v: Tensor) => grad((u: Tensor) => sum(f(u)))(v) as Tensor;
    const few = x.slice([{ start: 0, stop: 4 }]);
    for (const kernel of [squaredExponential(), matern()]) {
      const plain = condition(kernel, few, f(few), { noise: 1e-6 });
      const informed = condition(kernel, few, f(few), { noise: 1e-6, derivatives: { x: z, y: slopes(z) } });
      expectClose(informed.gradient(z), slopes(z), 1e-3);
      expectClose(informed.mean(few), f(few), 1e-3);
      const [before, after] = [plain.variance(z).data(), informed.variance(z).data()];
      for (let m = 0; m < 3; m++) expect(after[m]).toBeLessThan(before[m]);
      expect(informed.count).toBe(10);
      const appended = informed.append(z, f(z));
      expectClose(appended.mean(z), f(z), 1e-3);
      expectClose(appended.gradient(z), slopes(z), 1e-3);
    }
  });

  it("of the evidence terms are those of differences", () => {
    const A = random.rng(3).normal([5, 5], { dtype: "float64" });
    const K = add(matmul(A, A.transpose()), f64(identity(5)));
    const r = random.rng(4).normal([5], { dtype: "float64" });
    expectGradient((k: Tensor, v: Tensor) => evidenceTerms(add(k, k.transpose()), v).quadratic, [K, r], 1e-6);
    expectGradient((k: Tensor) => evidenceTerms(add(k, k.transpose()), r).logDeterminant, [K], 1e-6);
  });
});

it("the gradient of a log determinant is the inverse, also of a large matrix, which is inverted by halves", () => {
  const A = random.rng(6).normal([450, 450], { std: 0.02, dtype: "float64" });
  const K = add(matmul(A, A.transpose()), eye(450, 450, "float64"));
  const inverse = grad((k: Tensor) => evidenceTerms(k, zeros([450], "float64")).logDeterminant)(K) as Tensor;
  expectClose(matmul(inverse, K), eye(450, 450, "float64"), 1e-10);
});

describe("scales", () => {
  const x = f64(fixture.X);
  const y = mul(3, f64(fixture.y));

  it("with an inverse gamma distribution make a Student-t process: density and variance of the multivariate t", () => {
    const [shape, rate] = [2.5, 1.5];
    const gaussian = condition(matern(), x, y, { noise: 0.1 });
    const student = condition(matern(), x, y, { noise: 0.1, scale: { kind: "inverseGamma", shape, rate } });
    const K = add(matern().matrix(x), mul(0.1, f64(identity(25))));
    const { quadratic, logDeterminant } = evidenceTerms(K, y);
    const q = quadratic.item();
    const lgamma = (v: number) => special.lgamma(f64([v])).item();
    // t with 2 shape degrees of freedom and scale matrix (rate / shape) K.
    const expected =
      lgamma(shape + 12.5) -
      lgamma(shape) -
      12.5 * Math.log(2 * Math.PI * rate) -
      logDeterminant.item() / 2 -
      (shape + 12.5) * Math.log1p(q / (2 * rate));
    expect(student.logEvidence).toBeCloseTo(expected, 9);
    expect(student.scale.degreesOfFreedom).toBe(30);
    const factor = (rate + q / 2) / (shape + 12.5 - 1);
    expectClose(student.variance(fixture.Z), gaussian.variance(fixture.Z).mul(factor), 1e-9);
    expectClose(student.mean(fixture.Z), gaussian.mean(fixture.Z), 1e-12);
  });

  it("keep all digits of the evidence however well the scale is known", () => {
    const lgamma = (v: number) => special.lgamma(f64([v])).data()[0];
    const evidenceOf = (shape: number, rate: number) =>
      scaleAfter({ kind: "inverseGamma", shape, rate }, { count: 25, quadratic: 30 }).logEvidence;
    for (const [shape, rate] of [
      [0.7, 3],
      [20, 5],
      [99.9, 150],
      [100.1, 150],
      [150, 90],
    ]) {
      const after = shape + 12.5;
      const exact = lgamma(after) - lgamma(shape) + shape * Math.log(rate) - after * Math.log(rate + 15);
      expect(evidenceOf(shape, rate)).toBeCloseTo(exact, 9);
    }
    // That of a known scale: -15 / s - 12.5 log s, nearer by the shape.
    for (const [shape, digits] of [
      [1e8, 5],
      [1e12, 9],
      [1e15, 11],
      [1e40, 11],
    ]) {
      expect(evidenceOf(shape, 2 * shape)).toBeCloseTo(-7.5 - 12.5 * Math.log(2), digits);
    }
  });

  it("without a mean leave what is known known, and all else unbounded", () => {
    const posterior = condition(squaredExponential(), [[0]], [1], {
      scale: { kind: "inverseGamma", shape: 0.2, rate: 1 },
    });
    expect(posterior.variance([[0], [1]]).toArray()).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(posterior.covariance([[0], [1]]).toArray()).toEqual([
      [0, 0],
      [0, Number.POSITIVE_INFINITY],
    ]);
  });

  it("of any density agree with the closed form of the inverse gamma, and draws with its mean", () => {
    const [shape, rate] = [3, 2];
    const exact = condition(matern(), x, y, { noise: 0.1, scale: { kind: "inverseGamma", shape, rate } });
    const lgamma = special.lgamma(f64([shape])).item();
    const logDensity = (s: number) => shape * Math.log(rate) - lgamma - (shape + 1) * Math.log(s) - rate / s;
    const grid = condition(matern(), x, y, { noise: 0.1, scale: { kind: "density", logDensity } });
    expect(grid.logEvidence).toBeCloseTo(exact.logEvidence, 8);
    expect(grid.scale.mean).toBeCloseTo(exact.scale.mean, 8);
    const alone = scaleAfter({ kind: "density", logDensity }, { count: 25, quadratic: exact.quadratic });
    expect(alone.logEvidence).toBe(grid.scale.logEvidence);
    const { scales, probabilities } = alone.grid ?? { scales: [], probabilities: [] };
    const inverse = Array.from(scales).reduce((sofar, s, k) => sofar + probabilities[k] / s, 0);
    expect(inverse).toBeCloseTo((shape + 12.5) / (rate + exact.quadratic / 2), 9);
    for (const { scale: posterior } of [exact, grid]) {
      const rng = random.rng(5);
      let mean = 0;
      for (let k = 0; k < 3000; k++) mean += posterior.sample(rng) / 3000;
      expect(Math.abs(mean / exact.scale.mean - 1)).toBeLessThan(0.03);
    }
  });
});

describe("bad input", () => {
  it("is refused with the argument's name", () => {
    const kernel = squaredExponential();
    expect(() => condition(undefined as never, [[1]], [1])).toThrow(
      errorLike("ValueError", /kernel is undefined; give one/),
    );
    expect(() => condition(kernel, [[1]], [1], { scale: {} as never })).toThrow(
      errorLike("ValueError", /scale.kind is null/),
    );
    expect(() => nngp({} as never)).toThrow(
      errorLike("ValueError", /kind is null; it must be one of "fullyConnected"/),
    );
    expect(() => condition(kernel, [1, 2], [1, 2])).toThrow(
      errorLike("ShapeError", /x has shape \[2\]; it must be \[points, inputs\]/),
    );
    expect(() => condition(kernel, [[1]], [1, 2])).toThrow(/y has shape \[2\]; there are 1 points/);
    expect(() => condition(kernel, [[1]], [Number.NaN])).toThrow(/y holds a value that is not finite/);
    expect(() => condition(kernel, [[1]], [1], { noise: -1 })).toThrow(/noise/);
    expect(() => condition(kernel, [[1]], [1], { scale: { kind: "gamma" } as never })).toThrow(/scale.kind/);
    expect(() => condition(kernel, [[1]], [1]).mean([[1, 2]])).toThrow(/x has shape \[1,2\]; it must be \[points, 1\]/);
    for (const mean of [Number.NaN, "0" as never]) {
      expect(() => condition(kernel, [[1]], [1], { mean })).toThrow(
        errorLike("ValueError", /condition: mean is .*; give a finite number, or a function of points/),
      );
    }
    expect(() => condition(kernel, [[1]], [1], { mean: (x) => x.sum(1).mul(Number.NaN) })).toThrow(
      errorLike("ValueError", /what mean gave holds NaN/),
    );
    expect(() => condition(kernel, [[1]], [1], { mean: () => 0 as never })).toThrow(/mean gave a number for 1 points/);
    expect(() => condition(kernel, [[1]], [1e200])).toThrow(errorLike("ValueError", /as large as 1e\+200/));
    const ownNoises = condition(kernel, [[1]], [1], { noise: [0.1] });
    expect(() => ownNoises.append([[2]], [1])).toThrow(errorLike("ValueError", /append: noise is missing/));
    expect(ownNoises.append([[2]], [1], 0.2).count).toBe(2);
    const withSlopes = { noise: [0.1], derivatives: { x: [[0.5]], y: [[1]] } };
    expect(() => condition(kernel, [[1]], [1], withSlopes)).toThrow(/derivatives.noise is missing/);
    expect(() => condition(nngp({ kind: "fullyConnected", depth: 1 }), [[1e200]], [1])).toThrow(
      errorLike("ValueError", /covariances that are not finite/),
    );
    // Distances to what is not a number must not count as none.
    const seen = condition(matern(), [[0], [1]], [1, 2]);
    expect(() => condition(matern(), [[Number.NaN], [1]], [1, 2])).toThrow(/condition: x holds NaN at position 0/);
    expect(() => seen.mean([[Number.POSITIVE_INFINITY]])).toThrow(/x holds Infinity/);
    expect(() => seen.append([[Number.NaN]], [1])).toThrow(/append: x holds NaN/);
    const slopes = { x: [[0.5]], y: [[Number.NaN]] };
    expect(() => condition(kernel, [[0]], [1], { derivatives: slopes })).toThrow(/derivatives.y holds NaN/);
    expect(() => condition(onInputs(kernel, [2]), [[0, 1]], [1])).toThrow(
      errorLike("ShapeError", /the kernel is of input 2, and there are 2/),
    );
    const rough = scale(onInputs(sumOf(matern({ smoothness: 0.5 }), matern()), [0]), 2);
    const observed = { noise: 0.1, derivatives: { x: [[0.5]], y: [[1]] } };
    expect(() => condition(rough, [[0]], [1], observed)).toThrow(
      errorLike("UnsupportedError", /functions of this kernel have no derivatives/),
    );
    expect(() => condition(rough, [[0]], [1]).gradientCovariance([[1]])).toThrow(/no derivatives/);
    expect(condition(matern({ smoothness: 1.5 }), [[0]], [1], observed).count).toBe(2);
    expect(() => squaredExponential({ length: 0 })).toThrow(
      errorLike("ValueError", /length is .*; it must be a finite number > 0/),
    );
    expect(() => matern({ smoothness: 2 as 2.5 })).toThrow(/smoothness/);
    expect(() => nngp({ kind: "fullyConnected", depth: 0 })).toThrow(/depth is 0/);
    const layered = { kind: "fullyConnected", depth: 1 } as const;
    expect(() => nngp({ ...layered, activation: "tanh" as never })).toThrow(
      errorLike("ValueError", /activation is tanh; give "relu", "erf" or \{ apply \}/),
    );
    const tanh = { apply: (u: Tensor) => u.tanh() };
    expect(() => nngp({ ...layered, activation: { ...tanh, node: 9 } as never })).toThrow(/did you mean "nodes"/);
    expect(() => nngp({ ...layered, activation: { ...tanh, nodes: 1.5 } })).toThrow(/activation.nodes is 1.5/);
    expect(() => nngp({ ...layered, activation: {} as never })).toThrow(/there is no apply/);
    expect(() => nngp({ ...layered, weightVariance: [1, 2] as never })).toThrow(/weightVariance is/);
    for (const image of [undefined, [2, 2], 4]) {
      expect(() => nngp({ kind: "convolutional", depth: 1, image: image as never })).toThrow(
        /give \[height, width, ch/,
      );
    }
    for (const strides of [[], 3]) {
      const given = { kind: "wideResidual", blocks: 1, image: [2, 2, 1], strides: strides as never } as const;
      expect(() => nngp(given)).toThrow(/strides are .*; give one for each group/);
    }
    expect(() => scale(undefined as never, 1)).toThrow(errorLike("ValueError", /scale: kernel is undefined/));
    expect(() => additive([])).toThrow(/additive: give one kernel or more/);
    const rng = random.rng(0);
    expect(() => randomFeatures(kernel, 4, 2, undefined as never)).toThrow(errorLike("ValueError", /rng is undefined/));
    expect(() => randomFeatures(onInputs(kernel, [3]), 4, 2, rng)).toThrow(errorLike("ShapeError", /of input 3/));
    expect(() => randomFeatures(squaredExponential({ length: [1, 2] }), 4, 3, rng)).toThrow(/lengths of 2 inputs/);
    expect(() => randomFeatures(kernel, 4, 3, rng)(f64([[1, 2]]))).toThrow(/it must be \[points, 3\]/);
    expect(() => nngp({ kind: "convolutional", depth: 1, image: [2, 2, 1], filter: 2 })).toThrow(
      /filter is 2; it must be odd/,
    );
    expect(() => squaredExponential({ length: [1, 2] }).matrix(f64([[1]]))).toThrow(
      /must agree in the number of inputs/,
    );
  });
});

function identity(n: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
}

it("predictions at one size after another are those at all points at once", () => {
  const rng = random.rng(7);
  const [x, z] = [rng.uniform([110, 2], { dtype: "float64" }), rng.uniform([130, 2], { dtype: "float64" })];
  const posterior = condition(squaredExponential(), x, x.sin().sum(1), { noise: 0.1 });
  const all = posterior.marginals(z);
  for (const round of [0, 1]) {
    for (let count = 92 + round; count < 104; count++) {
      const rows = [{ start: 0, stop: count }];
      const some = posterior.marginals(z.slice(rows));
      expectClose(some.mean, all.mean.slice(rows), 1e-12);
      expectClose(some.variance, all.variance.slice(rows), 1e-12);
    }
  }
});

it("kernels that differ in parameters alone share programs, and keep their own parameters", () => {
  const rng = random.rng(8);
  const [x, z] = [rng.uniform([110, 2], { dtype: "float64" }), rng.uniform([120, 2], { dtype: "float64" })];
  const y = x.sin().sum(1);
  const [first, second] = [1, 0.3].map((length) => scale(squaredExponential({ length }), 2 * length));
  const related = first.with(second.parameters);
  expect(related.family).toBe(first.family);
  expect(second.family).not.toBe(first.family);
  const { family: _, ...alone } = second;
  for (let round = 0; round < 2; round++) {
    condition(first, x, y, { noise: 0.1 }).marginals(z);
    const [found, own] = [related, alone].map((kernel) => condition(kernel, x, y, { noise: 0.1 }));
    expectClose(found.covariance(z), own.covariance(z), 1e-12);
    expectClose(found.gradient(z), own.gradient(z), 1e-12);
    expect(found.logEvidence).toBeCloseTo(own.logEvidence, 10);
  }
});
