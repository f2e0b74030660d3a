import { NonFiniteError, ShapeError, sparse, tensor, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import * as solvers from "../src/index.js";
import { grid, tridiagonal } from "./sparse-matrices.js";

/** Uniform numbers in (-1, 1) from a 32-bit counter hash. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Orthogonal similarity of a diagonal: eigenvalues known exactly. */
function withEigenvalues(values: number[], seed: number): Float64Array[] {
  const n = values.length;
  const draw = noise(seed);
  const transposed = (a: Float64Array[]) => Array.from({ length: n }, (_, i) => Float64Array.from(a, (row) => row[i]));
  let a = values.map((v, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? v : 0)));
  for (let r = 0; r < 3; r++) {
    const u = Float64Array.from({ length: n }, draw);
    const size = u.reduce((s, v) => s + v * v, 0);
    const reflect = (x: Float64Array) => {
      const factor = (2 * x.reduce((s, v, i) => s + v * u[i], 0)) / size;
      return x.map((v, i) => v - factor * u[i]);
    };
    a = transposed(transposed(a.map(reflect)).map(reflect));
  }
  return a;
}
const rows = (a: Float64Array[]) => a.map((row) => Array.from(row));

describe("a right-hand side whose square underflows", () => {
  const a = sparse.fromDense([
    [2, 1],
    [1, 3],
  ]);
  const { conjugateGradients, gmres, minres } = solvers;
  it.each(Object.entries({ conjugateGradients, gmres, minres }))("%s solves it as any other", async (_, solve) => {
    for (const size of [1e-200, 1e200]) {
      const { status, x } = await solve(a, [size, 2 * size]);
      expect(status).toBe("converged");
      expect(x[0] / size).toBeCloseTo(0.2, 12);
      expect(x[1] / size).toBeCloseTo(0.6, 12);
    }
  });
});

function trueResidual(a: sparse.SparseMatrix, x: Float64Array, b: Float64Array): number {
  const ax = sparse.multiplyVector(a, x);
  return Math.sqrt(ax.reduce((s, v, i) => s + (v - b[i]) ** 2, 0) / b.reduce((s, v) => s + v * v, 0));
}

/** Residual norms, that of the first iterate first. */
function normsOf({ history, initialResidualNorm }: solvers.LinearSolverResultSync): Float64Array {
  const told = history.flatMap(({ residualNorm, residualNorms = [residualNorm] }) => [...residualNorms]);
  return Float64Array.from([initialResidualNorm, ...told]);
}

const laplacian = grid(20);
const b = Float64Array.from({ length: 400 }, noise(1));
const jacobi: solvers.LinearOperator = (x, out) => {
  for (let i = 0; i < x.length; i++) out[i] = x[i] / 4;
};

describe("conjugate gradients", () => {
  it("solves a grid Laplacian, with its residual history", () => {
    const result = solvers.conjugateGradientsSync(laplacian, b, { tolerance: 1e-12 });
    expect(result.status).toBe("converged");
    expect(trueResidual(laplacian, result.x, b)).toBeLessThan(2e-12);
    const norms = normsOf(result);
    expect(norms.length).toBe(result.iterations + 1);
    expect(norms[result.iterations]).toBe(result.residualNorm);
    expect(result.iterations).toBeLessThan(90);
  });

  it("ends in as many steps as there are distinct eigenvalues", () => {
    const a = withEigenvalues([1, 1, 1, 4, 4, 9, 9, 9, 9, 9], 2);
    const result = solvers.conjugateGradientsSync(rows(a), b.subarray(0, 10), { tolerance: 1e-12 });
    expect(result.iterations).toBe(3);
  });

  it("an exact preconditioner needs one step; a tensor and a function are taken too", () => {
    const factor = sparse.cholesky(laplacian);
    const preconditioned = solvers.conjugateGradientsSync(laplacian, b, {
      preconditioner: (x, out) => void factor.solve(x, out),
    });
    expect(preconditioned.iterations).toBeLessThanOrEqual(2);
    const small = tensor(new Float64Array([4, 1, 1, 3]), { shape: [2, 2] });
    const fromTensor = solvers.conjugateGradientsSync(small, [1, 2]);
    expect(fromTensor.x[0]).toBeCloseTo(1 / 11, 12);
    const fromFunction = solvers.conjugateGradientsSync((x, out) => void sparse.multiplyVector(laplacian, x, out), b, {
      preconditioner: jacobi,
    });
    expect(fromFunction.status).toBe("converged");
  });

  it("says when it did not converge or the matrix is indefinite, and starts from a guess", () => {
    expect(solvers.conjugateGradientsSync(laplacian, b, { maxIterations: 3 }).status).toBe("limit");
    const indefinite = sparse.diagonal([1, -1]);
    expect(solvers.conjugateGradientsSync(indefinite, [1, 1]).status).toBe("breakdown");
    const x = solvers.conjugateGradientsSync(laplacian, b).x;
    expect(solvers.conjugateGradientsSync(laplacian, b, { initial: x, tolerance: 1e-9 }).iterations).toBe(0);
    expect(solvers.conjugateGradientsSync(laplacian, new Float64Array(400)).x).toEqual(new Float64Array(400));
  });
});

