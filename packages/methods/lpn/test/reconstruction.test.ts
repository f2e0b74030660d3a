import { proximal } from "@offprint/solvers";
import { runConformance } from "@offprint/solvers/conformance";
import { add, eye, linalg, matmul, mul, random, sub, sum, type Tensor, transpose, zeros } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  fitProximal,
  gradientStepDenoiser,
  lpn,
  matrixMeasurement,
  measurement,
  patchProx,
  pnpAdmm,
  pnpGradientDescent,
  proxOf,
  regularizer,
  residualDenoiser,
  tikhonov,
  totalVariation,
} from "../src/index.js";

const rng = random.rng("reconstruction");
const a = rng.normal([5, 4], { dtype: "float64" });
const sensing = matrixMeasurement(a);
const y = rng.normal([3, 5], { dtype: "float64" });
const model = lpn({ kind: "dense", shape: [4], hidden: [6, 6], alpha: 0.1 });
const params = model.init(rng, "float64");
const prox = proxOf(model, params);

/** `argmin s |A x - y|^2 + weight / 2 |x|^2`. */
const ridge = (s: number, weight: number) => {
  const system = add(mul(matmul(transpose(a), a), 2 * s), mul(eye(4, 4, "float64"), weight));
  return transpose(linalg.solve(system, transpose(mul(matmul(y, a), 2 * s))));
};

it("measurements made by hand are tried as others are, by whatever takes them", async () => {
  const own = { input: [4], output: [4], apply: (x: Tensor) => mul(x, 2), adjoint: (x: Tensor) => mul(x, 2) };
  const seen = y.slice([null, { stop: 4 }]);
  const half = (v: Tensor) => mul(v, 0.5);
  const ways = [
    (m: unknown) => pnpAdmm(half, m as typeof own, seen, { maxIterations: 2 }),
    (m: unknown) => pnpGradientDescent(half, m as typeof own, seen, { maxIterations: 2 }),
    (m: unknown) => tikhonov(m as typeof own, seen, { weight: 1 }),
    (m: unknown) => totalVariation(m as typeof own, seen, { weight: 1 }),
  ];
  for (const way of ways) {
    const refused = async (m: unknown, name: string, words: RegExp) =>
      expect(way(m)).rejects.toThrow(errorLike(name, words));
    await refused(null, "ValueError", /measurement is null/);
    await refused({ ...own, input: undefined }, "ShapeError", /input of measurement is undefined/);
    await refused({ ...own, apply: undefined, aply: own.apply }, "ValueError", /apply of measurement is undefined/);
    await refused({ ...own, adjoint: undefined }, "ValueError", /adjoint of measurement is undefined/);
    await refused({ ...own, output: [5] }, "ShapeError", /apply gives \[n, 4\], and output of measurement is \[5\]/);
    await refused({ ...own, apply: (x: Tensor) => x.square() }, "ValueError", /apply is not linear/);
    await refused({ ...own, adjoint: (x: Tensor) => x.neg() }, "ValueError", /adjoint is not that of apply/);
  }
  for (const way of ways.slice(0, 3)) await expect(way(own)).resolves.toBeDefined();
});

describe("with the proximal operator of |x|^2 / 2, which halves,", () => {
  const half = (v: Tensor) => mul(v, 0.5);

  it("PnP-PGD ends at the least of h + |x|^2 / (2 eta)", async () => {
    const stepSize = 0.05;
    const { x } = await pnpGradientDescent(half, sensing, y, { stepSize, maxIterations: 300 });
    expectClose(x.data(), ridge(0.5, 1 / stepSize).data(), 1e-10);
  });

  it("PnP-ADMM ends at the least of h + rho |x|^2 / 2, in either order and by either solver", async () => {
    for (const options of [{}, { order: "xzu" }, { dataSolver: "conjugateGradients" }] as const) {
      const { x, status } = await pnpAdmm(half, sensing, y, {
        rho: 2,
        dataScale: 0.7,
        maxIterations: 3000,
        tolerance: 1e-12,
        ...options,
      });
      expect(status).toBe("converged");
      const close = "dataSolver" in options ? 1e-4 : 1e-9;
      expectClose(x.data(), ridge(0.7, 2).data(), close);
    }
  });

  it("a box is kept as a second splitting", async () => {
    const { x, state } = await pnpAdmm(half, sensing, y, { rho: 2, box: [0, 0.05], maxIterations: 4000 });
    expect(Math.min(...x.data())).toBeGreaterThan(-1e-6);
    expect(Math.max(...x.data())).toBeLessThan(0.05 + 1e-6);
    expect(state.inner.splittings.length).toBe(2);
  });
});

