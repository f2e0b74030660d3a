import { mul, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { epochSgd } from "../src/index.js";

const float64 = { dtype: "float64" } as const;
const gradient = (y: Tensor) => sub(y, tensor([1, -2], float64));

describe("epochSgd", () => {
  it("is what a plain loop says: means of epochs, halved steps, doubled lengths, smaller balls", async () => {
    const { y, history } = await epochSgd(gradient, [4, 4], { stepSize: 0.3, firstSteps: 2, epochs: 3, radius: 2 });
    let centre = [4, 4];
    let [alpha, steps, radius] = [0.3, 2, 2];
    for (let epoch = 1; epoch <= 3; epoch++) {
      let w = centre;
      const total = [0, 0];
      for (let k = 0; k < steps; k++) {
        const moved = w.map((v, i) => v - alpha * (v - [1, -2][i]));
        const away = moved.map((v, i) => v - centre[i]);
        const distance = Math.hypot(...away);
        w = distance > radius ? away.map((v, i) => centre[i] + (radius / distance) * v) : moved;
        for (const i of [0, 1]) total[i] += w[i];
      }
      centre = total.map((v) => v / steps);
      [alpha, steps, radius] = [alpha / 2, steps * 2, radius / Math.SQRT2];
      expect(history[epoch - 1].epoch).toBe(epoch);
      expectClose(history[epoch - 1].y, centre, 1e-12);
    }
    expectClose(y, centre, 1e-12);
    expect(history.map(({ gradients }) => gradients)).toEqual([2, 6, 14]);
  });

  it("runs a batch of problems, each with a ball of its own", async () => {
    const options = { stepSize: 0.3, firstSteps: 3, epochs: 3, radius: 1 };
    const rows = [
      [4, 4],
      [-1, 0],
    ];
    const both = await epochSgd(gradient, rows, options);
    for (const [i, row] of rows.entries()) {
      const alone = await epochSgd(gradient, row, options);
      expectClose(both.y.slice([i]), alone.y, 1e-12);
    }
  });

  it("refuses gradients that do not fit or are not finite", async () => {
    const options = { stepSize: 0.3, firstSteps: 2, epochs: 2 };
    await expect(epochSgd(() => tensor([1]), [1, 2], options)).rejects.toThrow(/the gradient has shape \[1\], y \[2\]/);
    const run = epochSgd((y) => mul(y, Number.NaN), [1, 2], options);
    await expect(run).rejects.toMatchObject({ name: "NonFiniteError" });
  });
});
