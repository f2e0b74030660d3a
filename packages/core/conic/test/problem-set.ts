import { linalg, random, tensor } from "@offprint/tensor-core";
import { type ConicProblem, chordalDecompose, lmiToConic, symmetricEntries } from "../src/index.js";
import { identity, lmi, secondDifferences } from "./problems.js";

/** A problem of the set, with its exact optimal value where there is one. */
export interface SetProblem {
  readonly group: string;
  readonly name: string;
  readonly problem: ConicProblem;
  readonly value?: number;
}

const matrixOf = (rng: random.Rng, rows: number, columns: number): number[][] =>
  rng.normal([rows, columns], { dtype: "float64" }).toArray() as number[][];

const transpose = (A: number[][]): number[][] => A[0].map((_, j) => A.map((row) => row[j]));

const dot = (x: number[], y: number[]): number => x.reduce((sum, v, i) => sum + v * y[i], 0);

function symmetric(rng: random.Rng, n: number): number[] {
  const a = matrixOf(rng, n, n);
  return a.flatMap((row, i) => row.map((v, j) => (v + a[j][i]) / 2));
}

/** min t with t I - tridiag(-1, 2, -1) >= 0 of order n; the value is 2 + 2 cos(pi / (n + 1)). */
export function tridiagonal(n: number): SetProblem {
  const rows = lmi(
    n,
    secondDifferences(n).map((v) => -v),
    [identity(n)],
  );
  const value = 2 + 2 * Math.cos(Math.PI / (n + 1));
  return { group: "tridiagonal", name: `n = ${n}`, problem: { ...rows, c: [1], cones: { s: [n] } }, value };
}

/** min t with t I - A >= 0 for a random symmetric A of order 3 to 40. */
export function largestEigenvalue(seed: number): SetProblem {
  const n = 3 + ((seed * 7) % 38);
  const A = symmetric(random.rng(seed), n);
  const values = linalg.eigvalsh(tensor(Float64Array.from(A), { shape: [n, n] })).data() as Float64Array;
  const rows = lmi(
    n,
    A.map((v) => -v),
    [identity(n)],
  );
  const problem = { ...rows, c: [1], cones: { s: [n] } };
  return { group: "largest eigenvalue", name: `seed ${seed}, n = ${n}`, problem, value: values[n - 1] };
}

/** min (tr U + tr V) / 2 with [[U, W], [W^T, V]] >= 0 for a random W; the value is the nuclear norm. */
export function nuclearNorm(seed: number): SetProblem {
  const [p, q] = [2 + (seed % 5), 2 + ((seed * 3) % 4)];
  const W = matrixOf(random.rng(100 + seed), p, q);
  const n = p + q;
  const constant = new Array<number>(n * n).fill(0);
  for (let i = 0; i < p; i++) for (let j = 0; j < q; j++) constant[i * n + p + j] = constant[(p + j) * n + i] = W[i][j];
  const coefficients: number[][] = [];
  const c: number[] = [];
  for (const [first, last] of [
    [0, p],
    [p, n],
  ]) {
    for (let i = first; i < last; i++) {
      for (let j = first; j <= i; j++) {
        const f = new Array<number>(n * n).fill(0);
        f[i * n + j] = f[j * n + i] = 1;
        coefficients.push(f);
        c.push(i === j ? 0.5 : 0);
      }
    }
  }
  const singular = linalg.svd(tensor(W, { dtype: "float64" })).s.data() as Float64Array;
  const value = singular.reduce((sum, v) => sum + v, 0);
  const problem = { ...lmi(n, constant, coefficients), c, cones: { s: [n] } };
  return { group: "nuclear norm", name: `seed ${seed}, [${p}, ${q}]`, problem, value };
}

/** A linear programme whose equality rows are stated twice. */
export function redundantEqualities(n: number): SetProblem {
  const rng = random.rng(n);
  const E = matrixOf(rng, n / 4, n);
  const point = Array.from({ length: n }, (_, j) => (j % 2 === 0 ? 1 + (j % 5) : 0));
  // Complementary to the point, so that it is optimal.
  const reduced = Array.from({ length: n }, (_, j) => (j % 2 === 0 ? 0 : 1 + (j % 3)));
  const multipliers = matrixOf(rng, 1, n / 4)[0];
  const c = transpose(E).map((column, j) => reduced[j] - dot(column, multipliers));
  const right = E.map((row) => dot(row, point));
  const problem = {
    A: [...E, ...E, ...Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? -1 : 0)))],
    b: [...right, ...right, ...new Array<number>(n).fill(0)],
    c,
    cones: { z: 2 * E.length, l: n },
  };
  return { group: "redundant equalities", name: `n = ${n}`, problem, value: dot(c, point) };
}