describe("minres", () => {
  it("solves a system whatever the unit of its matrix", () => {
    const rows = [
      [2, 1, 0],
      [1, -3, 1],
      [0, 1, 1],
    ];
    const known = solvers.minresSync(tensor(rows, { dtype: "float64" }), [1, 2, 3], { tolerance: 1e-12 });
    for (const unit of [1e-300, 1e-160, 1e160, 1e300]) {
      const scaled = tensor(rows, { dtype: "float64" }).mul(unit);
      const { status, x } = solvers.minresSync(scaled, [1, 2, 3], { tolerance: 1e-12 });
      expect(status).toBe("converged");
      for (const [i, value] of x.entries()) expect(value * unit).toBeCloseTo(known.x[i], 10);
    }
  });

  const shifted = sparse.toCsr(sparse.add(laplacian, sparse.identity(400), 1, -1.234));

  it("solves an indefinite system, with and without a preconditioner", () => {
    for (const preconditioner of [undefined, jacobi]) {
      const result = solvers.minresSync(shifted, b, { tolerance: 1e-11, preconditioner });
      expect(result.status).toBe("converged");
      expect(trueResidual(shifted, result.x, b)).toBeLessThan(1e-10);
    }
  });

  it("its residual never grows and is the true one", () => {
    const result = solvers.minresSync(shifted, b, { maxIterations: 60 });
    const norms = normsOf(result);
    for (let k = 1; k < norms.length; k++) expect(norms[k]).toBeLessThanOrEqual(norms[k - 1]);
    const size = Math.sqrt(b.reduce((s, v) => s + v * v, 0));
    expect(trueResidual(shifted, result.x, b) * size).toBeCloseTo(result.residualNorm, 10);
  });

  it("starts from a guess, and breaks down on a singular system without a solution", () => {
    const start = new Float64Array(400).fill(0.3);
    const result = solvers.minresSync(shifted, b, { initial: start, tolerance: 1e-11 });
    expect(trueResidual(shifted, result.x, b)).toBeLessThan(1e-10);
    expect(solvers.minresSync(sparse.diagonal([1, 2, 0]), [1, 1, 1]).status).toBe("breakdown");
    expect(solvers.minresSync(sparse.diagonal([1, 2, 0]), [1, 1, 0]).x[1]).toBeCloseTo(0.5, 12);
    const negative = solvers.minresSync(sparse.identity(2), [1, 1], { preconditioner: sparse.diagonal([-1, -1]) });
    expect(negative.status).toBe("breakdown");
  });
});

describe("gmres", () => {
  const draw = noise(9);
  const n = 120;
  const convection = sparse.toCsr(
    sparse.add(
      tridiagonal(n, 2.5, -1),
      sparse.diagonal(
        Float64Array.from({ length: n - 1 }, () => 0.6 * draw()),
        1,
      ),
    ),
  );
  const rhs = Float64Array.from({ length: n }, draw);

  it("solves a nonsymmetric system whole and restarted", () => {
    for (const restart of [n, 10, 1]) {
      const result = solvers.gmresSync(convection, rhs, { restart, tolerance: 1e-11 });
      expect(result.status).toBe("converged");
      expect(trueResidual(convection, result.x, rhs)).toBeLessThan(1.1e-11);
    }
  });

  it("a right preconditioner keeps the true residual", () => {
    const factor = sparse.cholesky(tridiagonal(n, 2.5, -1));
    const plain = solvers.gmresSync(convection, rhs, { restart: 20 });
    const result = solvers.gmresSync(convection, rhs, {
      restart: 20,
      preconditioner: (x, out) => void factor.solve(x, out),
    });
    expect(result.iterations).toBeLessThan(plain.iterations);
    const size = Math.sqrt(rhs.reduce((s, v) => s + v * v, 0));
    expect(trueResidual(convection, result.x, rhs) * size).toBeCloseTo(result.residualNorm, 9);
  });

  it("a cyclic shift needs all n steps, and stalls when restarted earlier", () => {
    const shift = sparse.permute(sparse.identity(8), [7, 0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6, 7]);
    const e1 = new Float64Array(8);
    e1[0] = 1;
    expect(solvers.gmresSync(shift, e1).iterations).toBe(8);
    expect(solvers.gmresSync(shift, e1, { restart: 4 }).status).toBe("breakdown");
    expect(solvers.gmresSync(sparse.diagonal([1, 0]), [1, 1]).status).toBe("breakdown");
  });
});

