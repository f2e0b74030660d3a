import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { smallProblem, twoMoons } from "../claims/problems.js";
import { fgsm, type Loss, pgd, predict, type TwoLayerNet, trainBackprop, trainConvex } from "../src/index.js";
import { lossSum } from "../src/loss.js";
import { networkGradient } from "../src/network-gradient.js";

const { x, y } = twoMoons(random.rng(2), 16, 0.1);
const lossOf = (net: Parameters<typeof predict>[0], inputs: Parameters<typeof predict>[1], loss: Loss) =>
  lossSum(loss, predict(net, inputs).data() as Float64Array, y.data() as Float64Array);

describe("back-propagation", () => {
  it.each(["squared", "bce", "hinge"] as const)("has the gradients of finite differences (%s)", (loss) => {
    const rng = random.rng(3);
    const [d, m, n] = [3, 4, 5];
    const U = rng.normal([d * m], { dtype: "float64" }).data() as Float64Array;
    const a = rng.normal([m], { dtype: "float64" }).data() as Float64Array;
    const rows = rng.normal([n * d], { dtype: "float64" }).data() as Float64Array;
    const labels = Float64Array.of(1, -1, 1, -1, 1);
    const value = () => networkGradient({ U, a, d, m }, loss, rows, labels, undefined);
    const gradient = { U: new Float64Array(d * m), a: new Float64Array(m), rows: new Float64Array(n * d) };
    networkGradient({ U, a, d, m }, loss, rows, labels, { U: gradient.U, a: gradient.a });
    networkGradient({ U, a, d, m }, loss, rows, labels, { rows: gradient.rows });
    for (const [name, at] of [["U", U] as const, ["a", a] as const, ["rows", rows] as const]) {
      for (let p = 0; p < at.length; p++) {
        const old = at[p];
        at[p] = old + 1e-6;
        const above = value();
        at[p] = old - 1e-6;
        const below = value();
        at[p] = old;
        expect(gradient[name][p]).toBeCloseTo((above - below) / 2e-6, 6);
      }
    }
  });

  it.each(["adam", "sgd"] as const)("lowers the objective, never below the convex optimum (%s)", async (optimizer) => {
    const problem = smallProblem(random.rng(11));
    const options = { loss: "squared", beta: 0.05 } as const;
    const descent = { ...options, width: 20, steps: 800, optimizer, learningRate: 0.01 } as const;
    const { history } = await trainBackprop(problem.x, problem.y, descent);
    const objectives = history.map(({ objective }) => objective);
    const { dualBound } = await trainConvex(problem.x, problem.y, { ...options, patterns: problem.patterns });
    expect(objectives[799]).toBeLessThan(0.5 * objectives[0]);
    expect(Math.min(...objectives)).toBeGreaterThanOrEqual(dualBound?.value ?? Infinity);
  });

  it("against an adversary leaves less logistic loss after an attack than without", async () => {
    const options = { loss: "bce", beta: 0.01, width: 20, steps: 400, learningRate: 0.02 } as const;
    const attacked = (net: TwoLayerNet) => lossOf(net, pgd(net, x, y, 0.25, "bce"), "bce");
    const plain = attacked((await trainBackprop(x, y, options)).net);
    for (const kind of ["fgsm", "pgd"] as const) {
      const hardened = await trainBackprop(x, y, { ...options, adversary: { kind, eps: 0.25 } });
      expect(attacked(hardened.net)).toBeLessThan(plain);
    }
  });
});

describe("attacks", async () => {
  const { net } = await trainBackprop(x, y, { loss: "bce", beta: 0.01, width: 12, steps: 200, learningRate: 0.05 });

  it("stay in the boxes and raise the loss; ten steps more than one", () => {
    const eps = [0.2, 0.1];
    const one = fgsm(net, x, y, eps, "bce");
    const many = pgd(net, x, y, eps, "bce", { steps: 20, seed: 1 });
    for (const moved of [one, many]) {
      moved.data().forEach((value, p) => {
        expect(Math.abs(value - Number(x.data()[p]))).toBeLessThanOrEqual(eps[p % 2] + 1e-12);
      });
    }
    expect(lossOf(net, one, "bce")).toBeGreaterThan(lossOf(net, x, "bce"));
    expect(lossOf(net, many, "bce")).toBeGreaterThan(0.98 * lossOf(net, one, "bce"));
  });

  it("with eps = 0 leave the samples where they are", () => {
    expect(pgd(net, x, y, 0, "bce").toArray()).toEqual(tensor(x).toArray());
  });
});
