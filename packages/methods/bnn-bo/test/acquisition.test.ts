import { random, tensor } from "@offprint/tensor-core";
import { centralDifferences, expectClose } from "@offprint/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { type AcquisitionData, acquisitionNames, acquisitionProgram } from "../src/acquisition.js";
import { nondominatedBoxes } from "../src/hypervolume.js";
import {
  type AcquisitionName,
  expectedHypervolumeImprovement,
  expectedImprovement,
  gp,
  hypervolume,
  paretoFront,
  probabilityOfImprovement,
  type SampledPosterior,
  upperConfidenceBound,
} from "../src/index.js";

const float64 = { dtype: "float64" } as const;
const x = random.rng(1).uniform([10, 2], float64);
const y = x.mul(3).sin().sum(1);
const best = 1.5;
let posterior: SampledPosterior;
let second: SampledPosterior;
beforeAll(async () => {
  posterior = await gp().fit(x, y);
  second = await gp().fit(x, x.mul(2).cos().sum(1));
});

const data = (more: Partial<AcquisitionData> = {}): AcquisitionData => ({
  ...{ best: tensor((best - posterior.offset) / posterior.deviation, float64), beta: tensor(4, float64) },
  ...{ lower: tensor([[0]], float64), upper: tensor([[0]], float64), tried: tensor(0), mask: tensor(0) },
  ...more,
});
const bases = (outputs: readonly SampledPosterior[], count: number, q: number) =>
  outputs.map(({ sampler, model }, j) => sampler.base(model, random.rng(2 + j), count, q));
const pair = (flat: ArrayLike<number>) => tensor(Float64Array.from(flat), float64).reshape([flat.length / 2, 2]);

/** The acquisition of points from many draws, in the observations' units. */
function valueOf(
  name: AcquisitionName,
  points: number[][],
  more: Partial<AcquisitionData> = {},
  count = 20_000,
): number {
  const drawn = points.length + (more.mask?.size ?? 0);
  return acquisitionProgram(name, [posterior.sampler])
    .value(tensor(points, float64), [posterior.model], bases([posterior], count, drawn), data(more))
    .mul(posterior.deviation)
    .item();
}
const exact = (point: number[]) =>
  expectedImprovement(posterior.mean([point]), posterior.variance([point]).sqrt(), best).item();

describe("acquisitions", () => {
  it("expected improvement of samples is the closed form, is not negative, and two equal points are one", () => {
    for (const point of [
      [0.3, 0.7],
      [0.9, 0.5],
    ]) {
      const value = valueOf("qEI", [point]);
      expect(Math.abs(value - exact(point))).toBeLessThan(0.03 * exact(point) + 1e-4);
      expect(value).toBeGreaterThanOrEqual(0);
      expectClose(valueOf("EI", [point], {}, 1), exact(point), 1e-9);
    }
    const point = [0.3, 0.7];
    expect(Math.abs(valueOf("qEI", [point, point]) - exact(point))).toBeLessThan(0.1 * exact(point) + 1e-3);
  });

  it("noisy expected improvement is that of the difference to what was tried, of which room is no part", () => {
    const [point, before] = [
      [0.55, 0.6],
      [0.3, 0.7],
    ];
    const both = posterior.covariance([point, before]).toArray() as number[][];
    const gain = posterior.mean([point]).item() - posterior.mean([before]).item();
    const spread = Math.sqrt(both[0][0] + both[1][1] - 2 * both[0][1]);
    const closed = expectedImprovement([gain], [spread], 0).item();
    const tried = tensor([before, [0.5, 0.5]], float64);
    const value = valueOf("qNEI", [point], { tried, mask: tensor([1, 0], float64) });
    expect(Math.abs(value - closed)).toBeLessThan(0.03 * closed + 1e-4);
  });

  for (const name of acquisitionNames) {
    it(`${name} has the gradient of its value`, () => {
      const outputs = name === "qEHVI" ? [posterior, second] : [posterior];
      const program = acquisitionProgram(
        name,
        outputs.map(({ sampler }) => sampler),
      );
      const boxes = nondominatedBoxes(
        [
          [1.2, 0.1],
          [0.6, 0.5],
        ],
        [0, -1],
      );
      const side = (which: "lower" | "upper") =>
        tensor(
          boxes.map((box) => box[which].map((v) => Math.min(v, 1e12))),
          float64,
        );
      const more: Partial<AcquisitionData> = {
        ...(name === "qEHVI" && { lower: side("lower"), upper: side("upper") }),
        ...(name === "qNEI" && { tried: x, mask: tensor(new Float64Array(10).fill(1), float64) }),
      };
      const models = outputs.map(({ model }) => model);
      const place = name === "EI" ? Float64Array.of(0.55, 0.72) : Float64Array.of(0.3, 0.62, 0.81, 0.44);
      const drawn = bases(outputs, 64, place.length / 2 + (more.mask?.size ?? 0));
      const given = data(more);
      const [value, gradient] = program.withGradient(pair(place), models, drawn, given);
      expect(Math.abs(value.item())).toBeGreaterThan(1e-6);
      const at = (flat: ArrayLike<number>) => program.value(pair(flat), models, drawn, given).item();
      expectClose(gradient.reshape([place.length]), centralDifferences(at as never, place), {
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

  it("the closed forms of values without deviation are those of a number, and NaN below 0", () => {
    const [values, none] = [
      [3, 1, 0],
      [0, 0, 0],
    ];
    expectClose(expectedImprovement(values, none, 1), [2, 0, 0], 0);
    expectClose(probabilityOfImprovement(values, none, 1), [1, 0, 0], 0);
    for (const closed of [expectedImprovement, probabilityOfImprovement]) {
      expect(closed([1], [-1], 0).item()).toBeNaN();
    }
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