describe("lanczos", () => {
  it("gives an orthonormal basis that tridiagonalises the operator", () => {
    const {
      basis,
      diagonal,
      offDiagonal,
      iterations: steps,
      residualNorm,
    } = solvers.lanczosSync(laplacian, 400, {
      maxIterations: 60,
    });
    const q = Array.from({ length: steps }, (_, k) => basis.subarray(k * 400, (k + 1) * 400));
    let worst = 0;
    for (let i = 0; i < steps; i++) {
      const aq = sparse.multiplyVector(laplacian, q[i]);
      for (let j = 0; j < steps; j++) {
        const inner = q[i].reduce((s, v, k) => s + v * q[j][k], 0);
        worst = Math.max(worst, Math.abs(inner - (i === j ? 1 : 0)));
        const t = aq.reduce((s, v, k) => s + v * q[j][k], 0);
        const expected = i === j ? diagonal[i] : Math.abs(i - j) === 1 ? offDiagonal[Math.min(i, j)] : 0;
        worst = Math.max(worst, Math.abs(t - expected));
      }
    }
    expect(worst).toBeLessThan(1e-13);
    expect(residualNorm).toBeGreaterThan(0);
  });

  it("keeps its basis orthonormal where vectors are mostly taken away", () => {
    const n = 100;
    const { basis } = solvers.lanczosSync(sparse.diagonal(new Float64Array(n).fill(1)), n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let inner = 0;
        for (let k = 0; k < n; k++) inner += basis[i * n + k] * basis[j * n + k];
        expect(Math.abs(inner - (i === j ? 1 : 0))).toBeLessThan(1e-13);
      }
    }
  });

  it("goes on past an invariant subspace, to the whole spectrum with multiplicities", () => {
    const values = [1, 1, 2, 2, 2, 5, 7];
    const { diagonal, offDiagonal } = solvers.lanczosSync(rows(withEigenvalues(values, 3)), 7);
    const found = solvers.tridiagonalEigen(diagonal, offDiagonal).values;
    values.forEach((v, i) => {
      expect(found[i]).toBeCloseTo(v, 12);
    });
  });

  it.each([1e-300, 1e-200, 1e-160, 1e160, 1e200, 1e300])("is the same for an operator of size %d", (size) => {
    const ones = solvers.lanczosEigenpairsSync(tridiagonal(6, 2, -1), 6, { count: 6 });
    const scaled = solvers.lanczosEigenpairsSync(tridiagonal(6, 2 * size, -size), 6, { count: 6 });
    for (let k = 0; k < 6; k++) {
      expect(scaled.values[k] / size).toBeCloseTo(ones.values[k], 12);
      const row = (vectors: Float64Array) => Math.abs(vectors[6 * k]);
      expect(row(scaled.vectors)).toBeCloseTo(row(ones.vectors), 10);
    }
  });

  it("extremal eigenpairs of a grid match the formula", () => {
    const line = Array.from({ length: 20 }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / 21));
    const exact = line.flatMap((u) => line.map((v) => u + v)).sort((x, y) => x - y);
    const largest = solvers.lanczosEigenpairsSync(laplacian, 400, { count: 1 });
    expect(largest.status).toBe("converged");
    expect(largest.values[0]).toBeCloseTo(exact[399], 10);
    const smallest = solvers.lanczosEigenpairsSync(laplacian, 400, { which: "smallest", tolerance: 1e-11 });
    expect(smallest.values[0]).toBeCloseTo(exact[0], 10);
    const av = sparse.multiplyVector(laplacian, smallest.vectors);
    for (let i = 0; i < 400; i++) expect(av[i]).toBeCloseTo(smallest.values[0] * smallest.vectors[i], 9);
    const path = solvers.lanczosEigenpairsSync(tridiagonal(100, 2, -1), 100, { count: 5, tolerance: 1e-11 });
    for (let k = 0; k < 5; k++) expect(path.values[k]).toBeCloseTo(2 + 2 * Math.cos(((k + 1) * Math.PI) / 101), 10);
    expect(solvers.lanczosEigenpairsSync(laplacian, 400, { count: 4, maxIterations: 5 }).status).toBe("limit");
  });
});

