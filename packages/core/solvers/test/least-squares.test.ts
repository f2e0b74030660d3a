import {
  add,
  concatenate,
  exp,
  expandDims,
  mul,
  neg,
  pow,
  random,
  slice,
  sqrt,
  square,
  stack,
  sub,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { expectClose, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { runConformance } from "../src/conformance/index.js";
import {
  gaussNewton,
  gaussNewtonSync,
  type LeastSquaresOptions,
  levenbergMarquardt,
  levenbergMarquardtSync,
  rootSync,
} from "../src/index.js";

interface Minimum {
  readonly initial: number[];
  readonly x: number[];
  readonly objective: number;
  readonly evaluations: number;
}
const fixtures = readFixture<
  Record<"rosenbrock" | "powell" | "circle" | "broyden", Minimum> & {
    decay: Minimum & { t: number[]; y: number[] };
  }
>(import.meta.url, "least-squares.json");

const f64 = (values: number[] | number[][]) => tensor(values, { dtype: "float64" });
const column = (x: Tensor, i: number) => slice(x, [...x.shape.slice(1).map(() => null), i]);

/** Rosenbrock's residuals of vectors `[..., 2]`. */
const rosenbrock = (x: Tensor) => {
  const [a, b] = [column(x, 0), column(x, 1)];
  return stack([mul(10, sub(b, square(a))), sub(1, a)], -1);
};
const plainRosenbrock = ([a, b]: Float64Array) => [10 * (b - a * a), 1 - a];
const powell = (x: Tensor) => {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => column(x, i));
  const parts = [add(a, mul(10, b)), mul(Math.sqrt(5), sub(c, d)), square(sub(b, mul(2, c))), square(sub(a, d))];
  return stack([...parts.slice(0, 3), mul(Math.sqrt(10), parts[3])], -1);
};
const decay = (x: Tensor) => {
  const [scale, rate, offset] = [0, 1, 2].map((i) => expandDims(column(x, i), -1));
  return sub(add(mul(scale, exp(neg(mul(rate, f64(fixtures.decay.t))))), offset), f64(fixtures.decay.y));
};
const plainDecay = ([scale, rate, offset]: Float64Array) =>
  fixtures.decay.t.map((t, i) => scale * Math.exp(-rate * t) + offset - fixtures.decay.y[i]);

const methods = { levenbergMarquardt, gaussNewton };
const many = tensor(
  Float64Array.from({ length: 40 }, (_, i) => 1 + i / 40),
  { dtype: "float64" },
);
for (const [name, solve] of Object.entries(methods)) {
  runConformance(
    name,
    {
      run: (options) => solve((x: Tensor) => pow(x, 9), many, options as LeastSquaresOptions),
      limit: "maxIterations",
      short: 5,
      endless: { maxIterations: 1e9, gradientTolerance: 0, stepTolerance: 0 },
      seeded: false,
      invalid: [
        { gradientTolerance: -1 },
        { stepTolerance: Number.NaN },
        { compile: 1 },
        { normalEquations: 1 },
        { jacobian: () => [[1]] },
      ],
      nonFinite: [
        () => solve(plainRosenbrock, [Number.NaN, 1]),
        () => solve(() => [Number.NaN], [1, 1]),
        () => solve((x: Tensor) => sqrt(neg(x)), many),
      ],
    },
    { describe, it, expect },
  );
}

describe.each([
  ["levenbergMarquardtSync", levenbergMarquardtSync],
  ["gaussNewtonSync", gaussNewtonSync],
])("%s", (_, solve) => {
  it("finds the minima that scipy finds", () => {
    const cases: [Minimum, (x: Tensor) => Tensor, number][] = [
      [fixtures.rosenbrock, rosenbrock, 1e-9],
      [fixtures.decay, decay, 1e-7],
      // Its Jacobian is singular at the solution, which is approached linearly.
      [fixtures.powell, powell, 3e-3],
    ];
    for (const [{ initial, x, objective }, residuals, accuracy] of cases) {
      const found = solve(residuals, f64(initial), { gradientTolerance: 1e-11 });
      expect(found.status).toBe("converged");
      expectClose(found.x, f64(x), { absolute: accuracy });
      expect(Math.abs(found.objective - objective)).toBeLessThan(1e-12);
      expect(found.iterations).toBeLessThan(60);
    }
  });

  it("solves a batch as its problems one by one, eager and compiled", () => {
    const starts = mul(random.rng("starts").normal([6, 2], { dtype: "float64" }), 1.5);
    const whole = solve(rosenbrock, starts);
    expect(whole.status).toBe("converged");
    expect(whole.converged).toEqual(new Array(6).fill(true));
    for (const options of [{ compile: true }, { normalEquations: true }, { compile: true, normalEquations: true }]) {
      expectClose(solve(rosenbrock, starts, options).x, whole.x, { absolute: 1e-9 });
    }
    const each = Array.from({ length: 6 }, (_unused, i) => solve(rosenbrock, starts.slice([i])));
    expectClose(
      concatenate(
        each.map(({ x }) => expandDims(x, 0)),
        0,
      ),
      whole.x,
      { absolute: 1e-9 },
    );
    expect(whole.iterations).toBe(Math.max(...each.map(({ iterations }) => iterations)));
  });

  it("takes plain residuals, with a Jacobian or differences", () => {
    const jacobian = ([a]: Float64Array) => [
      [-20 * a, 10],
      [-1, 0],
    ];
    for (const options of [{ jacobian }, {}]) {
      const { x, status } = solve(plainRosenbrock, [-1.2, 1], options);
      expect(status).toBe("converged");
      expect(x[0]).toBeCloseTo(1, 8);
      expect(x[1]).toBeCloseTo(1, 8);
    }
    const { x } = solve(plainDecay, fixtures.decay.initial);
    fixtures.decay.x.forEach((v, i) => {
      expect(x[i]).toBeCloseTo(v, 6);
    });
  });
});

describe("least squares", () => {
  it("come by normal equations to the same minimum, of dependent columns and where a trial is not finite, too", () => {
    const line = f64(Array.from({ length: 30 }, (_, i) => 1 + i / 30));
    const twice = (x: Tensor) => sub(mul(add(column(x, 0), mul(2, column(x, 1))).reshape([1]), line), add(line, 1));
    for (const solve of [levenbergMarquardtSync, gaussNewtonSync]) {
      const [plain, normal] = [{}, { normalEquations: true }].map((options) => solve(twice, f64([3, -1]), options));
      expect(normal.status).toBe("converged");
      expect(normal.objective).toBeCloseTo(plain.objective, 10);
      const grow = (x: Tensor) => sub(pow(10, mul(x, 150)), 1);
      expect(solve(grow, f64([-0.02]), { normalEquations: true }).x.item()).toBeCloseTo(0, 8);
    }
  });

  it("take promised residuals, with the result of the others", async () => {
    for (const solve of Object.values(methods)) {
      const later = await solve(async (x) => plainDecay(x), fixtures.decay.initial);
      const at = await solve(plainDecay, fixtures.decay.initial);
      expect(later.x).toEqual(at.x);
    }
  });

  it("are found of residuals of any size, each problem of a batch in its own", async () => {
    const sizes = [1, 1e160, 1e-170];
    const units = tensor(
      sizes.map((c) => [c, c]),
      { dtype: "float64" },
    );
    const each = (x: Tensor) => {
      const [a, b] = [slice(x, [null, { start: 0, stop: 1 }]), slice(x, [null, { start: 1, stop: 2 }])];
      return mul(units, concatenate([mul(10, sub(b, square(a))), sub(1, a)], -1));
    };
    const start = tensor(
      sizes.map(() => [-1.2, 1]),
      { dtype: "float64" },
    );
    const options = { gradientTolerance: 0 };
    for (const [solve, go] of [
      [levenbergMarquardtSync, levenbergMarquardt],
      [gaussNewtonSync, gaussNewton],
    ] as const) {
      for (const more of [{}, { compile: true }, { normalEquations: true }]) {
        expectClose(solve(each, start, { ...options, ...more }).x, new Array(6).fill(1), 1e-7);
      }
      for (const c of sizes) {
        const plain = (x: Float64Array) => [c * 10 * (x[1] - x[0] ** 2), c * (1 - x[0])];
        const first = await go(plain, [-1.2, 1], { ...options, maxIterations: 5 });
        expect(Array.from(first.residuals)).toEqual(plain(first.x));
        const { x, status } = await go(plain, [-1.2, 1], { ...options, resume: first.state });
        expectClose(x, [1, 1], 1e-9);
        expect(status).toBe("converged");
      }
    }
    expect(() => levenbergMarquardtSync(() => [Number.POSITIVE_INFINITY], [1])).toThrow(/not finite at the initial/);
  });

  it("of float32 are float32", () => {
    const { x, status } = levenbergMarquardtSync(rosenbrock, tensor([-1.2, 1]), { gradientTolerance: 1e-4 });
    expect(status).toBe("converged");
    expect(x.dtype).toBe("float32");
  });

  it("say what residuals must give", () => {
    expect(() => levenbergMarquardtSync((() => tensor(1)) as never, [1, 2])).toThrow(/give a tensor as initial/);
    expect(() => levenbergMarquardtSync(() => tensor([1]), f64([[1, 2]]))).toThrow(/same leading axes/);
    expect(() => levenbergMarquardtSync(plainRosenbrock, [1, 2], { jacobian: () => [[1, 2]] })).toThrow(/2 rows of 2/);
    expect(() => levenbergMarquardtSync(plainRosenbrock, [1, 2], { compile: true })).toThrow(/compile is for/);
  });
});

describe("roots", () => {
  it.each(["newton", "broyden"] as const)("are those of scipy, by %s", (method) => {
    const circle = (x: Tensor) => {
      const [a, b] = [column(x, 0), column(x, 1)];
      return stack([sub(add(square(a), square(b)), 4), sub(exp(sub(a, 1)), b)]);
    };
    const tridiagonal = (x: Tensor) => {
      const [left, right] = [
        concatenate([[0], slice(x, [{ stop: -1 }])]),
        concatenate([slice(x, [{ start: 1 }]), [0]]),
      ];
      return add(sub(sub(mul(sub(3, mul(2, x)), x), left), mul(2, right)), 1);
    };
    for (const [fixture, g] of [
      [fixtures.circle, circle],
      [fixtures.broyden, tridiagonal],
    ] as const) {
      const { x, status, iterations } = rootSync(g, f64(fixture.initial), { method, tolerance: 1e-12 });
      expect(status).toBe("converged");
      expect(iterations).toBeLessThan(25);
      expectClose(x, f64(fixture.x), { absolute: 1e-9 });
    }
  });
});
