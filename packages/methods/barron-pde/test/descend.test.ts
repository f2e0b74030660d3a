import { runConformance } from "@offprint/solvers/conformance";
import { describe, expect, it } from "vitest";
import { fourCosines } from "../claims/problems.js";
import {
  type DescentResult,
  denseNewton,
  descend,
  energyGradient,
  fromSamples,
  type Lagrangian,
  linearLagrangian,
  quarticLagrangian,
  SparseFourier,
} from "../src/index.js";
import { randomFunction } from "./functions.js";

const cubic = quarticLagrangian({ beta: 1 });
const quasilinear = quarticLagrangian({ beta: 0.5, gamma: 0.05 });
/** Positive definite, with coefficients that move. */
const wave = (a: number, constant: number) => SparseFourier.cosines([{ k: [1, 1], a, theta: 0.3 }], { constant });
const linear = linearLagrangian(
  [
    [wave(0.4, 2), wave(0.2, 0.5)],
    [wave(0.2, 0.5), 1.5],
  ],
  wave(0.3, 1),
);

runConformance(
  "descend",
  {
    run: (options) => descend(cubic, fourCosines(2, 4), { pruneTolerance: 1e-6, ...options }),
    limit: "maxIterations",
    short: 5,
    endless: { maxIterations: 1e9, tolerance: 0 },
    seeded: false,
    nonFinite: [async () => descend(cubic, SparseFourier.cosines([{ k: [1], a: Number.NaN }]))],
    invalid: [
      { stepSize: 0 },
      { stepSize: "fast" },
      { tolerance: -1 },
      { pruneTolerance: -1 },
      { preconditioner: "l2" },
      { initial: SparseFourier.constant(3, 0) },
    ],
    outcome: (run) => ({ ...run, u: (run as DescentResult).u.toData() }),
  },
  { describe, it, expect },
);

describe.each([
  ["semilinear", cubic],
  ["quasilinear", quasilinear],
  ["linear with variable coefficients", linear],
])("the derivative of the %s energy", (_, lagrangian) => {
  it("is that of finite differences in random directions", () => {
    const f = fourCosines(2, 1);
    const u = randomFunction("u", 2, 4).precondition().scale(4);
    for (const name of ["v", "w", "z"]) {
      const v = randomFunction(name, 2, 4).precondition();
      const energy = (h: number) => energyGradient(lagrangian, f, u.add(v.scale(h))).energy;
      const slope = (8 * (energy(1e-3) - energy(-1e-3)) - energy(2e-3) + energy(-2e-3)) / 12e-3;
      expect(energyGradient(lagrangian, f, u).gradient.inner(v) / slope).toBeCloseTo(1, 8);
    }
  });

  it("has an energy that quadrature finds", () => {
    const u = randomFunction("u", 2, 4).precondition();
    const f = fourCosines(2, 1);
    const n = 48;
    const grid = Array.from({ length: n * n }, (_, i) => [Math.floor(i / n) / n, (i % n) / n]);
    const [y, right, ...z] = [u, f, ...u.gradient()].map((each) => [...each.evaluate(grid).data()].map(Number));
    const values = y.map((value, i) => {
      const slopes = z.map((each) => each[i]);
      let density: number;
      if (lagrangian === linear) {
        const moving = (a: number, constant: number) =>
          constant + a * Math.cos(2 * Math.PI * (grid[i][0] + grid[i][1]) + 0.3);
        const [a, b, c] = [moving(0.4, 2), moving(0.2, 0.5), moving(0.3, 1)];
        density = (a * slopes[0] ** 2 + 2 * b * slopes[0] * slopes[1] + 1.5 * slopes[1] ** 2 + c * value ** 2) / 2;
      } else {
        const { beta, gamma } = lagrangian as typeof cubic;
        density = value ** 2 / 2 + (beta * value ** 4) / 4;
        for (const slope of slopes) density += slope ** 2 / 2 + (gamma * slope ** 4) / 4;
      }
      return density - right[i] * value;
    });
    const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
    expect(energyGradient(lagrangian, f, u).energy).toBeCloseTo(mean, 10);
  });
});

