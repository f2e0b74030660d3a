import { type ConicProblem, svec, svecLength } from "../src/index.js";

/** A problem with its exact optimal value. */
export interface TestProblem {
  readonly name: string;
  readonly problem: ConicProblem;
  readonly value: number;
}

/** Rows of F0 + sum x_k F_k >= 0. */
export function lmi(n: number, constant: number[], coefficients: number[][]): { A: number[][]; b: number[] } {
  const columns = coefficients.map((f) => svec(f, n));
  return {
    A: Array.from({ length: svecLength(n) }, (_, i) => columns.map((column) => -column[i])),
    b: Array.from(svec(constant, n)),
  };
}

/** min <C, X> with <A_i, X> = b_i, X >= 0, the matrices dense and symmetric. */
function standardSdp(n: number, C: number[], constraints: number[][], b: number[]): ConicProblem {
  const size = svecLength(n);
  const rows = constraints.map((a) => Array.from(svec(a, n)));
  const minusIdentity = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => (i === j ? -1 : 0)),
  );
  return {
    A: [...rows, ...minusIdentity],
    b: [...b, ...new Array<number>(size).fill(0)],
    c: svec(C, n),
    cones: { z: b.length, s: [n] },
  };
}

const unit = (n: number, i: number, j: number): number[] => {
  const e = new Array<number>(n * n).fill(0);
  e[i * n + j] += 0.5;
  e[j * n + i] += 0.5;
  return e;
};

/** The identity, row by row. */
export const identity = (n: number): number[] => Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0));

/** Second differences, row by row. */
export function secondDifferences(n: number): number[] {
  return Array.from({ length: n * n }, (_, k) => {
    const distance = Math.abs(Math.floor(k / n) - (k % n));
    return distance === 0 ? 2 : distance === 1 ? -1 : 0;
  });
}

const pentagon = [0, 1, 2, 3, 4].map((i) => [i, (i + 1) % 5] as const);

function leastSquares(): TestProblem {
  const M = Array.from({ length: 10 }, (_, i) =>
    Array.from({ length: 4 }, (_, j) => Math.sin(1 + 3.1 * i + 1.7 * j * j)),
  );
  const d = Array.from({ length: 10 }, (_, i) => Math.cos(2.3 * i));
  // Normal equations by Gaussian elimination.
  const N = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => M.reduce((t, row) => t + row[i] * row[j], 0)));
  const r = [0, 1, 2, 3].map((i) => M.reduce((t, row, k) => t + row[i] * d[k], 0));
  for (let k = 0; k < 4; k++) {
    for (let i = k + 1; i < 4; i++) {
      const f = N[i][k] / N[k][k];
      for (let j = k; j < 4; j++) N[i][j] -= f * N[k][j];
      r[i] -= f * r[k];
    }
  }
  for (let k = 3; k >= 0; k--) {
    for (let j = k + 1; j < 4; j++) r[k] -= N[k][j] * r[j];
    r[k] /= N[k][k];
  }
  const value = Math.hypot(...M.map((row, i) => row.reduce((t, v, j) => t + v * r[j], 0) - d[i]));
  return {
    name: "second-order cone: least squares",
    problem: {
      A: [[0, 0, 0, 0, -1], ...M.map((row) => [...row.map((v) => -v), 0])],
      b: [0, ...d.map((v) => -v)],
      c: [0, 0, 0, 0, 1],
      cones: { q: [11] },
    },
    value,
  };
}

function nuclearNorm(): TestProblem {
  const W = [
    [1, 2],
    [0, -1],
    [3, 0.5],
  ];
  const n = 5;
  const constant = new Array<number>(25).fill(0);
  for (let i = 0; i < 3; i++) for (let j = 0; j < 2; j++) constant[i * n + 3 + j] = constant[(3 + j) * n + i] = W[i][j];
  const coefficients: number[][] = [];
  const c: number[] = [];
  for (const [first, last] of [
    [0, 3],
    [3, 5],
  ]) {
    for (let i = first; i < last; i++) {
      for (let j = first; j <= i; j++) {
        const f = new Array<number>(25).fill(0);
        f[i * n + j] = f[j * n + i] = 1;
        coefficients.push(f);
        c.push(i === j ? 0.5 : 0);
      }
    }
  }
  return {
    name: "semidefinite: nuclear norm",
    problem: { ...lmi(n, constant, coefficients), c, cones: { s: [n] } },
    value: 5.285695558812437,
  };
}

/** The sheet's problems with exact values. */
export const problems: readonly TestProblem[] = [
  {
    name: "linear programme",
    problem: {
      A: [
        [1, 2],
        [4, 2],
        [-1, 0],
        [0, -1],
      ],
      b: [4, 12, 0, 0],
      c: [-1, -1],
      cones: { l: 4 },
    },
    value: -10 / 3,
  },
  {
    name: "quadratic programme: projection on the simplex",
    problem: {
      P: [0, 1, 2, 3, 4].map((i) => [0, 1, 2, 3, 4].map((j) => (i === j ? 1 : 0))),
      A: [[1, 1, 1, 1, 1], ...[0, 1, 2, 3, 4].map((i) => [0, 1, 2, 3, 4].map((j) => (i === j ? -1 : 0)))],
      b: [1, 0, 0, 0, 0, 0],
      c: [-0.9, -0.5, 0.3, -0.2, -0.1],
      cones: { z: 1, l: 5 },
    },
    value: -0.49,
  },
  leastSquares(),
  {
    name: "semidefinite: largest eigenvalue",
    problem: {
      ...lmi(
        8,
        secondDifferences(8).map((v) => -v),
        [identity(8)],
      ),
      c: [1],
      cones: { s: [8] },
    },
    value: 2 + 2 * Math.cos(Math.PI / 9),
  },
  {
    name: "semidefinite: theta number of the pentagon",
    problem: standardSdp(
      5,
      new Array<number>(25).fill(-1),
      [identity(5), ...pentagon.map(([i, j]) => unit(5, i, j))],
      [1, 0, 0, 0, 0, 0],
    ),
    value: -Math.sqrt(5),
  },
  {
    name: "semidefinite: maximal cut of the pentagon",
    problem: standardSdp(
      5,
      pentagon.reduce((C, [i, j]) => {
        C[i * 5 + i] -= 0.25;
        C[j * 5 + j] -= 0.25;
        C[i * 5 + j] += 0.25;
        C[j * 5 + i] += 0.25;
        return C;
      }, new Array<number>(25).fill(0)),
      [0, 1, 2, 3, 4].map((i) => unit(5, i, i)),
      [1, 1, 1, 1, 1],
    ),
    value: -(5 / 8) * (5 + Math.sqrt(5)),
  },
  nuclearNorm(),
];
