import { random, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  blur,
  gaussianBlur,
  inpainting,
  leastSquares,
  linearMeasurement,
  type Measurement,
  matrixMeasurement,
  motionBlur,
  superResolution,
} from "../src/index.js";
import { pseudoInverse } from "../src/measurement.js";

const rng = random.rng("operators");
const images = rng.normal([2, 3, 8, 12], { dtype: "float64" });
const operators: Record<string, Measurement> = {
  inpainting: inpainting(rng.uniform([8, 12]).less(0.4).cast("float64")),
  superResolution: superResolution(4),
  gaussianBlur: gaussianBlur({ deviation: 1 }),
  motionBlur: motionBlur({ length: 5, angle: 30 }),
  matrix: matrixMeasurement(rng.normal([20, 288], { dtype: "float64" }), [3, 8, 12]),
  own: linearMeasurement((x) => x.slice([null, 1, { step: 2 }]), [3, 8, 12]),
};

for (const [name, operator] of Object.entries(operators)) {
  describe(name, () => {
    const measured = operator.apply(images);

    it("<A x, y> = <x, A^T y>", () => {
      const y = rng.normal(measured.shape, { dtype: "float64" });
      expectClose(sum(measured.mul(y)).item(), sum(images.mul(operator.transpose(y))).item(), 1e-10);
    });

    it("A A^+ A = A", async () => {
      const exact = operator.pseudoInverse !== undefined;
      expectClose(operator.apply(await pseudoInverse(operator, measured)), measured, exact ? 1e-10 : 0.1);
    });
  });
}

describe("named operators", () => {
  it("block means", () => {
    expectClose(
      superResolution(2).apply(
        tensor(
          [
            [
              [
                [1, 2],
                [3, 6],
              ],
            ],
          ],
          { dtype: "float64" },
        ),
      ),
      [[[[3]]]],
      0,
    );
  });

  it("blurs keep what is constant, at borders too, and move nothing in the mean", () => {
    const flat = images.mul(0).add(0.7);
    for (const operator of [gaussianBlur({ deviation: 1.2 }), motionBlur({ length: 4, angle: 75 })]) {
      expectClose(operator.apply(flat), flat, 1e-12);
    }
    const point = tensor(
      Float64Array.from({ length: 15 * 15 }, (_, i) => (i === 112 ? 1 : 0)),
      { shape: [1, 1, 15, 15] },
    );
    const spread = motionBlur({ length: 6, angle: 20 }).apply(point).reshape([15, 15]).toArray() as number[][];
    const moment = (f: (x: number, y: number) => number) =>
      spread.flatMap((row, i) => row.map((v, j) => v * f(j - 7, 7 - i))).reduce((a, b) => a + b, 0);
    expectClose([moment(() => 1), moment((x) => x), moment((_, y) => y)], [1, 0, 0], 1e-12);
    // A line of length 6: its spread along itself is 6^2 / 12, across it that of sharing among pixels.
    const angle = (20 * Math.PI) / 180;
    const along = moment((x, y) => (x * Math.cos(angle) + y * Math.sin(angle)) ** 2);
    expect(along).toBeGreaterThan(3);
    expect(along).toBeLessThan(3.4);
  });

  it("a normal blur has the deviation that was asked for", () => {
    const point = tensor(
      Float64Array.from({ length: 21 * 21 }, (_, i) => (i === 220 ? 1 : 0)),
      { shape: [1, 1, 21, 21] },
    );
    const rows = gaussianBlur({ deviation: 1.5 }).apply(point).reshape([21, 21]).toArray() as number[][];
    const second = rows.flatMap((row) => row.map((v, j) => v * (j - 10) ** 2)).reduce((a, b) => a + b, 0);
    expectClose(second, 1.5 ** 2, 0.1);
  });

  it("least squares solve their normal equations", async () => {
    const operator = operators["gaussianBlur"];
    const y = operator.apply(images);
    const towards = rng.normal(images.shape, { dtype: "float64" });
    const x = await leastSquares(operator, y, { weight: 0.5, towards });
    const slope: Tensor = operator.transpose(operator.apply(x).sub(y)).add(x.sub(towards).mul(0.5));
    expect(Math.max(...slope.abs().data())).toBeLessThan(1e-6);
  });

  it("refuse what makes no sense", async () => {
    const fails = async (run: () => unknown, kind: string, message: RegExp) =>
      expect(await failureOf(run)).toEqual(errorLike(kind, message));
    await fails(() => inpainting([[0, 0.5]]), "ValueError", /mask must hold 1/);
    await fails(() => inpainting([[0, 0]]), "ValueError", /not only 0/);
    const images = rng.uniform([1, 1, 2, 2]);
    await fails(() => inpainting([0, 1, 1]).apply(images), "ShapeError", /mask has shape \[3\] for images \[1,1,2,2\]/);
    await fails(
      () =>
        inpainting([
          [
            [
              [1, 0],
              [0, 1],
            ],
          ],
          [
            [
              [1, 0],
              [0, 1],
            ],
          ],
        ]).apply(images),
      "ShapeError",
      /mask has shape/,
    );
    await fails(() => superResolution(0), "ValueError", /factor/);
    await fails(() => superResolution(5).apply(images), "ShapeError", /extents that 5 divides/);
    await fails(() => blur([[1, 1]]), "ShapeError", /both odd/);
    await fails(() => blur([[0]]), "ValueError", /sum to 0/);
    const tooWide = (by: string) =>
      new RegExp(`^${by}, which reaches \\d+ pixels beyond an image of \\d+; give a smaller one`);
    await fails(() => gaussianBlur({ size: 61 }).apply(images), "ShapeError", tooWide("gaussianBlur: size is 61"));
    await fails(
      () => gaussianBlur({ deviation: 9 }).apply(images),
      "ShapeError",
      tooWide("gaussianBlur: deviation is 9"),
    );
    await fails(() => motionBlur({ length: 99 }).apply(images), "ShapeError", tooWide("motionBlur: length is 99"));
    await fails(() => blur([new Array(99).fill(1)]).apply(images), "ShapeError", /^blur: the kernel reaches 49 pixels/);
    await fails(() => motionBlur({ angle: Number.NaN }), "ValueError", /angle/);
    await fails(() => motionBlur({ length: 1e9 }), "ValueError", /length is 1000000000; give at most 4096/);
    await fails(() => gaussianBlur({ size: 4 }), "ValueError", /size is 4; it must be odd/);
    await fails(() => matrixMeasurement([[1, 2]], [3]), "ShapeError", /\[rows, size\]/);
    await fails(() => matrixMeasurement([[]]), "ShapeError", /not empty/);
    await fails(
      () => matrixMeasurement([[1, 2]]).apply(images),
      "ShapeError",
      /images have shape \[1,1,2,2\].*\[batch, 2\]/,
    );
    const wide = superResolution(2);
    await fails(() => wide.transpose(images.reshape([1, 4])), "ShapeError", /measurements have shape \[1,4\]/);
    await fails(
      () => leastSquares(wide, images, { weight: 1, toward: images } as never),
      "ValueError",
      /no option "toward"; did you mean "towards"/,
    );
    await fails(() => leastSquares(operators["matrix"], images, { weight: 0 }), "ValueError", /weight/);
  });
});
