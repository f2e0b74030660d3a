import { adam, applyUpdates, chain, keepNonNegative, masked } from "@offprint/optim";
import { add, grad, mean, random, square, sub, sum, type Tensor, tree, zeros } from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose, expectGradient, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type LpnParams, lpn, matchingLoss, presets, proxOf, squaredLoss } from "../src/index.js";

const rng = random.rng("networks");
const dense = lpn({ kind: "dense", shape: [3], hidden: [5, 4], alpha: 0.05 });
const conv = lpn({ kind: "conv", shape: [1, 6, 6], strides: [1, 2], hidden: 2, dense: 3, logWeight: -1, alpha: 0.01 });
const networks = [
  { name: "dense", model: dense, params: dense.init(rng, "float64"), count: 4 },
  { name: "convolutional", model: conv, params: conv.init(rng, "float64"), count: 2 },
];
const inputs = (shape: readonly number[], count: number) => rng.normal([count, ...shape], { dtype: "float64" });

describe.each(networks)("the $name network", ({ model, params, count }) => {
  const y = inputs(model.shape, count);

  it("is the gradient of its potential, sample by sample", () => {
    expectClose(
      model.prox(params, y).data(),
      centralDifferences((v) => sum(model.potential(params, f64(v, [...y.shape]))).item(), Float64Array.from(y.data())),
      1e-6,
    );
    const alone = y.slice([{ stop: 1 }]);
    expectClose(
      model.prox(params, alone).data(),
      model
        .prox(params, y)
        .slice([{ stop: 1 }])
        .data(),
      1e-12,
    );
  });

  it("has a potential that is convex, and strongly so by 2 alpha", () => {
    const [a, b] = [inputs(model.shape, 50), inputs(model.shape, 50)];
    const middle = model.potential(params, add(a, b).div(2)).data();
    const chord = add(model.potential(params, a), model.potential(params, b)).div(2).data();
    const axes = model.shape.map((_, i) => i + 1);
    const apart = sum(square(sub(a, b)), axes).data();
    const { alpha } = model.config;
    chord.forEach((c, i) => {
      expect(c - middle[i]).toBeGreaterThanOrEqual((alpha / 4) * apart[i] - 1e-12);
    });
  });

  it("has a symmetric Jacobian: directions see each other alike", () => {
    const [at, u, v] = [inputs(model.shape, 1), inputs(model.shape, 1), inputs(model.shape, 1)];
    const along = (p: Tensor, q: Tensor) =>
      sum(grad((x: Tensor) => sum(model.prox(params, x).mul(p)))(at).mul(q)).item();
    expect(Math.abs(along(u, v) - along(v, u))).toBeLessThan(1e-12);
    expect(along(u, u)).toBeGreaterThanOrEqual(2 * model.config.alpha * sum(square(u)).item());
  });

  it("computes integers and plain arrays in the precision of its parameters", () => {
    const whole = rng.randint([2, ...model.shape], { low: -2, high: 3 });
    const plain = Array.from(whole.data());
    const expected = model.prox(params, whole.cast("float64"));
    expectClose(model.prox(params, whole).data(), expected.data(), 1e-15);
    expectClose(proxOf(model, params)(whole).data(), expected.data(), 1e-12);
    expectClose(model.potential(params, whole).data(), model.potential(params, whole.cast("float64")).data(), 1e-15);
    if (model.shape.length > 1) return;
    expectClose(model.prox(params, [plain.slice(0, 3), plain.slice(3)]).data(), expected.data(), 1e-15);
    expect(model.prox(params, [[0.1, 0.2, 0.3]]).dtype).toBe("float64");
  });

  it("has gradients of the loss with respect to its parameters, of second order", () => {
    const clean = inputs(model.shape, count);
    const { leaves, structure } = tree.flatten(params);
    for (const loss of [(f: Tensor) => matchingLoss(f, clean, 3), (f: Tensor) => squaredLoss(f, clean)]) {
      const of = (...values: Tensor[]) => loss(model.prox(tree.unflatten<LpnParams>(structure, values), y));
      expectGradient(of, leaves as Tensor[]);
    }
  });

  it("starts with W_k > 0, and refuses parameters that are not convex or not its own", () => {
    expect(() => model.assertConvex(params)).not.toThrow();
    const broken = { ...params, convex: params.convex.map((w, k) => (k === 1 ? sub(w, 1) : w)) };
    expect(() => model.assertConvex(broken)).toThrow(
      errorLike("ValueError", /convex\.1 has an entry -.*clip\(params\)/),
    );
    expect(() => model.assertConvex(model.clip(broken))).not.toThrow();
    expect(() => model.assertConvex({ ...params, convex: [] })).toThrow(errorLike("ShapeError", /convex weights/));
    expect(() => model.assertConvex({ ...params, linear: zeros([1]) })).toThrow(errorLike("ShapeError", /linear/));
    const whole = { ...params, linear: params.linear.cast("int32") };
    expect(() => model.assertConvex(whole)).toThrow(errorLike("ShapeError", /linear must be a float32 or float64/));
  });

  it("shifts f by h where h is added to its linear part, and not at all for a constant", () => {
    const h = inputs(model.shape, 1).slice([0]);
    const moved = { ...params, linear: add(params.linear, h), constant: add(params.constant, 7) };
    expectClose(sub(model.prox(moved, y), model.prox(params, y)).sub(h).data(), zeros(y.shape).data(), 1e-12);
  });

  it("keeps W_k >= 0 in training, some of them at exactly 0", () => {
    const optimizer = chain(adam({ learningRate: 0.3 }), masked(keepNonNegative(), model.nonNegative ?? false));
    let p = params;
    let state = optimizer.init(p);
    const clean = inputs(model.shape, count);
    for (let k = 0; k < 4; k++) {
      const slope = grad((q: LpnParams) => mean(square(sub(model.prox(q, y), clean))))(p);
      const step = optimizer.update(slope, state, p);
      [p, state] = [applyUpdates(p, step.updates), step.state];
      model.assertConvex(p);
    }
    expect(p.convex.some((w) => w.data().some((v) => v === 0))).toBe(true);
    expect(tree.leaves<Tensor>(p.skips).some((w) => w.data().some((v) => v < 0))).toBe(true);
  });
});

