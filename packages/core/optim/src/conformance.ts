import {
  add,
  asTensor,
  concatenate,
  grad,
  jit,
  mul,
  random,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  trace,
  tree,
} from "@offprint/tensor-core";
import { minimize } from "./minimize.js";
import { applyUpdates, type GradientTransformation } from "./transformation.js";

/** The parts of a test runner that the suite uses; those of vitest fit. */
export interface TestTools {
  /** Groups tests. */
  describe: (name: string, body: () => void) => unknown;
  /** Declares a test. */
  it: (name: string, body: () => unknown) => unknown;
  /** Starts an assertion. */
  expect: (value: unknown) => Assertion;
}

/** The assertions that the suite makes. */
export interface Assertion {
  /** The same value. */
  toBe(expected: unknown): void;
  /** The same structure. */
  toEqual(expected: unknown): void;
  /** A text that fits. */
  toMatch(expected: RegExp): void;
  /** A number above. */
  toBeGreaterThan(expected: number): void;
  /** A number below. */
  toBeLessThan(expected: number): void;
  /** A number that is not above. */
  toBeLessThanOrEqual(expected: number): void;
}

/** The optimizer under test. */
export interface ConformanceSubject {
  /** Makes it, without weight decay; with its default learning rate unless one is given. */
  make: (options: { learningRate?: number }) => GradientTransformation;
  /** A setting that takes `|x - target|^2` from a distance of about 3 to within `tolerance` of the minimum. */
  quadratic: { learningRate: number; steps: number; tolerance: number };
  /** Calls that must throw a ValueError for an option out of range. */
  invalid: readonly (() => unknown)[];
  /** Whether every coordinate is treated alone. Default true. */
  coordinatewise?: boolean;
}

type Float = "float32" | "float64";

const STEPS = 12;

function parametersOf(rng: random.Rng, dtype: Float) {
  return {
    layers: [{ w: rng.normal([3, 4], { dtype }), b: rng.normal([4], { dtype }) }],
    scale: rng.normal([], { dtype }),
  };
}

function gradientsOf<P>(rng: random.Rng, params: P): P {
  return tree.map((p: Tensor) => rng.normal(p.shape, { dtype: p.dtype as Float }), params);
}

/** Parameters and state after every step of a fixed sequence of gradients. */
function trajectory<P>(optimizer: GradientTransformation, params: P, gradients: readonly P[], state?: unknown) {
  let current = params;
  let inner = state ?? optimizer.init(params);
  return gradients.map((g) => {
    const result = optimizer.update(g, inner, current);
    inner = result.state;
    current = applyUpdates(current, result.updates);
    return { params: current, state: inner };
  });
}

function values(value: unknown): number[] {
  return tree.leaves<Tensor>(value).flatMap((x) => Array.from(asTensor(x).data()));
}

function largestDifference(a: unknown, b: unknown): number {
  const [x, y] = [values(a), values(b)];
  if (x.length !== y.length) return Infinity;
  return Math.max(0, ...x.map((v, i) => Math.abs(v - y[i]) / Math.max(1, Math.abs(v))));
}

/**
 * The suite that every optimizer of every package passes: the laws of a gradient transformation.
 * @param tools `{ describe, it, expect }` of vitest, which is so no dependency of this package
 * @example optimizerConformance("adam", { make: adam, quadratic: {...}, invalid: [...] }, { describe, it, expect });
 */
export function optimizerConformance(name: string, subject: ConformanceSubject, tools: TestTools): void {
  const { describe } = tools;
  describe(`${name} obeys the laws of a gradient transformation`, () => {
    for (const dtype of ["float32", "float64"] as const) describe(dtype, () => numericalLaws(subject, dtype, tools));
    treeLaws(subject, tools);
    rejections(subject, tools);
  });
}