/** A quadratic programme with P of low rank under box constraints and one equality. */
export function lowRankQuadratic(n: number, rank: number): SetProblem {
  const rng = random.rng(n + rank);
  const F = matrixOf(rng, n, rank);
  const P = F.map((f) => F.map((g) => dot(f, g) / rank));
  const eye = (sign: number) =>
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? sign : 0)));
  const problem = {
    P,
    A: [new Array<number>(n).fill(1), ...eye(-1), ...eye(1)],
    b: [1, ...new Array<number>(n).fill(0), ...new Array<number>(n).fill(1)],
    c: matrixOf(rng, 1, n)[0],
    cones: { z: 1, l: 2 * n },
  };
  return { group: "low-rank quadratic", name: `n = ${n}, rank ${rank}`, problem };
}

/** min ||M x - d|| + ||x|| by two second-order cones. */
function secondOrder(seed: number): SetProblem {
  const rng = random.rng(200 + seed);
  const [m, n] = [10 + seed, 3 + (seed % 7)];
  const [M, d] = [matrixOf(rng, m, n), matrixOf(rng, 1, m)[0]];
  const A = [
    [...new Array<number>(n).fill(0), -1, 0],
    ...M.map((row) => [...row.map((v) => -v), 0, 0]),
    [...new Array<number>(n).fill(0), 0, -1],
    ...Array.from({ length: n }, (_, i) => Array.from({ length: n + 2 }, (_, j) => (i === j ? -1 : 0))),
  ];
  const problem = {
    A,
    b: [0, ...d.map((v) => -v), 0, ...new Array<number>(n).fill(0)],
    c: [...new Array<number>(n).fill(0), 1, 1],
    cones: { q: [m + 1, n + 1] },
  };
  return { group: "second-order", name: `seed ${seed}`, problem };
}

/** A feasible and bounded linear programme with a known pair of solutions, degenerate for every third seed. */
function linear(seed: number): SetProblem {
  const rng = random.rng(300 + seed);
  const [n, m] = [5 + seed, 15 + 2 * seed];
  const A = matrixOf(rng, m, n);
  const x = matrixOf(rng, 1, n)[0];
  const active = seed % 3 === 0 ? Math.ceil(1.3 * n) : n;
  const slack = Array.from({ length: m }, (_, i) => (i < active ? 0 : 1 + (i % 4)));
  const y = Array.from({ length: m }, (_, i) => (i < active ? 0.5 + (i % 3) : 0));
  const b = A.map((row, i) => dot(row, x) + slack[i]);
  const c = transpose(A).map((column) => -dot(column, y));
  return { group: "linear", name: `seed ${seed}`, problem: { A, b, c, cones: { l: m } }, value: dot(c, x) };
}

/** The linear programme of the set on which the splitting takes longest. */
export function slowLinear(): SetProblem {
  return linear(13);
}

/** A block-tridiagonal inequality, whole and split along its cliques. */
export function blockTridiagonal(chordal: boolean): SetProblem {
  const [blocks, size] = [5, 6];
  const order = blocks * size;
  const noise = (i: number, j: number, k: number) => Math.sin(1.3 * i + 2.1 * j + 3.7 * k + 0.9 * i * j + 0.4 * i * k);
  const entries = (f: (i: number, j: number) => number) => {
    const matrix = new Float64Array(order * order);
    for (let i = 0; i < order; i++) {
      for (let j = 0; j <= i; j++) {
        if (Math.floor(i / size) - Math.floor(j / size) <= 1) matrix[i * order + j] = f(i, j);
      }
    }
    return symmetricEntries(matrix, order);
  };
  const lmi = {
    order,
    constant: entries((i, j) => noise(i, j, 0)),
    coefficients: new Map([
      [0, entries((i, j) => (i === j ? 1 : 0))],
      [1, entries((i, j) => noise(i, j, 1))],
      [2, entries((i, j) => noise(i, j, 2))],
    ]),
  };
  const c = [1, 0.3, -0.2];
  if (!chordal) return { group: "block tridiagonal", name: "whole", problem: lmiToConic({ c, lmis: [lmi] }) };
  const { lmis, slacks } = chordalDecompose(lmi, 3);
  const problem = lmiToConic({ c: [...c, ...new Array<number>(slacks).fill(0)], lmis });
  return { group: "block tridiagonal", name: "chordal", problem };
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

/** Easy problems of every kind; a solver that is worth its name ends `converged` on all of them. */
export function problemSet(): SetProblem[] {
  return [
    ...[8, 25, 50].map(tridiagonal),
    ...upTo(60).map(largestEigenvalue),
    ...upTo(30).map(nuclearNorm),
    ...[20, 60, 100].map(redundantEqualities),
    lowRankQuadratic(60, 10),
    lowRankQuadratic(200, 50),
    ...upTo(12).map(secondOrder),
    ...upTo(15).map(linear),
    blockTridiagonal(false),
    blockTridiagonal(true),
  ];
}