it("is y + h for W = 0, w = 0, alpha = 1/2: the proximal operator of -<h, x>", () => {
  const model = lpn({ kind: "dense", shape: [2], hidden: [3, 3], alpha: 0.5 });
  const drawn = model.init(rng, "float64");
  const params = { ...drawn, convex: drawn.convex.map((w) => zeros(w.shape, "float64")) };
  const y = inputs([2], 5);
  expectClose(model.prox(params, y).data(), add(y, params.linear).data(), 1e-14);
});

it("has the paper's architectures for 28 x 28 and 128 x 128 pixels", () => {
  const small = lpn(presets.conv28);
  const params = small.init(rng);
  expect(params.convex.map(({ shape }) => shape)).toEqual([
    [64, 64, 3, 3],
    [64, 64, 3, 3],
    [64, 64, 3, 3],
    [7 * 7 * 64, 64],
    [64, 1],
  ]);
  expect(params.skips.at(-1)?.weight.shape).toEqual([49, 64]);
  expect(params.convex[0].log().mean().item()).toBeCloseTo(-10, 1);
  expect(lpn(presets.conv128).layers).toBe(7);
});

it.each([1e-12, 1e12])("is finite for softplus of sharpness %d", (beta) => {
  const model = lpn({ kind: "dense", shape: [2], hidden: [3, 3], beta });
  const params = model.init(rng);
  const y = rng.normal([5, 2]);
  for (const out of [model.prox(params, y), model.potential(params, y)]) {
    expect(out.data().every(Number.isFinite)).toBe(true);
  }
});

it.each(networks)("of no inputs gives none: $name", ({ model, params }) => {
  expect(model.prox(params, zeros([0, ...model.shape])).shape).toEqual([0, ...model.shape]);
});

it("refuses what makes no network", () => {
  const bad: [object, RegExp][] = [
    [{ kind: "dense", shape: [2], hidden: [3], alpha: -1 }, /alpha/],
    [{ kind: "dense", shape: [2], hidden: [3], alpha: 1e300 }, /alpha is 1e\+300; it must be at most/],
    [{ kind: "dense", shape: [2], hidden: [3], beta: 0 }, /beta/],
    [{ kind: "dense", shape: [2], hidden: [3], beta: 1e200 }, /beta is 1e\+200; it must be from 1e-12/],
    [{ kind: "dense", shape: [2], hidden: [3], beta: "10" }, /beta is 10/],
    [{ kind: "dense", shape: [2], hidden: [3], logWeight: 1e3 }, /logWeight is 1000/],
    [{ kind: "dense", shape: [2], hidden: [] }, /hidden/],
    [{ kind: "dense", shape: [2], hidden: [2.5] }, /hidden/],
    [{ kind: "dense", shape: [2], hiden: [2] }, /"hiden"; did you mean "hidden"/],
    [{ kind: "conv", shape: [1, 4, 4], strides: [0], hidden: 2 }, /strides/],
    [{ kind: "tree", shape: [2] }, /kind/],
    [{ kind: "dense", shape: [2], hidden: [3], logWeight: "small" }, /logWeight/],
  ];
  for (const [config, message] of bad) expect(() => lpn(config as never)).toThrow(errorLike("ValueError", message));
  expect(() => lpn({ kind: "conv", shape: [4, 4] as never, strides: [1], hidden: 2 })).toThrow(
    errorLike("ShapeError", /shape/),
  );
  expect(() => dense.prox(networks[0].params as LpnParams, zeros([3]))).toThrow(
    errorLike("ShapeError", /batch \[n, 3\]/),
  );
});