function numericalLaws({ make, quadratic, coordinatewise = true }: ConformanceSubject, dtype: Float, tools: TestTools) {
  const { it, expect } = tools;
  const setting = () => {
    const rng = random.rng(`conformance/${dtype}`);
    const params = parametersOf(rng, dtype);
    return { params, gradients: Array.from({ length: STEPS }, () => gradientsOf(rng, params)) };
  };
  const tolerance = dtype === "float64" ? 1e-12 : 2e-5;

  it("gives the same traced as eager", async () => {
    const { params, gradients } = setting();
    const optimizer = make({});
    const eager = trajectory(optimizer, params, gradients);
    const update = jit((g: typeof params, s: unknown, p: typeof params) => optimizer.update(g, s, p));
    let current = params;
    let state = optimizer.init(params);
    for (const [i, g] of gradients.entries()) {
      const result = await update(g, state, current);
      state = result.state;
      current = applyUpdates(current, result.updates);
      expect(largestDifference(current, eager[i].params)).toBeLessThanOrEqual(tolerance);
      expect(largestDifference(state, eager[i].state)).toBeLessThanOrEqual(tolerance);
    }
  });

  it("keeps structure, shapes and dtypes of parameters and state", () => {
    const { params, gradients } = setting();
    const optimizer = make({});
    const spec = (value: unknown) => tree.map((x: Tensor) => `${x.dtype}[${x.shape}]`, value);
    const before = optimizer.init(params);
    const { updates, state } = optimizer.update(gradients[0], before, params);
    expect(spec(updates)).toEqual(spec(params));
    expect(spec(state)).toEqual(spec(before));
  });

  if (coordinatewise) {
    it("treats coordinates alone: two stacked problems equal each by itself", () => {
      const rng = random.rng(5);
      const [a, b] = [rng.normal([6], { dtype }), rng.normal([3], { dtype })];
      const both = Array.from({ length: STEPS }, () => rng.normal([9], { dtype }));
      const part = (from: number, to: number) => both.map((g) => slice(g, [{ start: from, stop: to }]));
      const last = (p: Tensor, g: readonly Tensor[]) => trajectory(make({}), p, g)[STEPS - 1].params;
      const stacked = last(concatenate([a, b]), both);
      expect(values(stacked)).toEqual([...values(last(a, part(0, 6))), ...values(last(b, part(6, 9)))]);
    });
  }

  it("goes on bit by bit from a state that was written out and read back", () => {
    const { params, gradients } = setting();
    const whole = trajectory(make({}), params, gradients);
    const half = tree.fromJson<(typeof whole)[number]>(tree.toJson(whole[STEPS / 2 - 1]));
    const rest = trajectory(make({}), half.params, gradients.slice(STEPS / 2), half.state);
    expect(values(rest[rest.length - 1])).toEqual(values(whole[STEPS - 1]));
  });

  it("leaves parameters where they are while the gradient is zero", () => {
    const { params } = setting();
    const zero = tree.map((p: Tensor) => mul(p, 0), params);
    const steps = trajectory(make({}), params, new Array(STEPS).fill(zero));
    expect(values(steps[STEPS - 1].params)).toEqual(values(params));
    expect(values(steps[STEPS - 1].state).every(Number.isFinite)).toBe(true);
  });

  it("converges on a quadratic", async () => {
    const target = tensor([1, -2, 0.5], { dtype });
    const { learningRate, steps, tolerance: closeness } = quadratic;
    const loss = (x: Tensor) => sum(square(sub(x, target)));
    const result = await minimize(loss, tensor([3, 0, 2], { dtype }), make({ learningRate }), { steps });
    expect(largestDifference(result.params, target)).toBeLessThan(closeness);
    expect(result.params.dtype).toBe(dtype);
  });

  it("does not see what happens to a gradient's buffer afterwards", () => {
    const { params, gradients } = setting();
    const fresh = trajectory(make({}), params, gradients);
    const buffers = tree.map((p: Tensor) => p.data().slice(), params);
    const shared = tree.map((b: Float32Array, p: Tensor) => tensor(b, { shape: p.shape }), buffers, params);
    const optimizer = make({});
    let current = params;
    let state = optimizer.init(params);
    for (const g of gradients) {
      tree.map((b: Float32Array, x: Tensor) => b.set(x.data() as Float32Array), buffers, g);
      const result = optimizer.update(shared, state, current);
      tree.map((b: Float32Array) => b.fill(7), buffers);
      state = result.state;
      current = applyUpdates(current, result.updates);
    }
    expect(values(current)).toEqual(values(fresh[STEPS - 1].params));
  });
}

