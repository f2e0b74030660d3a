import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { BETA, smallProblem } from "../claims/problems.js";
import { trainConvex, trainRobust } from "../src/index.js";
import { lossProx } from "../src/loss.js";

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

describe("does not pass for solved at the zero network", () => {
  const labels = tensor(Float64Array.from(y.data(), (value) => (value >= 0 ? 1 : -1)));
  const targetsOf = (loss: string) => (loss === "squared" ? y : labels);

  it.each(["squared", "bce", "hinge"] as const)(
    "a penalty so large that updates are below all floats (%s)",
    async (loss) => {
      for (const method of ["admm", "admm-rbcd"] as const) {
        if (method === "admm-rbcd" && loss === "hinge") continue;
        const options = { loss, method, beta: BETA, rho: 1e300, maxIterations: 400 };
        const { status, net } = await trainConvex(x, targetsOf(loss), options);
        expect([status, net.a.size]).toEqual(["limit", 0]);
      }
    },
  );

  it.each(["squared", "bce", "hinge"] as const)("samples of 1e10 or 1e76 (%s)", async (loss) => {
    for (const unit of [1e10, 1e76]) {
      const options = { loss, beta: BETA, maxIterations: 400 };
      expect(await trainConvex(x.mul(unit), targetsOf(loss), options)).toMatchObject({ status: "limit" });
      const robust = await trainRobust(x.mul(unit), targetsOf(loss), { ...options, eps: 0.02 * unit });
      expect(robust).toMatchObject({ status: "limit", collapsed: "unfinished" });
    }
  });
});

it("the proximal map of the hinge loss keeps steps below the rounding of the margin", () => {
  expect(lossProx("hinge", 0, 1, 1e20)).toBe(1e-20);
  expect(lossProx("hinge", 0.999, -1, 0.5)).toBe(-1);
  expect(lossProx("hinge", 2, 1, 3)).toBe(2);
  expect(lossProx("hinge", 0.9, 1, 5)).toBe(1);
});
