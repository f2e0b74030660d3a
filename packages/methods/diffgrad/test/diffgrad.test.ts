import { adam, applyUpdates, inverseSquareRootSchedule } from "@offprint/optim";
import { add, grad, jit, mul, random, square, sub, sum, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  type DiffGradOptions,
  type DiffGradState,
  diffGrad,
  frictionCoefficient,
  frictionOfUpdate,
} from "../src/index.js";

const float64 = (values: number | readonly number[]) => tensor(values, { dtype: "float64" });
const values = (x: unknown) => tree.leaves<Tensor>(x).flatMap((leaf) => Array.from(leaf.data()));

/** A seeded sequence of gradients of n coordinates. */
function gradientsOf(n: number, steps: number, seed = 1): Tensor[] {
  const rng = random.rng(seed);
  return Array.from({ length: steps }, () => rng.normal([n], { dtype: "float64", std: 2 }));
}

/** Parameters after every step from `start`. */
function follow(options: DiffGradOptions, start: Tensor, gradients: readonly Tensor[]) {
  const optimizer = diffGrad(options);
  let params = start;
  let state = optimizer.init(params);
  return gradients.map((g) => {
    const result = optimizer.update(g, state, params);
    const friction = frictionOfUpdate(state, result.state, options.friction) as Tensor;
    params = applyUpdates(params, result.updates);
    state = result.state;
    return { params, state, update: result.updates as Tensor, friction };
  });
}

/** The formulas of the paper in plain numbers, one coordinate; independent of the package. */
function reference(
  gradients: readonly number[],
  options: { before?: boolean; friction?: (previous: number, g: number) => number },
) {
  const { before = false, friction = (previous, g) => 1 / (1 + Math.exp(-Math.abs(previous - g))) } = options;
  const [alpha, beta1, beta2, epsilon] = [0.1, 0.9, 0.999, 1e-8];
  let [m, v, previous, theta] = [0, 0, 0, 0.5];
  return gradients.map((g, i) => {
    const t = i + 1;
    const xi = friction(previous, g);
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const [c1, c2] = [1 - beta1 ** t, 1 - beta2 ** t];
    theta -= before
      ? (((alpha * Math.sqrt(c2)) / c1) * xi * m) / (Math.sqrt(v) + epsilon)
      : (alpha * xi * (m / c1)) / (Math.sqrt(v / c2) + epsilon);
    previous = g;
    return theta;
  });
}

describe("the update is the paper's", () => {
  const gradients = gradientsOf(1, 100);
  const numbers = gradients.map((g) => g.item());
  const start = float64([0.5]);
  const closeTo = (options: DiffGradOptions, expected: readonly number[]) =>
    follow({ learningRate: 0.1, ...options }, start, gradients).forEach(({ params }, i) => {
      expect(Math.abs(params.item() - expected[i])).toBeLessThan(1e-12);
    });

  it("with epsilon after the correction (paper) and before it (the authors' code)", () => {
    closeTo({}, reference(numbers, {}));
    closeTo({ epsilonPlacement: "before-correction" }, reference(numbers, { before: true }));
  });

  it("for every friction variant", () => {
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    closeTo({ friction: "signed" }, reference(numbers, { friction: (p, g) => sigmoid(p - g) }));
    closeTo({ friction: "wide" }, reference(numbers, { friction: (p, g) => 9 * sigmoid(Math.abs(p - g) / 2) - 4 }));
    closeTo({ friction: "none" }, reference(numbers, { friction: () => 1 }));
    // The opposite sign convention, as the user's own function.
    closeTo({ friction: (p, g) => sub(g, p).sigmoid() }, reference(numbers, { friction: (p, g) => sigmoid(g - p) }));
  });

  it("the two placements of epsilon differ by epsilon / sqrt(v): about 3e-7 in the first step", () => {
    const step = (epsilonPlacement: DiffGradOptions["epsilonPlacement"]) =>
      follow({ learningRate: 1, epsilonPlacement }, float64(0), [float64(1)])[0].update.item();
    const relative = Math.abs(step("before-correction") / step("after-correction") - 1);
    expect(relative).toBeGreaterThan(2.5e-7);
    expect(relative).toBeLessThan(3.5e-7);
  });

  it("without friction it is Adam", () => {
    const options = { learningRate: 0.03, beta1: 0.8, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.1 };
    const own = follow({ ...options, friction: "none" }, float64([1, -2, 3]), gradientsOf(3, 100));
    const optimizer = adam(options);
    let params: Tensor = float64([1, -2, 3]);
    let state = optimizer.init(params);
    for (const [i, g] of gradientsOf(3, 100).entries()) {
      const result = optimizer.update(g, state, params);
      params = applyUpdates(params, result.updates);
      state = result.state;
      values(params).forEach((v, k) => expect(Math.abs(v - values(own[i].params)[k])).toBeLessThan(1e-12));
    }
  });

  it("beta1Decay shrinks beta1 step by step", () => {
    const [, second] = follow({ beta1Decay: 0.5 }, float64(0), [float64(1), float64(3)]);
    // beta_{1,1} = 0.9, beta_{1,2} = 0.45
    expect((second.state.firstMoment as Tensor).item()).toBeCloseTo(0.45 * 0.1 + 0.55 * 3, 12);
  });
});