describe("descend", () => {
  it("comes to what Newton's method finds on a grid, with certificates that are no smaller than the errors", async () => {
    const f = SparseFourier.cosines([
      { k: [1, 0], a: 8 },
      { k: [1, 1], a: 6, theta: 1 },
    ]);
    const exact = fromSamples(denseNewton(f, { beta: 0.5, gamma: 0.05, points: 25 }).u);
    for (const tolerance of [1e-1, 1e-2, 1e-4]) {
      const { u, certificate, status } = await descend(quasilinear, f, { tolerance });
      expect(status).toBe("converged");
      expect(certificate).toBeLessThanOrEqual(tolerance);
      expect(u.subtract(exact).h1()).toBeLessThanOrEqual(certificate + 1e-5);
    }
  });

  it("solves linear equations with variable coefficients", async () => {
    const f = fourCosines(2, 1);
    const { u, curvature, certificate } = await descend(linear, f, { tolerance: 1e-8 });
    expect(energyGradient(linear, f, u).gradient.precondition().h1()).toBeLessThan(curvature.convexity * 1e-8);
    expect(certificate).toBeLessThan(1e-8);
    // lambda of A's means less what its cosines can do.
    const mean = 1.75 - Math.hypot(0.25, 0.5);
    expect(curvature.convexity).toBeCloseTo(Math.min(mean - 0.6, 0.7), 10);
  });

  it("lowers the energy in every iteration with steps of 1 / Lambda", async () => {
    const { history } = await descend(cubic, fourCosines(1), { stepSize: "descent", maxIterations: 30 });
    expect(history.length).toBe(30);
    for (const [t, { energy }] of history.slice(1).entries()) expect(energy).toBeLessThan(history[t].energy);
  });

  it("goes on to modes of which a short step makes little", async () => {
    const f = SparseFourier.cosines([{ k: [1, 0], a: 1e3 }]);
    const { status, history } = await descend(quarticLagrangian({ beta: 1 }), f, { tolerance: 3, maxIterations: 3000 });
    expect(status).toBe("converged");
    expect(Math.min(...history.map((record) => record.stepSize))).toBeLessThan(0.01);
  });

  it("keeps the many high modes that a steep solution is made of, each of which is little", async () => {
    const f = SparseFourier.cosines([
      { k: [1], a: 300 },
      { k: [2], a: 150 },
    ]);
    const tolerance = 0.01 * f.precondition().l2();
    const options = { tolerance, maxIterations: 200 };
    const { status, certificate, u } = await descend(quarticLagrangian({ gamma: 1 }), f, options);
    expect(status).toBe("converged");
    expect(certificate).toBeLessThanOrEqual(tolerance);
    const finer = await descend(quarticLagrangian({ gamma: 1 }), f, { ...options, tolerance: tolerance / 4 });
    expect(finer.u.subtract(u).h1()).toBeLessThan(1.25 * tolerance);
  });

  it("with the tolerance 0 comes as near as rounding lets it, without modes that are rounding alone", async () => {
    const { certificate, history } = await descend(cubic, fourCosines(2), { tolerance: 0, maxIterations: 100 });
    expect(certificate).toBeLessThan(1e-12);
    expect(Math.max(...history.map(({ modes }) => modes))).toBeLessThan(2000);
  });

  it("needs steps of the band limit without G", async () => {
    const f = fourCosines(1, 1);
    const options = { preconditioner: "none", maxIterations: 40, pruneTolerance: 1e-6 } as const;
    await expect(descend(cubic, f, { ...options, stepSize: 0.5 })).rejects.toThrow("is too long; lower it");
    const slow = await descend(cubic, f, { ...options, stepSize: 1e-3 });
    const quick = await descend(cubic, f, { maxIterations: 10 });
    expect(slow.certificate).toBeGreaterThan(100 * quick.certificate);
  });

  it("with a step that is too long fails with the last good state", async () => {
    const error = await descend(cubic, fourCosines(1), { stepSize: 0.8, pruneTolerance: 1e-7 }).catch(
      (caught) => caught,
    );
    expect(error.name).toBe("NonFiniteError");
    expect(error.message).toMatch(/iteration \d+: the energy rises: stepSize 0.8 is too long; lower it/);
    const again = await descend(cubic, fourCosines(1), {
      resume: error.state,
      maxIterations: error.state.iterations + 3,
    });
    expect(again.history.at(-1)?.energy).toBeLessThan(0);
  });

  it("takes a Lagrangian of the user's, also without an energy", async () => {
    // L = |z|^2 / 2 + y^2 / 2 + y^6 / 6
    const sextic: Lagrangian = {
      degree: 5,
      partials(u, gradient, multiply) {
        const square = multiply(u, u);
        return { y: u.add(multiply(multiply(square, square), u)), z: gradient };
      },
      curvature: (u) => ({ convexity: 1, smoothness: 1 + 5 * u.wiener() ** 4 }),
    };
    const f = SparseFourier.cosines([{ k: [1], a: 20 }]);
    const { u, certificate, history } = await descend(sextic, f, { tolerance: 1e-6 });
    expect(certificate).toBeLessThan(1e-6);
    expect(history[0].energy).toBeNaN();
    const x = 0.2;
    const laplacian = u.derivative(0).derivative(0).evaluate([x]).item();
    const value = u.evaluate([x]).item();
    expect(value - laplacian + value ** 5).toBeCloseTo(20 * Math.cos(2 * Math.PI * x), 4);
  });
});

