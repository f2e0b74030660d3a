import { expect, it } from "vitest";
import { type CgState, type RelaxationMatrix, relax, setKernels, sparseCg } from "../src/kernels/index.js";
import { distance, product, randomArray, sizes, withBoth } from "./kernels-inputs.js";

const orders = sizes.filter((n) => n > 0);

/** A banded matrix with gaps, diagonally dominant, and its dense form; the stored diagonal is not to be read. */
function banded(n: number, symmetric: boolean): { matrix: RelaxationMatrix; dense: Float64Array } {
  const random = randomArray(n, n * n);
  const dense = new Float64Array(n * n);
  const [indptr, at, indices, values] = [[0], [] as number[], [] as number[], [] as number[]];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const [p, q] = symmetric && j < i ? [j, i] : [i, j];
      const entry =
        i === j ? 4 + random[i * n + i]! : [1, 3, 8].includes(Math.abs(i - j)) ? 0.6 * random[p * n + q]! : 0;
      if (entry === 0) continue;
      dense[i * n + j] = entry;
      if (i === j) at.push(indices.length);
      indices.push(j);
      values.push(i === j ? Number.NaN : entry);
    }
    indptr.push(indices.length);
  }
  const matrix = {
    indptr: Int32Array.from(indptr),
    at: Int32Array.from(at),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
    diagonal: Float64Array.from({ length: n }, (_, i) => dense[i * n + i]!),
  };
  return { matrix, dense };
}

function residual(dense: Float64Array, b: Float64Array, x: Float64Array): Float64Array {
  const ax = product(b.length, 1, b.length, dense, x);
  return b.map((v, i) => v - ax[i]!);
}

function norm(x: Float64Array): number {
  return Math.sqrt(x.reduce((s, v) => s + v * v, 0));
}

/** The row form of a sweep, as textbooks have it. */
function sweep(dense: Float64Array, b: Float64Array, x: Float64Array, omega: number, backward = false): void {
  const n = b.length;
  for (let step = 0; step < n; step++) {
    const i = backward ? n - 1 - step : step;
    let sum = b[i]!;
    for (let j = 0; j < n; j++) if (j !== i) sum -= dense[i * n + j]! * x[j]!;
    x[i] = (1 - omega) * x[i]! + (omega / dense[i * n + i]!) * sum;
  }
}

withBoth((mode) => {
  it("sweeps and residual norms are those of the row form", () => {
    for (const n of orders) {
      setKernels(mode);
      const { matrix, dense } = banded(n, false);
      const b = randomArray(n + 1, n);
      for (const [omega, symmetric] of [
        [1, false],
        [1.3, false],
        [0.7, true],
        [1.5, true],
      ] as const) {
        const start = randomArray(n + 2, n);
        const [x, expected] = [start.slice(), start.slice()];
        const norms = relax(matrix, b, x, omega, symmetric, 0, 0, 7);
        expect(norms.length).toBe(8);
        for (let k = 0; k <= 7; k++) {
          expect(norms[k]).toBeCloseTo(norm(residual(dense, b, expected)), 12);
          if (k === 7) break;
          sweep(dense, b, expected, omega);
          if (symmetric) sweep(dense, b, expected, omega, true);
        }
        expect(distance(x, expected)).toBeLessThan(1e-13);
      }
    }
  });

  it("end at the first norm below the target, which is the norm of the residual itself", () => {
    setKernels(mode);
    const { matrix, dense } = banded(65, true);
    const b = randomArray(7, 65);
    for (const symmetric of [false, true]) {
      const x = new Float64Array(65);
      const norms = relax(matrix, b, x, 1.1, symmetric, 1e-12, 0, 1000);
      const last = norms.length - 1;
      expect(norms[last]).toBeLessThan(1e-12 * norms[0]!);
      expect(norms[last - 1]).toBeGreaterThanOrEqual(1e-12 * norms[0]!);
      expect(norms[last]! / norm(residual(dense, b, x))).toBeCloseTo(1, 2);
      expect(relax(matrix, b, new Float64Array(65), 1.1, symmetric, 0, 0.5, 1000).at(-1)).toBeLessThan(0.5);
      // A target that rounding keeps out of reach: no claim of the recurrence is believed.
      expect(relax(matrix, b, new Float64Array(65), 1.1, symmetric, 1e-30, 0, 300).length).toBe(301);
    }
    expect(relax(matrix, new Float64Array(65), new Float64Array(65), 1, false, 1e-8, 0, 10)).toEqual(
      Float64Array.of(0),
    );
  });

  it("conjugate gradients solve in n iterations, plain and preconditioned, and go on where they stopped", () => {
    setKernels(mode);
    for (const n of orders) {
      const { matrix, dense } = banded(n, true);
      const b = randomArray(n + 1, n);
      for (const [omega, upperFirst] of [
        [0, false],
        [1.2, false],
        [1.2, true],
      ] as const) {
        const fresh = (): CgState => ({
          x: randomArray(n + 2, n),
          r: new Float64Array(n),
          p: new Float64Array(n),
          rho: 0,
        });
        const state = fresh();
        const norms = sparseCg(matrix, b, state, omega, upperFirst, 1e-11, 500);
        expect(norms.length - 1).toBeLessThanOrEqual(n + 2);
        expect(norm(residual(dense, b, state.x))).toBeLessThan(1e-10);
        if (norms.length < 5) continue;
        const resumed = fresh();
        const first = sparseCg(matrix, b, resumed, omega, upperFirst, 1e-11, 2);
        const rest = sparseCg(matrix, b, resumed, omega, upperFirst, 1e-11, 500);
        expect(first.length).toBe(3);
        expect(rest[0]).toBeNaN();
        expect(distance([...first, ...rest.subarray(1)], norms)).toBeLessThan(1e-12);
        expect(distance(resumed.x, state.x)).toBeLessThan(1e-12);
      }
    }
  });

  it("conjugate gradients tell that a matrix is not positive definite", () => {
    setKernels(mode);
    const { matrix } = banded(17, true);
    const state = { x: new Float64Array(17), r: new Float64Array(17), p: new Float64Array(17), rho: 0 };
    const negative = { ...matrix, diagonal: matrix.diagonal.map((d) => -d) };
    expect(sparseCg(negative, randomArray(1, 17), state, 0, false, 1e-8, 50).length).toBe(1);
    expect(state.rho).toBe(-1);
  });
});
