import { sparse } from "@offprint/tensor-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { svecLength } from "../src/cones.js";
import { equilibrate, type ScaledProblem } from "../src/equilibration.js";
import { InteriorPoint } from "../src/interior-point/interior-point.js";
import { SemidefiniteScaling } from "../src/interior-point/semidefinite-scaling.js";
import { type ConicOperator, checkProblem } from "../src/problem.js";

/** Work of one part at most: cubes of orders, twice where a cone scales there and back. */
const MOST = 2 * 2 ** 20;
const ORDER = 60;
const BLOCKS = 8;

/** min sum x_k with x_k I >= F_k, block by block, as an operator; every product is told to `onWork`. */
function blocks(onWork: () => void): ScaledProblem {
  const length = svecLength(ORDER);
  const diagonal: number[] = [];
  for (let j = 0, k = 0; j < ORDER; k += ORDER - j, j++) diagonal.push(k);
  const normal = (of: (k: number) => number) =>
    sparse.toCsc(sparse.diagonal(Float64Array.from({ length: BLOCKS }, (_, k) => of(k))));
  const operator: ConicOperator = {
    rows: BLOCKS * length,
    columns: BLOCKS,
    apply(x, out) {
      onWork();
      out.fill(0);
      for (let b = 0; b < BLOCKS; b++) for (const k of diagonal) out[b * length + k] = -x[b];
    },
    applyTransposed(y, out) {
      onWork();
      out.fill(0);
      for (let b = 0; b < BLOCKS; b++) for (const k of diagonal) out[b] -= y[b * length + k];
    },
    normal: (weights) => normal((b) => ORDER * weights[b * length]),
    *scaledNormal(_, metrics) {
      onWork();
      yield;
      return normal((b) => metrics[b].reduce((sum, value) => sum + value * value, 0));
    },
  };
  const b = Float64Array.from({ length: BLOCKS * length }, (_, k) => -Math.sin(1 + k));
  const problem = { A: operator, b, c: new Array<number>(BLOCKS).fill(1), cones: { s: new Array(BLOCKS).fill(ORDER) } };
  return equilibrate(checkProblem(problem), true);
}

describe("an iteration of the interior-point method lets others have their turn", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("after every product with an operator, and before the cones have cost much; so does the start", () => {
    let products = 0;
    let cubes = 0;
    for (const name of [
      "update",
      "product",
      "scale",
      "scaleTransposed",
      "unscale",
      "unscaleTransposed",
      "longestStep",
    ] as const) {
      const whole = SemidefiniteScaling.prototype[name] as (...values: unknown[]) => unknown;
      vi.spyOn(SemidefiniteScaling.prototype, name).mockImplementation(function (
        this: SemidefiniteScaling,
        ...values: unknown[]
      ) {
        cubes += this.starts.length * this.order ** 3;
        return whole.apply(this, values) as never;
      });
    }
    const interior = new InteriorPoint(
      blocks(() => products++),
      1e-6,
    );
    let all = 0;
    for (let iteration = 0; iteration < 3; iteration++) {
      const parts = interior.step();
      for (;;) {
        [products, cubes] = [0, 0];
        const { done, value } = parts.next();
        expect(products).toBeLessThanOrEqual(1);
        expect(cubes).toBeLessThanOrEqual(MOST);
        all += cubes;
        if (!done) continue;
        expect(value).toBeDefined();
        if (value !== undefined) interior.point = value;
        break;
      }
    }
    // All of it was watched: the cones cost more than fifty parts may.
    expect(all).toBeGreaterThan(50 * MOST);
  });
});
