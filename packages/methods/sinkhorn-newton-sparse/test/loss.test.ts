import { grad, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { costMatrix, entropicOtLoss, transportLoss } from "../src/index.js";
import { randomProblem, total } from "./problems.js";

const [n, m, eta] = [6, 5, 80];
const problem = randomProblem(12, n, m);
const options = { eta };
const { value, gradCost, gradR, gradC } = await entropicOtLoss(problem, options);

/** The array with `change` added at `at` and taken away at `from`. */
function moved(x: Tensor, at: number, change: number, from?: number): Tensor {
  const data = Float64Array.from(x.data());
  data[at] += change;
  if (from !== undefined) data[from] -= change;
  return tensor(data, { shape: x.shape });
}

describe("the gradient of the regularised value", () => {
  it("in the costs is the plan", async () => {
    const h = 1e-6;
    for (let at = 0; at < n * m; at += 7) {
      const side = async (change: number) =>
        (await entropicOtLoss({ ...problem, cost: moved(problem.cost, at, change) }, options)).value;
      expect(((await side(h)) - (await side(-h))) / (2 * h)).toBeCloseTo(gradCost.data()[at], 8);
    }
  });

  it("in the masses is x and y, along changes that keep the mass", async () => {
    const h = 1e-6;
    for (const [i, k] of [
      [0, 1],
      [4, 2],
      [3, 0],
    ]) {
      const rows = async (change: number) =>
        (await entropicOtLoss({ ...problem, r: moved(problem.r, i, change, k) }, options)).value;
      expect(((await rows(h)) - (await rows(-h))) / (2 * h)).toBeCloseTo(gradR.data()[i] - gradR.data()[k], 7);
      const columns = async (change: number) =>
        (await entropicOtLoss({ ...problem, c: moved(problem.c, i, change, k) }, options)).value;
      expect(((await columns(h)) - (await columns(-h))) / (2 * h)).toBeCloseTo(gradC.data()[i] - gradC.data()[k], 7);
    }
    expect(total(gradR)).toBeCloseTo(0, 12);
  });

  it("is what grad finds, through the cost matrix down to the points", () => {
    const [C, r, c] = grad((...z: Tensor[]) => transportLoss(z[0], z[1], z[2], options), { argument: [0, 1, 2] })(
      problem.cost,
      problem.r,
      problem.c,
    );
    expect([...C.data()]).toEqual([...gradCost.data()]);
    expect([...r.data()]).toEqual([...gradR.data()]);
    expect([...c.data()]).toEqual([...gradC.data()]);
    expect(transportLoss(problem.cost, problem.r, problem.c, options).item()).toBe(value);

    const target = tensor(
      [
        [0, 0],
        [1, 0.5],
        [0.2, 0.9],
      ],
      { dtype: "float64" },
    );
    const loss = (points: Tensor) => transportLoss(costMatrix(points, target), null, null, options);
    const points = tensor(
      [
        [0.1, 0.2],
        [0.7, 0.7],
        [0.4, 0.3],
      ],
      { dtype: "float64" },
    );
    const gradient = grad(loss)(points).data();
    const h = 1e-6;
    for (let at = 0; at < 6; at++) {
      const slope = (loss(moved(points, at, h)).item() - loss(moved(points, at, -h)).item()) / (2 * h);
      expect(slope).toBeCloseTo(gradient[at], 7);
    }
  });

  it("leaves out places without mass, where it is -Infinity", async () => {
    const cost = [
      [0, 1, 2],
      [1, 0, 1],
      [2, 1, 0],
    ];
    const full = await entropicOtLoss({ cost, r: [0.3, 0, 0.7] }, { eta: 20, dropZeros: true });
    const part = await entropicOtLoss({ cost: [cost[0], cost[2]], r: [0.3, 0.7] }, { eta: 20 });
    expect([...full.gradR.data()]).toEqual([part.gradR.data()[0], -Infinity, part.gradR.data()[1]]);
    expect([...full.gradC.data()]).toEqual([...part.gradC.data()]);
  });

  it("is refused where the plan is none", async () => {
    const hopeless = { eta: 1e4, anneal: false, newtonIterations: 1 } as const;
    const convergence = expect.objectContaining({
      name: "ConvergenceError",
      message: expect.stringMatching(/smaller eta/),
    });
    await expect(entropicOtLoss(problem, hopeless)).rejects.toThrow(convergence);
    expect(() => transportLoss(problem.cost, problem.r, problem.c, hopeless)).toThrow(convergence);
  });

  it("moves points onto others when followed", () => {
    const target = [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ];
    let points = tensor(
      [
        [0.4, 0.4],
        [0.6, 0.4],
        [0.4, 0.6],
        [0.6, 0.6],
      ],
      { dtype: "float64" },
    );
    const pull = grad((p: Tensor) => transportLoss(costMatrix(p, target), null, null, { eta: 200 }));
    for (let step = 0; step < 20; step++) points = points.sub(pull(points).mul(1.5));
    expect(
      Math.max(
        ...points
          .sub(tensor(target, { dtype: "float64" }))
          .data()
          .map(Math.abs),
      ),
    ).toBeLessThan(1e-6);
  });
});