describe("the friction coefficient", () => {
  const linear = new Array<Tensor>(5).fill(float64([3, -0.2]));

  it("is exactly 1/2 where the gradient does not change, so that steps are half of Adam's", () => {
    const own = follow({ learningRate: 0.1 }, float64([1, 1]), linear);
    const adams = follow({ learningRate: 0.1, friction: "none" }, float64([1, 1]), linear);
    for (let t = 1; t < 5; t++) {
      expect(values(own[t].friction)).toEqual([0.5, 0.5]);
      expect(values(own[t].update)).toEqual(values(adams[t].update).map((u) => u / 2));
    }
  });

  it("of the first step compares with a gradient of zero: the step is alpha sign(g) AbsSig(g)", () => {
    for (const g of [-7, -0.3, 1e-3, 2]) {
      const [{ update }] = follow({ learningRate: 0.1, epsilon: 0 }, float64(0), [float64(g)]);
      const expected = (-0.1 * Math.sign(g)) / (1 + Math.exp(-Math.abs(g)));
      expect(Math.abs(update.item() / expected - 1)).toBeLessThan(1e-13);
    }
  });

  it.each([
    ["abs", 0.5, 1],
    ["signed", 0, 1],
    ["wide", 0.5, 5],
  ] as const)("%s stays within [%d, %d] for gradients from 1e-300 to 1e300", (friction, least, most) => {
    const rng = random.rng(4);
    const draw = () => {
      const magnitudes = rng.uniform([400], { low: -300, high: 300, dtype: "float64" });
      const signs = rng.rademacher([400]);
      return tensor(magnitudes.data().map((x, i) => signs.data()[i] * 10 ** x) as Float64Array);
    };
    const [previous, g] = [draw(), draw()];
    const [alone] = follow({ friction, learningRate: 1 }, float64(new Array(400).fill(0)), [g]);
    for (const xi of [frictionCoefficient(previous, g, friction), alone.friction]) {
      expect(values(xi).every((v) => v >= least && v <= most)).toBe(true);
    }
    expect(values(alone.update).every(Number.isFinite)).toBe(true);
  });

  it("survives a change of the gradient that overflows", () => {
    const [, { params, friction }] = follow({}, float64([0, 0]), [float64([1e308, -1e308]), float64([-1e308, 1e308])]);
    expect(values(friction)).toEqual([1, 1]);
    expect(values(params).every((v) => !Number.isNaN(v))).toBe(true);
  });

  it("sees the last gradient even where its buffer is used again, the official bug", () => {
    const gradients = gradientsOf(3, 20);
    for (const friction of ["abs", (p: Tensor, g: Tensor) => sub(p, g).abs().sigmoid()] as const) {
      const fresh = follow({ friction }, float64([0, 0, 0]), gradients);
      const buffer = new Float64Array(3);
      const optimizer = diffGrad({ friction });
      let params: Tensor = float64([0, 0, 0]);
      let state = optimizer.init(params);
      for (const g of gradients) {
        buffer.set(g.data());
        const result = optimizer.update(tensor(buffer), state, params);
        params = applyUpdates(params, result.updates);
        state = result.state;
      }
      expect(values(params)).toEqual(values(fresh[19].params));
    }
  });
});