function treeLaws({ make }: ConformanceSubject, { it, expect }: TestTools) {
  it("takes plain numbers as weakly typed leaves", () => {
    const optimizer = make({});
    const params = { a: 1, b: tensor(2, { dtype: "float64" }) };
    const gradients = { a: 0.5, b: 0.5 } as unknown as typeof params;
    const { updates } = optimizer.update(gradients, optimizer.init(params), params);
    const [a, b] = tree.leaves<Tensor>(updates);
    expect(a.dtype).toBe("float32");
    expect(b.dtype).toBe("float64");
    expect(Math.abs(a.item() - b.item())).toBeLessThan(1e-6 * Math.abs(b.item()) + 1e-12);
  });

  it("gives the same for a tree as for each of its leaves", () => {
    const rng = random.rng(8);
    const [a, b] = [rng.normal([2, 2]), rng.normal([])];
    const alone = trajectory(make({}), a, [a, a])[1].params;
    const together = trajectory(make({}), { x: [a], y: b }, [
      { x: [a], y: mul(b, 0) },
      { x: [a], y: mul(b, 0) },
    ])[1].params;
    expect(largestDifference(together.x[0], alone)).toBeLessThan(1e-6);
  });

  it("is one graph without JavaScript in it, and differentiable", () => {
    const optimizer = make({});
    const params = tensor([1, 2, 3], { dtype: "float64" });
    const state = optimizer.init(params);
    expect(String(trace(optimizer.update, params, state, params)).length).toBeGreaterThan(0);
    const sensitivity = grad((g: Tensor) => sum(optimizer.update(g, state, params).updates))(params);
    expect(values(sensitivity).every(Number.isFinite)).toBe(true);
  });
}

function rejections({ make, invalid }: ConformanceSubject, { it, expect }: TestTools) {
  const named = (f: () => unknown): string => {
    try {
      f();
      return "no error";
    } catch (error) {
      return (error as Error).name;
    }
  };

  it("rejects options out of range with a ValueError", () => {
    expect(invalid.length).toBeGreaterThan(0);
    expect(invalid.map(named)).toEqual(invalid.map(() => "ValueError"));
  });

  it("rejects gradients that do not fit, before touching any state", () => {
    const optimizer = make({});
    const params = { a: tensor([1, 2]), b: tensor(3) };
    const state = optimizer.init(params);
    const before = tree.toJson(state);
    const update = (g: unknown) => () => optimizer.update(g, state, params);
    const b = tensor(0.1);
    expect(named(update({ a: tensor([1, 2, 3]), b }))).toBe("ShapeError");
    expect(named(update({ a: tensor([1, 2]) }))).toBe("ShapeError");
    expect(named(update({ a: tensor([1, 2]), b, c: b }))).toBe("ShapeError");
    expect(named(update({ a: tensor([1, Number.NaN]), b }))).toBe("NonFiniteError");
    expect(named(update({ a: tensor([1, 2]), b: tensor(Number.POSITIVE_INFINITY) }))).toBe("NonFiniteError");
    expect(named(update({ a: tensor([1, 2], { dtype: "int32" }), b }))).toBe("DTypeError");
    expect(named(update({ a: { format: "csr", values: new Float64Array(1) }, b }))).toMatch(/Unsupported|Shape/);
    expect(tree.toJson(state)).toBe(before);
    expect(values(optimizer.update({ a: tensor([1, 2]), b }, state, params).updates).every(Number.isFinite)).toBe(true);
  });

  it("rejects integer parameters with a DTypeError", () => {
    expect(named(() => make({}).init({ a: tensor([1, 2], { dtype: "int32" }) }))).toBe("DTypeError");
    const optimizer = make({});
    const state = optimizer.init(tensor([1, 2]));
    const counts = add(tensor([1, 2], { dtype: "int32" }), 1);
    expect(named(() => optimizer.update(tensor([1, 2]), state, counts))).toBe("DTypeError");
  });
}