it("Tikhonov is the solution of its normal equations", async () => {
  expectClose((await tikhonov(sensing, y, { weight: 0.3 })).data(), ridge(0.5, 0.3).data(), 1e-10);
});

it("with soft thresholding PnP-PGD is ISTA: its solution has the optimality of L1", async () => {
  const [weight, stepSize] = [0.3, 0.05];
  const shrink = proximal.l1(weight * stepSize);
  const { x } = await pnpGradientDescent(shrink, sensing, y, { stepSize, maxIterations: 3000 });
  const slope = matmul(sub(matmul(x, transpose(a)), y), a).data();
  x.data().forEach((v, i) => {
    if (v === 0) expect(Math.abs(slope[i])).toBeLessThanOrEqual(weight + 1e-9);
    else expectClose(slope[i], -weight * Math.sign(v), 1e-8);
  });
});

describe("with a learned proximal network", () => {
  it("PnP-PGD descends h + phi / eta, and phi from the pre-image is phi by inversion", async () => {
    const { history, x, objective } = await pnpGradientDescent(prox, sensing, y, { maxIterations: 40 });
    for (let k = 1; k < history.length; k++) {
      history[k].objectives?.forEach((v, i) => {
        expect(v - (history[k - 1].objectives?.[i] ?? Number.NaN)).toBeLessThan(1e-12);
      });
    }
    const largest = linalg
      .eigvalsh(matmul(transpose(a), a))
      .max()
      .item();
    const { value } = await regularizer(model, params, x, { tolerance: 1e-9 });
    const misfit = sum(sub(matmul(x, transpose(a)), y).square(), 1).mul(0.5);
    expectClose(objective as Float64Array, add(misfit, mul(value, largest / 0.95)).data(), { relative: 1e-5 });
  });

  it("ADMM with rho above L and gradient descent at 1 / rho have the same fixed points", async () => {
    const rho =
      2 *
      linalg
        .eigvalsh(matmul(transpose(a), a))
        .max()
        .item();
    const { x } = await pnpAdmm(prox, sensing, y, { rho, maxIterations: 400 });
    const other = await pnpGradientDescent(prox, sensing, y, { stepSize: 1 / rho, maxIterations: 400 });
    expectClose(x.data(), other.x.data(), 1e-8);
  });
});

it("reconstructs from counts what it does from the same real numbers", async () => {
  const counts = rng.randint([3, 5], { low: -9, high: 10 });
  const methods = [
    async (seen: Tensor) => (await pnpAdmm(prox, sensing, seen, { maxIterations: 5 })).x,
    async (seen: Tensor) => (await pnpGradientDescent(prox, sensing, seen, { maxIterations: 5 })).x,
    (seen: Tensor) => tikhonov(sensing, seen, { weight: 0.3 }),
  ];
  for (const method of methods) {
    expectClose((await method(counts)).data(), (await method(counts.cast("float64"))).data(), 1e-12);
  }
});

it("takes one measurement alone, and an initial point", async () => {
  const { x } = await pnpAdmm(prox, sensing, y.slice([0]), { maxIterations: 3, initial: zeros([1, 4]) });
  expect(x.shape).toEqual([1, 4]);
});

