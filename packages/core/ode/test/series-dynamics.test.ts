import { matmul, random, sub, type Tensor, tanh, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { seriesDynamics } from "../src/fit/index.js";
import { integrate } from "../src/index.js";

const times = [0, 0.3, 0.5, 1.1, 1.2, 1.6, 2];
const values = tensor(
  times.map((t) => [5 + Math.cos(t), 100 * Math.sin(t)]),
  { dtype: "float64" },
);
const params = seriesDynamics({ times, values, hidden: 4 }).init(random.rng(1));

describe("dynamics of series", () => {
  it("are judged in stretches as by a solve of each alone, in the times of the rows", () => {
    const { model, solving, scaling } = seriesDynamics({ times, values, hidden: 4, stretch: 3 });
    const [batch] = [tensor([0])];
    const solved = integrate(model.rate, model.initial(params, batch), solving.span, {
      parameters: params,
      saveAt: solving.saveAt,
      relativeTolerance: 1e-9,
      absoluteTolerance: 1e-9,
    });
    const rate = (_t: Tensor, z: Tensor) => matmul(tanh(matmul(z, params.w1).add(params.b1)), params.w2).add(params.b2);
    const scaled = sub(values, scaling.centre).div(scaling.scale);
    let loss = 0;
    for (const start of [0, 3]) {
      const rows = [1, 2, 3].map((k) => start + k);
      const alone = integrate(rate, scaled.slice([start]).reshape([1, 2]), [times[start]! / 2, times[start + 3]! / 2], {
        saveAt: rows.map((k) => times[k]! / 2),
        relativeTolerance: 1e-9,
        absoluteTolerance: 1e-9,
      });
      rows.forEach((k, i) => {
        loss +=
          alone.ys
            .slice([i])
            .sub(scaled.slice([k]))
            .square()
            .mean()
            .item() / 6;
      });
    }
    expectClose(model.loss(params, solved, batch), [loss], 1e-6);
  });

  it("have a course from the first row on, in the units of the values", () => {
    const { course } = seriesDynamics({ times, values, hidden: 4 });
    const found = course(params, 1e-8);
    expect(found.values.shape).toEqual([7, 2]);
    expectClose(found.values.slice([0]), values.slice([0]), 1e-9);
    expect(found.evaluations).toBeGreaterThan(7);
  });

  it("are of every row, those too that fill no stretch: the last one begins earlier", () => {
    for (const [stretch, starts] of [
      [3, [0, 3]],
      [4, [0, 2]],
      [5, [0, 1]],
      [2, [0, 2, 4]],
      [9, [0]],
    ] as const) {
      const { model, scaling } = seriesDynamics({ times, values, hidden: 4, stretch });
      const scaled = sub(values, scaling.centre).div(scaling.scale);
      expectClose(model.initial(params, tensor([0])), scaled.take(tensor(starts, { dtype: "int32" }), 0), 1e-12);
    }
  });

  it("are the same in any unit, and those of a constant do not see its rounding", () => {
    const standardised = (unit: number) => {
      const { model } = seriesDynamics({ times, values: values.mul(unit), hidden: 4, stretch: 0 });
      return model.initial(params, tensor([0]));
    };
    for (const unit of [1e-300, 1e-30, 1e-14, 1e9, 1e300]) expectClose(standardised(unit), standardised(1), 1e-9);
    const { course } = seriesDynamics({ times, values: values.mul(1e304), hidden: 4 });
    expectClose(course(params, 1e-4).values.slice([0]).div(1e304), values.slice([0]), 1e-9);
    const constant = tensor(
      times.map(() => [1e9 + 0.1, 0]),
      { dtype: "float64" },
    );
    const { model, scaling } = seriesDynamics({ times, values: constant, hidden: 4 });
    expectClose(model.initial(params, tensor([0])), [[0, 0]], 0.01);
    expect(scaling.scale.max().item()).toBeLessThan(1e-3);
  });

  it("say what does not fit", () => {
    expect(() => seriesDynamics({ times: [0, 1], values })).toThrow(/values have shape \[7,2\].*a time for each \(2\)/);
    expect(() => seriesDynamics({ times, values, hidden: 0 })).toThrow(/hidden/);
    const late = (t: number) => () => seriesDynamics({ times: times.map((v, i) => (i === 3 ? t : v)), values });
    for (const t of [0.5, 0.4]) expect(late(t)).toThrow(/times\[3\] is .*, after 0.5; they must grow/);
    expect(late(Number.NaN)).toThrow(/times holds NaN/);
    expect(() => seriesDynamics({ times, values: values.div(0) })).toThrow(/values holds/);
    expect(() => seriesDynamics({ times, values: null as never })).toThrow(/values/);
  });
});
