import { mul, type TensorLike, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  continuousSchedule,
  discreteSchedule,
  explodingSchedule,
  levelAt,
  levelAtRatio,
  levelGrid,
  type NoiseSchedule,
  noiseRatio,
  trainingLevel,
} from "../src/index.js";

const schedules = {
  linear: discreteSchedule(),
  scaledLinear: discreteSchedule({ betas: "scaledLinear" }),
  cosine: discreteSchedule({ betas: "cosine" }),
  continuous: continuousSchedule(),
  exploding: explodingSchedule(),
};

describe("schedules", () => {
  it.each(Object.entries(schedules))(
    "%s: levels are the same when asked again, whatever was done to them",
    (_, schedule) => {
      const [first, last] = schedule.span;
      for (const ask of [levelAt, levelAtRatio]) {
        const level = ask(schedule, (first + last) / 3);
        const again = ask({ ...schedule }, (first + last) / 3);
        expect(again).toEqual(level);
        Object.assign(again, { alpha: -1 });
        expect(ask(schedule, (first + last) / 3)).toEqual(level);
      }
    },
  );

  it("more levels than are remembered are right", () => {
    const schedule = schedules.continuous;
    const times = Float64Array.from({ length: 4200 }, (_, k) => (k + 1) / 4200);
    const alphas = schedule.at(tensor(times)).alpha.data();
    times.forEach((t, k) => void expectClose(levelAt(schedule, t).alpha, alphas[k], 1e-14));
    expectClose(levelAt(schedule, times[7]).alpha, alphas[7], 1e-14);
  });

  it("of others may be objects of a class, and change", () => {
    class Changing implements NoiseSchedule {
      readonly kind = "variance-exploding";
      readonly span = [0.1, 1] as const;
      readonly levels = 0;
      readonly alphaBar = new Float64Array();
      constructor(public rate: number) {}
      at(t: TensorLike) {
        return schedules.exploding.at(mul(t, this.rate));
      }
      atRatio(ratio: TensorLike) {
        return schedules.exploding.atRatio(ratio);
      }
    }
    const [one, other] = [new Changing(2), new Changing(3)];
    expect([one, other].map((each) => levelAt(each, 0.5).sigma)).toEqual([1, 1.5]);
    one.rate = 4;
    expect([one, other].map((each) => levelAt(each, 0.5).sigma)).toEqual([2, 1.5]);
  });

  it.each(Object.entries(schedules))("%s: time and ratio of noise are each other's inverse", (_, schedule) => {
    const [first, last] = schedule.span;
    for (let i = 0; i <= 40; i++) {
      const t = first + ((last - first) * i) / 40;
      const level = levelAt(schedule, t);
      const back = levelAtRatio(schedule, noiseRatio(level));
      expect(Math.abs(back.t - t)).toBeLessThan(1e-12 * Math.max(1, t));
      expectClose([back.alpha, back.sigma], [level.alpha, level.sigma], 1e-12);
      if (schedule.kind === "variance-preserving") expectClose(level.alpha ** 2 + level.sigma ** 2, 1, 1e-14);
    }
  });

  it("levels of Stable Diffusion: the products of its betas", () => {
    const { alphaBar } = schedules.scaledLinear;
    let product = 1;
    for (let n = 0; n < 1000; n++) {
      product *= 1 - (Math.sqrt(0.00085) + ((Math.sqrt(0.012) - Math.sqrt(0.00085)) * n) / 999) ** 2;
      expectClose(alphaBar[n], product, 1e-12);
    }
    const { t, timestep, alpha } = trainingLevel(schedules.scaledLinear, 400);
    expectClose([t, timestep, alpha], [0.401, 400, Math.sqrt(alphaBar[400])], 1e-14);
    expectClose(levelAt(schedules.scaledLinear, t), trainingLevel(schedules.scaledLinear, 400), 1e-11);
  });

  it("between levels log alpha is linear in time, down to no noise at time 0", () => {
    const { alphaBar } = schedules.linear;
    const { alpha, timestep } = levelAt(schedules.linear, 0.00125);
    expectClose(Math.log(alpha), 0.5 * (0.75 * Math.log(alphaBar[0]) + 0.25 * Math.log(alphaBar[1])), 1e-14);
    expectClose(timestep, 0.25, 1e-12);
    expectClose(levelAt(schedules.linear, 0), { t: 0, timestep: 0, alpha: 1, sigma: 0 }, 0);
  });

  it("many times at once are those one by one", () => {
    const t = tensor([0.1, 0.4567, 1], { dtype: "float64" });
    const { alpha } = schedules.cosine.at(t);
    expectClose(
      alpha,
      [0.1, 0.4567, 1].map((each) => levelAt(schedules.cosine, each).alpha),
      0,
    );
  });

  it("refuses betas outside (0, 1), levels without data, and unknown words", async () => {
    expect(await failureOf(() => discreteSchedule({ betas: [0.1, 1] }))).toEqual(
      errorLike("ValueError", /beta 1 is 1/),
    );
    expect(await failureOf(() => discreteSchedule({ alphaBar: [0.5, 0] }))).toEqual(
      errorLike("ValueError", /alphaBar\[1\] is 0/),
    );
    expect(await failureOf(() => discreteSchedule({ alphaBar: [0.5, 0.6] }))).toEqual(
      errorLike("ValueError", /decrease/),
    );
    for (const [options, message] of [
      [{ betas: "cosine", last: 0.5 }, /betas says what the noise is, so that last does nothing/],
      [{ betas: [0.1, 0.2], first: 0.5 }, /betas says what the noise is, so that first does nothing/],
      [{ alphaBar: [0.9, 0.5], betas: "linear" }, /alphaBar says what the noise is, so that betas does nothing/],
      [{ alphaBar: [0.9, 0.5], levels: 10 }, /so that levels does nothing; leave it out/],
    ] as const) {
      expect(() => discreteSchedule(options)).toThrow(errorLike("ValueError", message));
    }
    expect(await failureOf(() => continuousSchedule({ first: 2, last: 1 }))).toEqual(
      errorLike("ValueError", /last is 1/),
    );
    expect(await failureOf(() => trainingLevel(schedules.continuous, 3))).toEqual(errorLike("ValueError", /levelAt/));
  });
});