describe("patches", () => {
  const shape = [1, 5, 6] as const;
  const images = rng.normal([2, ...shape], { dtype: "float64" });

  it("put together again are the image, and overlaps are averaged", async () => {
    const same = patchProx((v) => v, { shape, patch: 3, stride: 2 });
    expectClose((await same(images)).data(), images.data(), 1e-14);
    let seen = 0;
    const marked = patchProx(
      (v) => {
        seen = v.shape[0];
        return mul(v, 2);
      },
      { shape, patch: 3 },
    );
    expectClose((await marked(images)).data(), mul(images, 2).data(), 1e-14);
    expect(seen).toBe(2 * 3 * 4);
  });

  it("refuses images and patches that do not fit", () => {
    expect(() => patchProx(prox, { shape, patch: 7 })).toThrow(errorLike("ValueError", /patch/));
    expect(() => patchProx((v) => v, { shape, patch: 3 })(zeros([5, 6]))).toThrow(errorLike("ShapeError", /images/));
  });
});

describe("total variation", () => {
  it("goes on only from a whole state of the same problem", async () => {
    const all = measurement({ input: [3, 3], apply: (x) => x });
    const seen = rng.normal([1, 3, 3], { dtype: "float64" });
    const run = (options: object) => totalVariation(all, seen, { weight: 0.2, maxIterations: 4, ...options });
    const { state } = await run({ maxIterations: 2 });
    expectClose((await run({ resume: state })).x.data(), (await run({})).x.data(), 0);
    const damaged = { ...state, inner: { ...state.inner, x: mul(seen, Number.NaN) } };
    await expect(run({ resume: damaged })).rejects.toThrow(errorLike("ValueError", /resume holds NaN/));
    await expect(totalVariation(all, mul(seen, 1e200), { weight: 1 })).rejects.toThrow(
      errorLike("NonFiniteError", /the objective is not finite; give y in a unit/),
    );
    for (const part of [{ edges: undefined }, { misfit: zeros([1, 9]) }, { ahead: zeros([1, 3, 4]) }]) {
      const resume = { ...state, inner: { ...state.inner, ...part } };
      await expect(run({ resume })).rejects.toThrow(errorLike("ValueError", /resume is a state of another problem/));
    }
  });

  it("keeps what is flat, and its solution is no higher than points around it", async () => {
    const all = measurement({ input: [4, 4], apply: (x) => x });
    const flat = await totalVariation(all, add(zeros([1, 4, 4], "float64"), 0.7), { weight: 0.2, maxIterations: 50 });
    expectClose(flat.x.data(), new Float64Array(16).fill(0.7), 1e-9);
    const noisy = rng.normal([1, 4, 4], { dtype: "float64" });
    const { x, objective } = await totalVariation(all, noisy, { weight: 0.2, maxIterations: 3000 });
    const energy = (at: Float64Array) => {
      let total = 0;
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j < 4; j++) {
          const v = at[4 * i + j];
          const down = i < 3 ? at[4 * i + 4 + j] - v : 0;
          const right = j < 3 ? at[4 * i + j + 1] - v : 0;
          total += 0.2 * Math.hypot(down, right) + 0.5 * (v - noisy.data()[4 * i + j]) ** 2;
        }
      }
      return total;
    };
    const best = Float64Array.from(x.data());
    expectClose(objective?.[0] as number, energy(best), 1e-9);
    for (let k = 0; k < 30; k++) {
      const other = best.map((v) => v + 1e-3 * rng.normal([], { dtype: "float64" }).item());
      expect(energy(other)).toBeGreaterThan(energy(best) - 1e-9);
    }
  });
});