describe("stochastic Lanczos quadrature", () => {
  const shifted = sparse.toCsr(sparse.add(laplacian, sparse.identity(400), 1, 0.5));

  it("estimates a log-determinant within its standard error", async () => {
    const exact = sparse.cholesky(shifted).logDeterminant();
    const estimate = await solvers.logDeterminantEstimate(shifted, 400, { seed: 3, probes: 60 });
    expect(Math.abs(estimate.estimate - exact)).toBeLessThan(3 * estimate.standardError);
    expect(estimate.standardError).toBeLessThan(0.01 * exact);
  });

  it("is exact for the trace of a diagonal matrix and for f = 1", async () => {
    const values = Float64Array.from({ length: 30 }, (_, i) => i + 1);
    const options = { seed: 4, probes: 2 };
    const trace = await solvers.stochasticLanczosQuadrature(sparse.diagonal(values), 30, (x) => x, options);
    expect(trace.estimate).toBeCloseTo(465, 9);
    expect((await solvers.stochasticLanczosQuadrature(shifted, 400, () => 1, options)).estimate).toBeCloseTo(400, 9);
    const logs = await solvers.logDeterminantEstimate(sparse.diagonal(values), 30, { ...options, steps: 30 });
    expect(logs.estimate).toBeCloseTo(74.65823634883016, 8);
  });

  it("the same seed gives the same estimate", async () => {
    const run = async () => (await solvers.logDeterminantEstimate(shifted, 400, { seed: 11, probes: 3 })).estimate;
    expect(await run()).toBe(await run());
  });

  it("refuses a function that is not finite on the spectrum", async () => {
    const options = { seed: 1, probes: 1 };
    await expect(solvers.logDeterminantEstimate(sparse.diagonal([1, -1]), 2, options)).rejects.toThrow(ValueError);
  });
});

describe("all of them", () => {
  const all = {
    conjugateGradients: solvers.conjugateGradientsSync,
    minres: solvers.minresSync,
    gmres: solvers.gmresSync,
  };
  it.each(Object.entries(all))("%s refuses bad input", (_, solve) => {
    const bad = Float64Array.from(b);
    bad[7] = Number.NaN;
    expect(() => solve(laplacian, bad)).toThrow(ValueError);
    expect(() => solve(sparse.scale(laplacian, Number.POSITIVE_INFINITY), b)).toThrow(ValueError);
    expect(() => solve((_x, out) => void out.fill(Number.NaN), b)).toThrow(NonFiniteError);
    expect(() => solve(laplacian, [1, 2])).toThrow(ShapeError);
    expect(() => solve(laplacian, b, { maxIterations: -1 })).toThrow(ValueError);
    expect(() => solve(laplacian, b, { tolerance: -1 })).toThrow(ValueError);
    expect(() => solve(laplacian, b, { rtol: 1e-3 } as object)).toThrow(/did you mean "tolerance"/);
  });

  const sparseOnly = (solve: typeof solvers.sorSync) => (a: sparse.SparseMatrix, y: Float64Array, more: object) =>
    solve(a, y, { omega: 1.3, ...more });
  const everyone = {
    ...all,
    "conjugateGradients of an operator": (a: sparse.SparseMatrix, y: Float64Array, more: object) =>
      solvers.conjugateGradientsSync((x, out) => void sparse.multiplyVector(a, x, out), y, more),
    sor: sparseOnly(solvers.sorSync),
    ssor: sparseOnly(solvers.ssorSync),
    ssorConjugateGradients: sparseOnly(solvers.ssorConjugateGradientsSync),
  };
  it.each(Object.entries(everyone))("%s solves systems of any size of numbers", (_, solve) => {
    const usual = solve(laplacian, b, {});
    for (const exponent of [-1000, -700, 700, 1000]) {
      const scale = 2 ** exponent;
      const { status, x, residualNorm } = solve(
        laplacian,
        b.map((v) => v * scale),
        {},
      );
      expect(status).toBe("converged");
      for (let i = 0; i < 400; i += 7) expect(x[i] / scale).toBeCloseTo(usual.x[i], 9);
      expect(residualNorm / scale).toBeGreaterThan(0);
      const initial = new Float64Array(400).fill(scale);
      expect(
        solve(
          laplacian,
          b.map((v) => v * scale),
          { initial },
        ).status,
      ).toBe("converged");
    }
    expect(solve(laplacian, new Float64Array(400), {})).toMatchObject({ status: "converged", iterations: 0 });
  });
});