describe("grids", () => {
  it("have steps + 1 levels from clean to noisy, whatever the spacing", () => {
    for (const schedule of Object.values(schedules)) {
      for (const spacing of ["leading", "linspace", "trailing", "uniform", "quadratic", "logSnr", "karras"] as const) {
        if (schedule.levels === 0 && ["leading", "linspace", "trailing"].includes(spacing)) continue;
        for (const clean of ["exact", "none"] as const) {
          const levels = levelGrid(schedule, 12, { spacing, clean });
          expect(levels.length).toBe(13);
          expect(levels[0].sigma === 0).toBe(clean === "exact");
        }
      }
    }
  });

  it("leading levels are multiples with an offset; trailing ones end at the last", () => {
    const steps = (spacing: "leading" | "trailing" | "linspace") =>
      levelGrid(schedules.scaledLinear, 4, { spacing }).map(({ timestep }) => timestep);
    expect(steps("leading")).toEqual([1, 1, 251, 501, 751]);
    expect(steps("trailing")).toEqual([249, 249, 499, 749, 999]);
    expect(steps("linspace")).toEqual([0, 0, 333, 666, 999]);
    // Halves go to the even number, as numpy.round has it: 62.5, 187.5, 312.5, ... and 166.5, 832.5.
    const trailing = levelGrid(schedules.scaledLinear, 16, { spacing: "trailing" }).slice(1);
    expect(trailing.slice(0, 6).map(({ timestep }) => timestep)).toEqual([61, 124, 187, 249, 311, 374]);
    const even = levelGrid(schedules.scaledLinear, 7, { spacing: "linspace" }).slice(1);
    expect(even.map(({ timestep }) => timestep)).toEqual([0, 166, 333, 500, 666, 832, 999]);
    const first = levelGrid(schedules.scaledLinear, 4, { clean: "first" })[0];
    expectClose(first.alpha, Math.sqrt(schedules.scaledLinear.alphaBar[0]), 1e-15);
  });

  it("the first level once more is refused where levels begin with it", () => {
    for (const options of [{ spacing: "linspace" }, { offset: 0 }] as const) {
      expect(() => levelGrid(schedules.scaledLinear, 4, { clean: "first", ...options })).toThrow(
        errorLike("ValueError", /begin too; take fewer steps, or in code clean "none"/),
      );
    }
    expect(() => levelGrid(schedules.continuous, 4, { clean: "first" })).toThrow(
      errorLike("ValueError", /clean "none"/),
    );
  });

  it("as many leading steps as there are levels are all of them", () => {
    const levels = levelGrid(schedules.scaledLinear, 1000);
    expect(levels.map(({ timestep }) => timestep)).toEqual([0, ...Array.from({ length: 1000 }, (_, n) => n)]);
    const late = levelGrid(schedules.scaledLinear, 4, { offset: 600 });
    expect(late.map(({ timestep }) => timestep)).toEqual([249, 249, 499, 749, 999]);
  });

  it("karras: EDM's numbers", () => {
    const levels = levelGrid(schedules.exploding, 18);
    const sigma = (j: number) => (80 ** (1 / 7) + (j / 17) * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7;
    expectClose(
      levels.map((level) => level.sigma),
      [...Array.from({ length: 18 }, (_, j) => sigma(j)), 0].reverse(),
      1e-12,
    );
  });

  it("refuses what the schedule does not have", async () => {
    expect(await failureOf(() => levelGrid(schedules.continuous, 5, { spacing: "leading" }))).toEqual(
      errorLike("ValueError", /counts training levels/),
    );
    expect(await failureOf(() => levelGrid(schedules.linear, 0))).toEqual(errorLike("ValueError", /steps is 0/));
    expect(await failureOf(() => levelGrid(schedules.linear, 2000))).toEqual(
      errorLike("ValueError", /more than the 1000/),
    );
  });
});