it("baselines' networks are what they say: a residual, and the gradient of something", () => {
  const at = rng.normal([1, 4], { dtype: "float64" });
  const step = gradientStepDenoiser({ shape: [4], hidden: [5] });
  const p = step.init(rng, "float64");
  const jacobian = Array.from({ length: 4 }, (_, j) => {
    const e = f64(
      [0, 1, 2, 3].map((i) => (i === j ? 1e-5 : 0)),
      [1, 4],
    );
    return Array.from(
      sub(step.prox(p, add(at, e)), step.prox(p, sub(at, e)))
        .mul(0.5e5)
        .data(),
    );
  });
  jacobian.forEach((row, j) => {
    row.forEach((v, i) => expectClose(v, jacobian[i][j], 1e-8));
  });
  const free = residualDenoiser({ shape: [4], hidden: [5] });
  const q = free.init(rng, "float64");
  const silent = q.map((layer) => ({ weight: mul(layer.weight, 0), bias: mul(layer.bias as Tensor, 0) }));
  expectClose(free.prox(silent, at).data(), at.data(), 0);
});

it("an unconstrained denoiser of convolutions sees three pixels a layer, learns, and takes the place of the prior", async () => {
  const shape = [1, 7, 7];
  const free = residualDenoiser({ kind: "conv", shape, hidden: [3, 2] });
  const p = free.init(random.rng(1), "float64");
  expect(p.map(({ weight }) => weight.shape)).toEqual([
    [3, 1, 3, 3],
    [2, 3, 3, 3],
    [1, 2, 3, 3],
  ]);
  const at = rng.normal([1, ...shape], { dtype: "float64" });
  const touched = add(
    at,
    f64(
      Array.from({ length: 49 }, (_, i) => (i === 0 ? 1 : 0)),
      [1, ...shape],
    ),
  );
  const change = sub(free.prox(p, touched), free.prox(p, at)).data();
  change.forEach((v, i) => {
    if (Math.max(Math.floor(i / 7), i % 7) > 3) expect(v).toBe(0);
  });
  const silent = p.map(({ weight, bias }) => ({ weight: mul(weight, 0), bias: mul(bias as Tensor, 0) }));
  expectClose(free.prox(silent, at).data(), at.data(), 0);
  // Of images that are 0 it learns to remove noise.
  const { params: learnt } = await fitProximal(free, zeros([4, ...shape]), {
    sigma: 0.3,
    batchSize: 8,
    stages: [{ loss: "squared", steps: 60, learningRate: 0.03 }],
  });
  const noise = rng.normal([4, ...shape], { std: 0.3, dtype: "float64" });
  expect(free.prox(learnt, noise).square().mean().item()).toBeLessThan(0.5 * noise.square().mean().item());
  const all = measurement({ input: shape, apply: (x) => x });
  const { x } = await pnpAdmm(proxOf(free, learnt), all, noise, { rho: 1, maxIterations: 5 });
  expect(x.square().mean().item()).toBeLessThan(0.5 * noise.square().mean().item());
  expect(() => residualDenoiser({ kind: "conv", shape: [7, 7], hidden: [2] })).toThrow(
    errorLike("ShapeError", /channels/),
  );
  expect(() => residualDenoiser({ kind: "cnn" as "conv", shape, hidden: [2] })).toThrow(
    errorLike("ValueError", /kind/),
  );
});

it("goes on only from a state of the same splittings", async () => {
  const boxed = (await pnpAdmm(prox, sensing, y, { maxIterations: 2, box: [0, 1] })).state;
  const { state } = await pnpAdmm(prox, sensing, y, { maxIterations: 2 });
  const [{ z }] = state.inner.splittings;
  const damaged = { ...state, inner: { ...state.inner, splittings: [{ z }] } } as never;
  for (const options of [{ resume: boxed }, { resume: state, box: [0, 1] as const }, { resume: damaged }]) {
    await expect(pnpAdmm(prox, sensing, y, { maxIterations: 4, ...options })).rejects.toThrow(
      errorLike("ValueError", /resume is a state of another problem/),
    );
  }
});

