import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { fromTensor, matrix } from "../src/matrix.js";
import { provenNorm } from "../src/proven-norm.js";

describe("the proven norm of a matrix", () => {
  // sigma u v' + small noise: sigma is a singular value of the first part, the largest where the noise is smaller.
  it.each([40, 600, 1100])("of order %i is not below the norm, and hardly above it", (n) => {
    const rng = random.rng(n);
    const unit = () => {
      const x = rng.normal([n], { dtype: "float64" }).data() as Float64Array;
      const length = Math.hypot(...x);
      return x.map((value) => value / length);
    };
    const [u, v] = [unit(), unit()];
    const outer = matrix(
      n,
      n,
      Float64Array.from({ length: n * n }, (_, p) => 3 * u[Math.floor(p / n)] * v[p % n]),
    );
    const bound = provenNorm(outer);
    expect(bound).toBeGreaterThanOrEqual(3 * (1 - 1e-14));
    expect(bound).toBeLessThan(3 * (1 + 1e-9));
  });

  it("is taken from the smaller side of a wide matrix, and is far below Frobenius'", () => {
    const wide = fromTensor(random.rng(1).normal([1010, 1200], { dtype: "float64" }));
    const bound = provenNorm(wide);
    // Gaussian matrices have norms near sqrt(m) + sqrt(n); Frobenius' norm is sqrt(m n).
    expect(bound / (Math.sqrt(1010) + Math.sqrt(1200))).toBeCloseTo(1, 1);
  });
});
