import { asTensor, tensor } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import {
  constantSchedule,
  cosineSchedule,
  exponentialSchedule,
  inverseSquareRootSchedule,
  piecewiseSchedule,
  polynomialSchedule,
  type Schedule,
  sgd,
  warmupSchedule,
} from "../src/index.js";

const at = (schedule: Schedule, step: number) => asTensor(schedule(tensor(step, { dtype: "float64" }))).item();
const close = (actual: number, expected: number) => expect(actual).toBeCloseTo(expected, 6);

it("schedules begin at the first update and end where they say", () => {
  close(at(constantSchedule(0.3), 17), 0.3);
  const exponential = exponentialSchedule({ initial: 2, decayRate: 0.5, every: 10 });
  close(at(exponential, 1), 2);
  close(at(exponential, 11), 1);
  close(at(exponential, 6), 2 * Math.SQRT1_2);
  const stairs = exponentialSchedule({ initial: 2, decayRate: 0.5, every: 10, staircase: true });
  close(at(stairs, 10), 2);
  close(at(stairs, 11), 1);
  const cosine = cosineSchedule({ initial: 1, final: 0.2, steps: 100 });
  close(at(cosine, 1), 1);
  close(at(cosine, 51), 0.6);
  close(at(cosine, 101), 0.2);
  close(at(cosine, 500), 0.2);
  const restarting = cosineSchedule({ initial: 1, steps: 32, restarts: true }); // as CosineAnnealingWarmRestarts(T_0=32)
  for (const start of [1, 33, 65]) {
    close(at(restarting, start), 1);
    close(at(restarting, start + 16), 0.5);
  }
  const polynomial = polynomialSchedule({ initial: 1, final: 0, power: 2, steps: 10 });
  close(at(polynomial, 1), 1);
  close(at(polynomial, 6), 0.25);
  close(at(polynomial, 20), 0);
  close(at(inverseSquareRootSchedule(0.5), 4), 0.25);
});

it("piecewise values change after the boundary's update, whatever the order the boundaries are given in", () => {
  const schedule = piecewiseSchedule(0.1, { 20: 0.5, 10: 0.1 });
  close(at(schedule, 10), 0.1);
  close(at(schedule, 11), 0.01);
  close(at(schedule, 20), 0.01);
  close(at(schedule, 21), 0.005);
});

it("warm-up is a line to the peak, then hands over", () => {
  const schedule = warmupSchedule({ peak: 1, steps: 4, after: inverseSquareRootSchedule(1) });
  [0.25, 0.5, 0.75, 1, 1, Math.SQRT1_2].forEach((value, i) => close(at(schedule, i + 1), value));
  close(at(warmupSchedule({ peak: 2, steps: 2 }), 30), 2);
});

it("rejects options out of range, and values that no learning rate can have", () => {
  expect(() => cosineSchedule({ initial: -1, steps: 10 })).toThrow(/initial is -1/);
  expect(() => cosineSchedule({ initial: 1, steps: 0 })).toThrow(/steps/);
  expect(() => piecewiseSchedule(1, { 2.5: 1 })).toThrow(/boundary/);
  expect(() => warmupSchedule({ peak: Number.NaN, steps: 2 })).toThrow(/peak/);
  const p = tensor([1]);
  for (const learningRate of [() => -1, () => Number.NaN, () => tensor([1, 2])]) {
    const optimizer = sgd({ learningRate });
    expect(() => optimizer.update(p, optimizer.init(p), p)).toThrow(/schedule gives/);
  }
});