it("refuses steps, weights and shapes that make no sense", async () => {
  const largest = linalg
    .eigvalsh(matmul(transpose(a), a))
    .max()
    .item();
  const descend = (options: object) => pnpGradientDescent(prox, sensing, y, { maxIterations: 1, ...options });
  await expect(descend({ stepSize: 2.01 / largest })).rejects.toThrow(errorLike("ValueError", /below 2 \/ L/));
  expect((await descend({ stepSize: 1.2 / largest })).warnings.join()).toMatch(/nothing is guaranteed/);
  for (const box of [[0], [0, 1, 2], ["0", "1"], "ab", null, [1, 0], [0, Number.NaN]]) {
    await expect(pnpAdmm(prox, sensing, y, { box: box as never })).rejects.toThrow(errorLike("ValueError", /box/));
  }
  const few = matrixMeasurement(a.slice([{ stop: 2 }]));
  await expect(pnpAdmm(prox, few, y.slice([null, { stop: 2 }]), { rho: 1e-30 })).rejects.toThrow(
    errorLike("ValueError", /1e-30, from rho or weight, is nothing beside A\^T A/),
  );
  await expect(pnpAdmm(prox, sensing, y, { rho: 0 })).rejects.toThrow(errorLike("ValueError", /rho/));
  await expect(pnpAdmm(prox, sensing, zeros([3, 4]))).rejects.toThrow(errorLike("ShapeError", /y: the input/));
  await expect(pnpAdmm(prox, sensing, zeros([0, ...sensing.output]))).rejects.toThrow(
    errorLike("ShapeError", /at least one/),
  );
  await expect(pnpAdmm((v) => v.slice([{ stop: 1 }]), sensing, y)).rejects.toThrow(
    errorLike("ShapeError", /prox gave/),
  );
  await expect(pnpAdmm(prox, sensing, y, { box: [1, 0] })).rejects.toThrow(errorLike("ValueError", /box/));
  await expect(pnpAdmm(prox, sensing, "y" as never)).rejects.toThrow(
    errorLike("DTypeError", /pnpAdmm: y: .* cannot be/),
  );
  expect(() => proxOf(model, {} as never)).toThrow(errorLike("ShapeError", /there must be \d skips/));
  await expect(tikhonov(sensing, y, { weight: 0 })).rejects.toThrow(errorLike("ValueError", /weight/));
  await expect(totalVariation(sensing, y, { weight: 1 })).rejects.toThrow(errorLike("ShapeError", /height, width/));
});

const tools = { describe, expect, it };
const common = {
  limit: "maxIterations",
  short: 5,
  endless: { maxIterations: 1e8 },
  seeded: false,
};
const notFinite = mul(y, Number.NaN);

runConformance(
  "pnpGradientDescent",
  {
    ...common,
    run: (options) => pnpGradientDescent(prox, sensing, y, options),
    invalid: [{ stepSize: 0 }, { stepSize: 1e9 }, { dataScale: 0 }, { tolerance: -1 }, { initial: zeros([2, 4]) }],
    nonFinite: [
      () => pnpGradientDescent(prox, sensing, notFinite),
      () => pnpGradientDescent((v) => mul(v, Number.NaN), sensing, y),
    ],
  },
  tools,
);

runConformance(
  "pnpAdmm",
  {
    ...common,
    run: (options) => pnpAdmm(prox, sensing, y, options),
    invalid: [{ rho: -1 }, { order: "zux" }, { box: [1, 1] }, { dataSolver: "lu" }, { dataScale: -1 }],
    nonFinite: [() => pnpAdmm(prox, sensing, notFinite), () => pnpAdmm((v) => mul(v, Number.NaN), sensing, y)],
  },
  tools,
);

const pixels = measurement({ input: [2, 2], apply: (x) => x });
const image = rng.normal([1, 2, 2], { dtype: "float64" });
runConformance(
  "totalVariation",
  {
    ...common,
    run: (options) => totalVariation(pixels, image, { weight: 0.1, ...options }),
    invalid: [{ weight: 0 }, { dataScale: 0 }, { tolerance: -1 }],
    nonFinite: [() => totalVariation(pixels, mul(image, Number.NaN), { weight: 0.1 })],
  },
  tools,
);
