import { random, tensor } from "@offprint/tensor-core";
import { centralDifferences, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { acquisitionProgram } from "../src/acquisition.js";
import { nondominatedBoxes } from "../src/hypervolume.js";
import {
  expectedHypervolumeImprovement,
  expectedImprovement,
  gp,
  hypervolume,
  paretoFront,
  probabilityOfImprovement,
  upperConfidenceBound,
} from "../src/index.js";

const float64 = { dtype: "float64" } as const;
const x = random.rng(1).uniform([10, 2], float64);
const y = x.mul(3).sin().sum(1);

async function setting(count: number, q: number) {
  const posterior = await gp().fit(x, y);
  const base = posterior.sampler.base(posterior.model, random.rng(2), count, q);
  const data = {
    ...{ best: tensor(1.5, float64), beta: tensor(4, float64), deviation: tensor([posterior.deviation], float64) },
    ...{ offset: tensor([posterior.offset], float64), lower: tensor([[0]], float64), upper: tensor([[0]], float64) },
  };
  return { posterior, base, data };
}

describe("acquisitions", () => {
  it("expected improvement of samples is the closed form, is not negative, and two equal points are one", async () => {
    const { posterior, base, data } = await setting(20_000, 1);
    const program = acquisitionProgram("qEI", [posterior.sampler]);
    for (const point of [
      [0.3, 0.7],
      [0.9, 0.5],
    ]) {
      const value = program.value(tensor([point], float64), [posterior.model], [base], data).item();
      const exact = expectedImprovement(posterior.mean([point]), posterior.variance([point]).sqrt(), 1.5).item();
      expect(Math.abs(value - exact)).toBeLessThan(0.03 * exact + 1e-4);
      expect(value).toBeGreaterThanOrEqual(0);
    }
    const pair = await setting(20_000, 2);
    const twice = program
      .value(
        tensor(
          [
            [0.3, 0.7],
            [0.3, 0.7],
          ],
          float64,
        ),
        [pair.posterior.model],
        [pair.base],
        data,
      )
      .item();
    const once = expectedImprovement(posterior.mean([[0.3, 0.7]]), posterior.variance([[0.3, 0.7]]).sqrt(), 1.5).item();
    expect(Math.abs(twice - once)).toBeLessThan(0.1 * once + 1e-3);
  });

  for (const name of ["qEI", "qUCB", "qPI", "thompson"] as const) {
    it(`${name} has the gradient of its value`, async () => {
      const { posterior, base, data } = await setting(64, 2);
      const program = acquisitionProgram(name, [posterior.sampler]);
      const at = (flat: ArrayLike<number>) =>
        tensor(
          [
            [flat[0], flat[1]],
            [flat[2], flat[3]],
          ],
          float64,
        );
      const place = Float64Array.of(0.3, 0.62, 0.81, 0.44);
      const [, gradient] = program.withGradient(at(place), [posterior.model], [base], data);
      const value = (flat: ArrayLike<number>) => program.value(at(flat), [posterior.model], [base], data).item();
      expectClose(gradient.reshape([4]), centralDifferences(value as never, place), {
        ofLargest: 2e-3,
        absolute: 1e-6,
      } as never);
    });
  }

  it("the other closed forms are what they are called", () => {
    expectClose(probabilityOfImprovement([1], [2], 1), [0.5], 1e-14);
    expectClose(upperConfidenceBound([1], [2], 9), [7], 1e-14);
    expectClose(expectedImprovement([1], [2], 1), [2 / Math.sqrt(2 * Math.PI)], 1e-14);
  });
});

/** Volume of a union of boxes by inclusion and exclusion. */
function bruteForce(rows: number[][], reference: number[]): number {
  let total = 0;
  for (let subset = 1; subset < 2 ** rows.length; subset++) {
    const members = rows.filter((_, i) => subset & (1 << i));
    const volume = reference.reduce(
      (product, r, j) => product * Math.max(0, Math.min(...members.map((row) => row[j])) - r),
      1,
    );
    total += members.length % 2 === 1 ? volume : -volume;
  }
  return total;
}

describe("hypervolumes", () => {
  for (const m of [2, 3, 4]) {
    it(`of ${m} objectives are those of inclusion and exclusion, whatever the order and what is dominated`, () => {
      const rows = random.rng(m).uniform([6, m], float64).toArray() as number[][];
      const reference = new Array<number>(m).fill(0.1);
      const exact = bruteForce(rows, reference);
      expectClose(hypervolume(rows, reference), exact, 1e-12);
      expectClose(hypervolume([...rows].reverse(), reference), exact, 1e-12);
      expectClose(hypervolume([...rows, rows[0].map((v) => v / 2)], reference), exact, 1e-12);
      const front = paretoFront(rows);
      const boxes = nondominatedBoxes(front, reference);
      const point = new Array<number>(m).fill(0.95);
      const gained = boxes.reduce(
        (sum, { lower, upper }) =>
          sum + lower.reduce((product, l, j) => product * Math.max(0, Math.min(point[j], upper[j]) - l), 1),
        0,
      );
      expectClose(gained, hypervolume([...rows, point], reference) - exact, 1e-12);
    });
  }

  it("expected improvements are those of many draws", () => {
    const boxes = nondominatedBoxes(
      [
        [1, 0.2],
        [0.6, 0.7],
        [0.1, 1],
      ],
      [0, 0],
    );
    const [mean, deviation] = [
      [0.7, 0.6],
      [0.3, 0.2],
    ] as [[number, number], [number, number]];
    const draws = random.rng(1).normal([20_000, 2], float64).toArray() as number[][];
    const gains = draws.map(([a, b]) => {
      const point = [mean[0] + deviation[0] * a, mean[1] + deviation[1] * b];
      return boxes.reduce(
        (sum, { lower, upper }) =>
          sum + lower.reduce((product, l, j) => product * Math.max(0, Math.min(point[j], upper[j]) - l), 1),
        0,
      );
    });
    const average = gains.reduce((a, b) => a + b, 0) / gains.length;
    const error = Math.sqrt(gains.reduce((sum, g) => sum + (g - average) ** 2, 0)) / gains.length;
    expect(Math.abs(expectedHypervolumeImprovement(mean, deviation, boxes) - average)).toBeLessThan(4 * error);
  });
});