describe("a Lagrangian of the user's is refused by name", () => {
  const f = SparseFourier.cosines([{ k: [1, 0], a: 2 }]);
  const own = (change: Partial<Lagrangian>): Lagrangian => ({
    degree: 1,
    partials: (u, z) => ({ y: u, z }),
    curvature: () => ({ convexity: 1, smoothness: 1 }),
    ...change,
  });
  it.each<[Partial<Lagrangian>, RegExp]>([
    // Without its derivatives by the gradient another equation would be solved.
    [{ partials: (u) => ({ y: u, z: [] }) }, /z has 0 entries; give an array of 2/],
    [{ partials: () => undefined as never }, /what it gave is undefined/],
    [{ partials: (_, z) => ({ y: 1 as never, z }) }, /y is no SparseFourier/],
    [{ partials: undefined as never }, /lagrangian.partials is undefined/],
    [{ curvature: undefined as never }, /lagrangian.curvature is undefined/],
    [{ curvature: () => ({ convexity: Number.NaN, smoothness: 1 }) }, /gave convexity NaN and smoothness 1/],
    [{ curvature: () => ({ convexity: 2, smoothness: 1 }) }, /0 < convexity <= smoothness/],
  ])("%#", async (change, message) => {
    await expect(descend(own(change), f)).rejects.toThrow(message);
  });

  it("and a step that is too long without the preconditioner says how long one may be", async () => {
    const rough = SparseFourier.cosines([{ k: [3, 1], a: 9 }]);
    await expect(descend(cubic, rough, { preconditioner: "none" })).rejects.toThrow(/lower it to about 0\.0*[1-9]/);
  });
});

describe("equations that are no such problem are refused", () => {
  it.each([
    [() => quarticLagrangian({ beta: -1 }), "beta is -1"],
    [() => quarticLagrangian({ gama: 1 } as never), 'did you mean "gamma"'],
    [() => linearLagrangian([[1, 2]], 1), "A has 1 rows of 2 entries"],
    [
      () =>
        linearLagrangian(
          [
            [2, 1],
            [0, 2],
          ],
          1,
        ),
      "A[1][0] is not A[0][1]",
    ],
    [
      () =>
        linearLagrangian(
          [
            [1, 2],
            [2, 1],
          ],
          1,
        ),
      "only certified to be above -1.00",
    ],
    [
      () =>
        linearLagrangian(
          [
            [wave(3, 2), 0],
            [0, 1],
          ],
          1,
        ),
      "only certified to be above",
    ],
    [() => linearLagrangian([[1]], 0), "only certified to be above 0.00"],
  ])("%#", (f, message) => {
    expect(f).toThrow(message);
  });

  it("a right-hand side that is no function", async () => {
    await expect(descend(cubic, [1, 2] as never)).rejects.toThrow("f is no SparseFourier; make one with");
    expect(() => denseNewton(fourCosines(3), { points: 9 })).toThrow("it is for one or two");
    expect(() => denseNewton(fourCosines(1), { points: 8 })).toThrow("give an odd number");
  });
});
