import { grad, random, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { solveLayer } from "../src/block-solver.js";
import {
  columnsOf,
  drawParameters,
  evaluateLayer,
  type HiddenActivation,
  hiddenLayerObjective,
  type OutputLoss,
  parameterCount,
  viewLayer,
} from "../src/hidden-layer.js";
import { losses } from "../src/index.js";
import { softmaxRows } from "../src/loss.js";

const activations: readonly HiddenActivation[] = ["logistic", "tanh", "relu", "identity"];
const normal = (rng: random.Rng, n: number) => rng.normal([n], { dtype: "float64" }).data() as Float64Array;

function oneHotRows(rng: random.Rng, n: number, K: number): Float64Array {
  const out = new Float64Array(n * K);
  rng
    .randint([n], { high: K })
    .data()
    .forEach((k: number, i: number) => {
      out[i * K + k] = 1;
    });
  return out;
}

describe("the objective of a block", () => {
  it.each(activations)("has the gradient of finite differences: %s", (activation) => {
    for (const [loss, K] of [
      ["squared", 3],
      ["logistic", 1],
      ["softmax", 3],
    ] as const) {
      for (const units of [1, 3, 6]) {
        const rng = random.rng(`${activation}/${loss}/${units}`);
        const size = { features: 4, units, outputs: K };
        const targets =
          loss === "squared"
            ? normal(rng, 7 * K)
            : loss === "softmax"
              ? oneHotRows(rng, 7, K)
              : oneHotRows(rng, 7, 2).slice(0, 7);
        const samples = { x: columnsOf(normal(rng, 28), 4), targets: columnsOf(targets, K) };
        const f = hiddenLayerObjective(size, { activation, alpha: 0.3, loss: loss as OutputLoss })(samples);
        const at = drawParameters(rng, size, activation);
        const gradient = new Float64Array(at.length);
        f(at, gradient);
        const scratch = new Float64Array(at.length);
        for (let p = 0; p < at.length; p++) {
          const h = 1e-6;
          const shifted = (by: number) =>
            f(
              at.map((value, q) => (q === p ? value + by : value)),
              scratch,
            );
          expect(gradient[p]).toBeCloseTo((shifted(h) - shifted(-h)) / (2 * h), 8);
        }
      }
    }
  });

  it("and its gradient are those of scikit-learn", () => {
    const { alpha, x, y, features, units, cases } = readFixture<any>(import.meta.url, "sklearn.json");
    const size = { features, units, outputs: 1 };
    const samples = { x: columnsOf(Float64Array.from(x), features), targets: columnsOf(Float64Array.from(y), 1) };
    for (const { activation, W1, b1, W2, b2, objective, gradient } of cases) {
      const f = hiddenLayerObjective(size, { activation, alpha })(samples);
      const ours = new Float64Array(parameterCount(size));
      expect(f(Float64Array.from([...W1, ...b1, ...W2, ...b2]), ours)).toBeCloseTo(objective, 12);
      gradient.forEach((value: number, p: number) => {
        expect(ours[p]).toBeCloseTo(value, 12);
      });
    }
  });

  it("counts what the network of these parameters leaves over", () => {
    const rng = random.rng(1);
    const size = { features: 3, units: 5, outputs: 2 };
    const x = normal(rng, 24);
    const targets = normal(rng, 16);
    const at = drawParameters(rng, size, "tanh");
    const columns = columnsOf(x, 3);
    const out = evaluateLayer(columns, viewLayer(at, size), size, "tanh");
    let sum = 0;
    for (let i = 0; i < 16; i++) sum += (out[i] - targets[i]) ** 2;
    const objective = hiddenLayerObjective(size, { activation: "tanh", alpha: 0 });
    const value = objective({ x: columns, targets: columnsOf(targets, 2) })(at, new Float64Array(at.length));
    expect(value).toBeCloseTo(sum / 16, 12);
  });

  it("never rises over the iterations of L-BFGS, which says why it ended", async () => {
    const rng = random.rng(2);
    const size = { features: 3, units: 4, outputs: 1 };
    const samples = { x: columnsOf(normal(rng, 60), 3), targets: columnsOf(normal(rng, 20), 1) };
    const options = { activation: "logistic", alpha: 1e-4, solver: "lbfgs" } as const;
    const objective = hiddenLayerObjective(size, options);
    const learn = (maxIterations: number, gradientTolerance: number) =>
      solveLayer("test", random.rng(3), objective, samples, size, { ...options, maxIterations, gradientTolerance });
    const { history } = await learn(50, 0);
    for (let k = 1; k < history.length; k++) expect(history[k].objective).toBeLessThanOrEqual(history[k - 1].objective);
    expect((await learn(2, 0)).status).toBe("limit");
    expect((await learn(200, 1e6)).status).toBe("converged");
    expect((await learn(5000, 0)).status).toBe("converged");
  });

  it.each(["adam", "sgd"] as const)("falls under %s", async (solver) => {
    const rng = random.rng(4);
    const size = { features: 3, units: 4, outputs: 1 };
    const samples = { x: columnsOf(normal(rng, 900), 3), targets: columnsOf(normal(rng, 300), 1) };
    const options = { activation: "tanh", alpha: 0, solver, gradientTolerance: 0 } as const;
    const objective = hiddenLayerObjective(size, options);
    const learn = (maxIterations: number) =>
      solveLayer("test", random.rng(5), objective, samples, size, { ...options, maxIterations });
    expect((await learn(30)).objective).toBeLessThan((await learn(1)).objective);
    expect((await learn(3)).parameters).toEqual((await learn(3)).parameters);
  });
});

describe("pseudo-residuals", () => {
  const rng = random.rng(6);
  const F = normal(rng, 12);

  it("are minus the derivative of the loss, half of it for the squared loss", () => {
    const cases = [
      [losses.squared(3), normal(rng, 12), 0.5],
      [losses.logExponential(), rng.rademacher([12], { dtype: "float64" }).data() as Float64Array, 1],
      [losses.softmax(3), oneHotRows(rng, 4, 3), 1],
    ] as const;
    for (const [loss, y, factor] of cases) {
      const rows = 12 / loss.outputs;
      const r = loss.residuals(y, F);
      for (let i = 0; i < 12; i++) {
        const at = (by: number) =>
          loss.value(
            y,
            F.map((value, j) => (j === i ? value + by : value)),
          ) * rows;
        expect(r[i]).toBeCloseTo((-factor * (at(1e-6) - at(-1e-6))) / 2e-6, 7);
      }
    }
  });

  it("sum to zero over the classes", () => {
    const r = losses.softmax(3).residuals(oneHotRows(rng, 4, 3), F);
    for (let i = 0; i < 4; i++) expect(Math.abs(r[3 * i] + r[3 * i + 1] + r[3 * i + 2])).toBeLessThan(1e-15);
  });

  it("begin at the best constant", () => {
    const y = Float64Array.of(1, 1, 1, -1);
    const constant = losses.logExponential().initial(y);
    const spread = (value: Float64Array) => new Float64Array(4).fill(value[0]);
    const sum = losses
      .logExponential()
      .residuals(y, spread(constant))
      .reduce((a, b) => a + b, 0);
    expect(Math.abs(sum)).toBeLessThan(1e-14);
    expect([...losses.squared(2).initial(Float64Array.of(1, 10, 3, 20))]).toEqual([2, 15]);
  });

  it("stay finite for margins that overflow", () => {
    const y = Float64Array.of(1, -1);
    const far = Float64Array.of(-800, 800);
    expect([...losses.logExponential().residuals(y, far)]).toEqual([2, -2]);
    expect(losses.logExponential().value(y, far)).toBe(1600);
    expect([...softmaxRows(Float64Array.of(1000, 0), 2)]).toEqual([1, 0]);
    expect(losses.softmax(2).value(Float64Array.of(0, 1), Float64Array.of(1000, 0))).toBe(1000);
  });

  it("give steps that agree with automatic differentiation", () => {
    const y = rng.rademacher([12], { dtype: "float64" });
    const phi = normal(rng, 12);
    const along = (rho: any) =>
      tensor(F)
        .add(rho.mul(tensor(phi)))
        .mul(y)
        .mul(-2)
        .exp()
        .add(1)
        .log()
        .sum();
    const slope = grad(along);
    const zero = tensor(new Float64Array(1)).reshape([]);
    const loss = losses.logExponential();
    const yData = y.data() as Float64Array;
    const step = loss.step(yData, F, loss.residuals(yData, F), phi);
    expect(step).toBeCloseTo(-slope(zero).item() / grad(slope)(zero).item(), 10);
    expect(loss.step(yData, F, loss.residuals(yData, F), new Float64Array(12))).toBeNaN();
  });
});