describe("relaxation", () => {
  const norm = (x: Float64Array) => Math.sqrt(x.reduce((s, v) => s + v * v, 0));
  const direct = (a: sparse.SparseMatrix, y: Float64Array) => sparse.cholesky(a).solve(y);
  const far = (x: Float64Array, y: Float64Array) => x.reduce((m, v, i) => Math.max(m, Math.abs(v - y[i])), 0);
  const side = 10;
  const a = grid(side);
  const y = Float64Array.from({ length: side * side }, noise(5));

  it("solves what a Cholesky factorisation solves, with and without a shift", () => {
    for (const shift of [0, 0.3]) {
      const exact = direct(sparse.add(a, sparse.identity(100), 1, shift), y);
      for (const solve of [solvers.sorSync, solvers.ssorSync, solvers.ssorConjugateGradientsSync] as const) {
        const result = solve(a, y, { omega: 1.5, shift, tolerance: 1e-11 });
        const { x, status, residualNorm, iterations } = result;
        expect(status).toBe("converged");
        expect(far(x, exact)).toBeLessThan(1e-9);
        expect(normsOf(result).length).toBe(iterations + 1);
        expect(residualNorm).toBe(normsOf(result)[iterations]);
      }
    }
  });

  it("takes the sweeps that Young's theory says: 1.56 is far better than 1 on a grid", () => {
    const count = (omega: number) => solvers.sorSync(a, y, { omega, tolerance: 1e-8 }).iterations;
    expect(count(1.56)).toBeLessThan(0.25 * count(1));
    expect(count(1.56)).toBeLessThan(count(1.9));
  });

  it("symmetric sweeps agree with the two factors of the preconditioner, in both orders", () => {
    const omega = 1.3;
    const factor = sparse.add(
      sparse.diagonal(sparse.diagonalOf(a)),
      sparse.fromTriplets(
        100,
        100,
        ...(() => {
          const { rowIndices, columnIndices, values } = sparse.toCoo(a);
          const below = Array.from(values.keys()).filter((k) => columnIndices[k] < rowIndices[k]);
          const take = (from: ArrayLike<number>) => below.map((k) => from[k]);
          return [take(rowIndices), take(columnIndices), take(values)] as const;
        })(),
      ),
      1,
      omega,
    );
    for (const order of ["lower-first", "upper-first"] as const) {
      const steps = [{ lower: true }, { lower: true, transposed: true }];
      if (order === "upper-first") steps.reverse();
      const preconditioner: solvers.LinearOperator = (x, out) => {
        const first = sparse.triangularSolve(factor, x, steps[0]);
        sparse.triangularSolve(
          factor,
          first.map((v) => 4 * v * omega * (2 - omega)),
          { ...steps[1], out },
        );
      };
      const options = { tolerance: 1e-8 };
      const reference = solvers.conjugateGradientsSync(a, y, { ...options, preconditioner });
      const ours = solvers.ssorConjugateGradientsSync(a, y, { ...options, omega, order });
      expect(ours.iterations).toBe(reference.iterations);
      expect(far(normsOf(ours), normsOf(reference))).toBeLessThan(1e-10);
    }
  });

  it("conjugate gradients without a preconditioner are the same for a matrix and for its operator", () => {
    const operator: solvers.LinearOperator = (x, out) => {
      sparse.multiplyVector(a, x, out);
    };
    const [matrix, applied] = [a, operator].map((each) => solvers.conjugateGradientsSync(each, y)) as [
      solvers.LinearSolverResultSync,
      solvers.LinearSolverResultSync,
    ];
    expect(matrix.iterations).toBe(applied.iterations);
    expect(far(matrix.x, applied.x)).toBeLessThan(1e-11);
    expect(far(normsOf(matrix), normsOf(applied))).toBeLessThan(1e-10);
    // A zero on the diagonal: not definite, which only the iteration shows.
    expect(
      solvers.conjugateGradientsSync(
        sparse.fromDense([
          [0, 1],
          [1, 2],
        ]),
        [1, -1],
      ).status,
    ).toBe("breakdown");
  });

  it("goes on from a first iterate, and ends at its limit", () => {
    for (const solve of [solvers.sorSync, solvers.ssorSync, solvers.ssorConjugateGradientsSync] as const) {
      const options = { omega: 1.4, tolerance: 0, absoluteTolerance: 1e-9 };
      const whole = solve(a, y, options);
      expect(solve(a, y, { ...options, initial: whole.x }).iterations).toBeLessThanOrEqual(1);
      expect(solve(a, y, { ...options, maxIterations: 2 })).toMatchObject({ status: "limit", iterations: 2 });
      expect(solve(a, new Float64Array(100), { omega: 1 })).toMatchObject({ status: "converged", iterations: 0 });
    }
    const many = solvers.sorSync(a, y, { omega: 1, tolerance: 0, maxIterations: 25_000 });
    expect(many).toMatchObject({ status: "limit", iterations: 25_000 });
    expect(many.history.map(({ iteration }) => iteration)).toEqual([8695, 17_390, 25_000]);
    expect(norm(sparse.multiplyVector(a, many.x).map((v, i) => v - y[i]))).toBeLessThan(1e-12);
  });

  it("says where it cannot go on", () => {
    const rotated = sparse.fromDense([
      [1, 3],
      [-3, 1],
    ]);
    expect(solvers.sorSync(rotated, [1, 1], { omega: 1 }).status).toBe("breakdown");
    const indefinite = sparse.fromDense([
      [1, 3],
      [3, 1],
    ]);
    expect(solvers.ssorConjugateGradientsSync(indefinite, [1, -1], { omega: 1 }).status).toBe("breakdown");
    expect(() => solvers.ssorConjugateGradientsSync(rotated, [1, 1], { omega: 1 })).toThrow(
      /not symmetric: its entries/,
    );
    const negative = sparse.diagonal([1, -1]);
    expect(() => solvers.ssorConjugateGradientsSync(negative, [1, 1], { omega: 1 })).toThrow(/not positive definite/);
    // A zero stored on one side only is no asymmetry.
    const lopsided = sparse.fromTriplets(2, 2, [0, 0, 1], [0, 1, 1], [2, 0, 2]);
    expect(solvers.ssorConjugateGradientsSync(lopsided, [2, 4], { omega: 1 }).x).toEqual(Float64Array.of(1, 2));
  });

  it("rejects what it cannot work with, and says what to give", () => {
    for (const omega of [0, 2, -1, Number.NaN]) {
      expect(() => solvers.sorSync(a, y, { omega })).toThrow(/omega is .*0 < omega < 2/);
    }
    const omega = 1;
    expect(() => solvers.sorSync(sparse.fromDense([[1, 2]]), [1], { omega })).toThrow(ShapeError);
    expect(() => solvers.ssorSync(a, [1], { omega })).toThrow(ShapeError);
    expect(() => solvers.ssorSync(sparse.fromDense([[0]]), [1], { omega })).toThrow(/diagonal entry of row 0 is zero/);
    expect(() => solvers.sorSync(sparse.diagonal([1, 2]), [1, 1], { omega, shift: -1 })).toThrow(/row 0 is zero/);
    expect(() => solvers.sorSync(sparse.diagonal([1, Number.NaN]), [1, 1], { omega })).toThrow(ValueError);
    expect(() => solvers.sorSync(sparse.identity(2), [1, Infinity], { omega })).toThrow(ValueError);
    expect(() => solvers.sorSync(sparse.identity(0), [], { omega })).toThrow(/must not be empty/);
    expect(() => solvers.sorSync(a, y, { omega, maxIterations: 0.5 })).toThrow(ValueError);
    expect(() => solvers.sorSync(a, y, { omega, shift: Number.NaN })).toThrow(/shift must be finite/);
    expect(() => solvers.sorSync([[1]] as never, [1], { omega })).toThrow(/sparse matrix/);
    const order = "middle" as "lower-first";
    expect(() => solvers.ssorConjugateGradientsSync(a, y, { omega, order })).toThrow(/lower-first/);
    // A diagonal that the shift alone provides.
    const off = sparse.fromTriplets(2, 2, [0, 1], [1, 0], [1, 1]);
    expect(far(solvers.sorSync(off, [3, 3], { omega, shift: 2 }).x, Float64Array.of(1, 1))).toBeLessThan(1e-9);
  });
});