describe("invariants", () => {
  const start = float64([0.7, -1.3]);
  const objective = (x: Tensor) => sum(add(square(square(x)), mul(x, tensor([1, -2]))));

  function descend(loss: (x: Tensor) => Tensor, from: Tensor, options: DiffGradOptions = {}) {
    const optimizer = diffGrad({ learningRate: 0.05, ...options });
    let params = from;
    let state = optimizer.init(params);
    const path: number[][] = [];
    for (let i = 0; i < 50; i++) {
      const result = optimizer.update(grad(loss)(params) as Tensor, state, params);
      params = applyUpdates(params, result.updates);
      state = result.state;
      path.push(values(params));
    }
    return path;
  }

  it("f(-x) from -x0 mirrors the trajectory for symmetric friction, and not for signed", () => {
    const mirrored = (friction: DiffGradOptions["friction"]) => [
      descend(objective, start, { friction }),
      descend((x) => objective(mul(x, -1)), mul(start, -1), { friction }).map((x) => x.map((v) => -v)),
    ];
    for (const friction of ["abs", "wide"] as const) {
      const [a, b] = mirrored(friction);
      expect(a).toEqual(b);
    }
    const [a, b] = mirrored("signed");
    expect(Math.abs(a[49][0] - b[49][0])).toBeGreaterThan(1e-3);
  });

  it("weight decay is the gradient of an L2 penalty", () => {
    const weightDecay = 0.25;
    const penalised = descend((x) => add(objective(x), mul(sum(square(x)), weightDecay / 2)), start);
    descend(objective, start, { weightDecay }).forEach((x, i) => {
      x.forEach((v, k) => expect(Math.abs(v - penalised[i][k])).toBeLessThan(1e-12));
    });
  });

  it("a zero gradient forever with epsilon 0 changes nothing", () => {
    const zero = float64([0, 0]);
    for (const friction of ["abs", "signed", "wide", "none"] as const) {
      const steps = follow({ friction, epsilon: 0 }, start, new Array<Tensor>(10).fill(zero));
      expect(values(steps[9].params)).toEqual(values(start));
    }
  });

  it("schedules set the step of each update", () => {
    const gradients = new Array<Tensor>(4).fill(float64(2));
    const [, , , { update }] = follow(
      { learningRate: inverseSquareRootSchedule(0.4), epsilon: 0 },
      float64(0),
      gradients,
    );
    expect(update.item()).toBeCloseTo(-0.4 / Math.sqrt(4) / 2, 12);
  });

  it("the update alone and as a part of a compiled function agree to 1e-12 for every option", async () => {
    for (const friction of ["abs", "signed", "wide", "none"] as const) {
      for (const epsilonPlacement of ["after-correction", "before-correction"] as const) {
        const more = { beta1Decay: 0.99, weightDecay: 0.1, learningRate: inverseSquareRootSchedule(0.1) };
        const optimizer = diffGrad({ friction, epsilonPlacement, ...more });
        const traced = jit(optimizer.update);
        let params: Tensor = start;
        let state: DiffGradState = optimizer.init(params);
        for (const g of gradientsOf(2, 30)) {
          const [alone, compiled] = [optimizer.update(g, state, params), await traced(g, state, params)];
          const other = values(compiled);
          values(alone).forEach((v, i) =>
            expect(Math.abs(v - other[i])).toBeLessThan(1e-12 * Math.max(1, Math.abs(v))),
          );
          params = applyUpdates(params, alone.updates);
          state = alone.state;
        }
      }
    }
  });
});

describe("bad input", () => {
  const rejected = (options: DiffGradOptions) => expect(() => diffGrad(options)).toThrow(/diffGrad: .* must be/);

  it("options out of range are named", () => {
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      rejected({ learningRate: bad });
      rejected({ epsilon: bad });
      rejected({ weightDecay: bad });
    }
    for (const bad of [-0.1, 1, Number.NaN]) {
      rejected({ beta1: bad });
      rejected({ beta2: bad });
    }
    rejected({ beta1Decay: 0 });
    rejected({ beta1Decay: "0.5" as never });
    rejected({ friction: "strong" as never });
    rejected({ epsilonPlacement: "inside" as never });
  });

  it("a friction function must keep the shape", () => {
    const optimizer = diffGrad({ friction: (_, g) => sum(g) });
    const params = float64([1, 2]);
    expect(() => optimizer.update(params, optimizer.init(params), params)).toThrow(/friction gave shape/);
    const number = diffGrad({ friction: () => 1 as never });
    expect(() => number.update(params, number.init(params), params)).toThrow(/friction gave 1, no tensor, for/);
    expect(() => frictionCoefficient([1] as never, params as never)).toThrow(/previousGradient is 1; give a tensor/);
  });

  it("a sparse gradient is refused", () => {
    const optimizer = diffGrad();
    const params = float64([1, 2]);
    const sparse = { w: params };
    const state = optimizer.init(sparse);
    const gradient = Object.assign(Object.create({ kind: "class" }), { format: "csr", values: new Float64Array(2) });
    expect(() => optimizer.update({ w: gradient }, state, sparse)).toThrow(/sparse/);
  });
});
