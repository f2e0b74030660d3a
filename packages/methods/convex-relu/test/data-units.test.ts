import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { BETA, smallProblem } from "../claims/problems.js";
import { trainConvex } from "../src/index.js";

const { x, y } = smallProblem(random.rng(12), 7);

describe("samples in another unit", () => {
  it.each([2 ** -20, 2 ** 10, 2 ** 30])(
    "are the same sampled programme, and no sooner converged, at %s",
    async (unit) => {
      const common = { loss: "squared", method: "scp", scp: { samples: 20 }, bias: false } as const;
      const usual = await trainConvex(x, y, { ...common, beta: BETA });
      const other = await trainConvex(x.mul(unit), y, { ...common, beta: BETA * unit });
      expect(usual).toMatchObject({ status: "converged" });
      expect(other).toMatchObject({ status: usual.status, iterations: usual.iterations });
      expect(other.networkObjective).toBeCloseTo(usual.networkObjective, 12);
    },
  );
});
