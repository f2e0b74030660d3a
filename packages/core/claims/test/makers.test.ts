import { grad, linalg, matmul, random, transpose } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { blobs, friedman, moons, orthonormal, quadratic, spirals, withSpectrum } from "../src/makers/index.js";

const rng = () => random.rng("makers");

describe("makers of points", () => {
  it("moons lie on their half circles", () => {
    const { inputs, targets } = moons(rng(), 101, { noise: 0 });
    expect([inputs.shape, inputs.dtype, targets.dtype]).toEqual([[101, 2], "float64", "int32"]);
    const classes = targets.data();
    (inputs.toArray() as number[][]).forEach(([x, y], i) => {
      expect(classes[i]).toBe(1 - (i % 2));
      const [u, v] = classes[i] === 1 ? [x, y] : [1 - x, 0.5 - y];
      expect(Math.hypot(u, v)).toBeCloseTo(1, 12);
      expect(v).toBeGreaterThanOrEqual(-1e-12);
    });
  });

  it("spirals follow their arms", () => {
    const { inputs, targets } = spirals(rng(), 90, { classes: 3, turns: 1, noise: 0 });
    const classes = targets.data();
    (inputs.toArray() as number[][]).forEach(([x, y], i) => {
      const s = Math.hypot(x, y);
      const angle = 2 * Math.PI * (s + classes[i] / 3);
      expectClose([x, y], [s * Math.cos(angle), s * Math.sin(angle)], 1e-12);
      expect(s).toBeLessThanOrEqual(1);
    });
  });

  it("blobs lie around their centres", () => {
    const centres = [
      [0, 10, 0],
      [5, -5, 1],
    ];
    const { inputs, targets } = blobs(rng(), 4000, { centres, std: 0.5 });
    const [sums, squares] = [centres, centres].map(() => [0, 0]);
    const classes = targets.data();
    (inputs.toArray() as number[][]).forEach((point, i) => {
      sums[classes[i]] += point[0];
      squares[classes[i]] += (point[0] - centres[classes[i]][0]) ** 2;
    });
    // Five deviations of a mean of 2000 and of a sum of 2000 squares.
    sums.forEach((sum, k) => expect(Math.abs(sum / 2000 - centres[k][0])).toBeLessThan(0.06));
    squares.forEach((sum) => expect(Math.abs(sum / 2000 - 0.25)).toBeLessThan(0.04));
  });

  it("depend on the generator alone", () => {
    for (const make of [moons, spirals, friedman]) {
      expect(make(rng(), 7).inputs.toArray()).toEqual(make(rng(), 7).inputs.toArray());
      expect(make(rng(), 7).inputs.toArray()).not.toEqual(make(random.rng("other"), 7).inputs.toArray());
    }
  });

  it("Friedman's function is what the paper says", () => {
    const { inputs, targets } = friedman(rng(), 20, { noise: 0, features: 6 });
    const f = (x: number[]) => 10 * Math.sin(Math.PI * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4];
    expectClose(targets, (inputs.toArray() as number[][]).map(f), 1e-14);
  });
});

describe("makers of matrices", () => {
  it("have orthonormal columns, and the spectrum that was asked for", () => {
    const q = orthonormal(rng(), 6, 4);
    expectClose(
      matmul(transpose(q), q),
      [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? 1 : 0))),
      1e-14,
    );
    const spectrum = [-2, 0.5, 1e-3, 40];
    const a = withSpectrum(rng(), spectrum);
    expectClose(linalg.eigvalsh(a), [-2, 1e-3, 0.5, 40], 1e-13);
    expect(a.toArray()).toEqual(transpose(a).toArray());
  });

  it("a quadratic function has its minimum where it says, with its matrix as Hessian", () => {
    const { matrix, minimizer, value } = quadratic(rng(), [1, 10, 100]);
    expect(value(minimizer).item()).toBe(0);
    const x = rng().normal([3], { dtype: "float64" });
    expectClose(grad(value)(x), matmul(matrix, x.sub(minimizer)), 1e-12);
    expect(value(x).item()).toBeGreaterThan(0);
  });
});

it("makers name what is wrong", () => {
  expect(() => moons(rng(), 0)).toThrow("moons: count is 0; it must be an integer >= 1.");
  expect(() => moons(rng(), 5, { noise: -1 })).toThrow("moons: noise is -1; it must be a number >= 0.");
  expect(() => spirals(rng(), 5, { classes: 0.5 })).toThrow("spirals: classes is 0.5");
  expect(() => spirals(rng(), 5, { turns: Number.NaN })).toThrow("spirals: turns is NaN");
  expect(() => blobs(rng(), 5, { centres: [] })).toThrow("blobs: centres must be");
  expect(() => blobs(rng(), 5, { centres: [[1], [1, 2]] })).toThrow("blobs: centres must be");
  expect(() => friedman(rng(), 5, { features: 4 })).toThrow("friedman: features is 4");
  expect(() => orthonormal(rng(), 2, 3)).toThrow("orthonormal: 3 columns of length 2");
  expect(() => withSpectrum(rng(), [])).toThrow("withSpectrum: eigenvalues must be");
});
