import {
  add,
  dot,
  grad,
  hessian,
  jacobian,
  matmul,
  mul,
  random,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { hockSchittkowski } from "../claims/hock-schittkowski.js";
import type { EqualityCallbacks, EqualityProblem } from "../src/index.js";

/** A Hock-Schittkowski problem by its number. */
export function hs(number: number) {
  const found = hockSchittkowski.find((each) => each.number === number);
  if (found === undefined) throw new Error(`no HS${number}`);
  return found;
}

/** A vector in float64. */
export const vector = (values: readonly number[]): Tensor => tensor([...values], { dtype: "float64" });

/** A convex quadratic with linear constraints: Newton's method is done after one exact step. */
export function quadraticProgramme(seed: number, n = 6, m = 2): Required<EqualityProblem> {
  const rng = random.rng(seed);
  const A = rng.normal([n, n], { dtype: "float64" });
  const Q = add(matmul(A, transpose(A)), tensor(identity(n), { dtype: "float64" }));
  const G = rng.normal([m, n], { dtype: "float64" });
  const b = rng.normal([m], { dtype: "float64" });
  return { objective: (x) => mul(0.5, dot(x, matmul(Q, x))), constraints: (x) => sub(matmul(G, x), b) };
}

function identity(n: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
}

/** A symmetric indefinite saddle-point matrix and a right-hand side. */
export function saddle(seed: number, n = 6, m = 3): { K: Tensor; b: Tensor } {
  const rng = random.rng(seed);
  const A = rng.normal([n, n], { dtype: "float64" });
  const B = add(matmul(A, transpose(A)), tensor(identity(n), { dtype: "float64" })).toArray() as number[][];
  const G = rng.normal([m, n], { dtype: "float64" }).toArray() as number[][];
  const rows = [
    ...B.map((row, i) => [...row, ...G.map((each) => each[i])]),
    ...G.map((row) => [...row, ...new Array<number>(m).fill(0)]),
  ];
  return { K: tensor(rows, { dtype: "float64" }), b: rng.normal([n + m], { dtype: "float64" }) };
}

/** A problem of tensors as one of plain callbacks. */
export function asCallbacks({
  objective,
  constraints,
}: Required<EqualityProblem>): EqualityCallbacks & { calls: number } {
  const lagrangian = (x: Tensor, l: Tensor) => add(objective(x), dot(l, constraints(x)));
  const f64 = (x: Float64Array) => tensor(x.slice());
  let last: { at: string; H: Tensor } | undefined;
  const H = (x: Float64Array, l: Float64Array): Tensor => {
    const at = `${x} ${l}`;
    if (last?.at !== at) last = { at, H: hessian(lagrangian)(f64(x), f64(l)) };
    return last.H;
  };
  const callbacks = {
    calls: 0,
    first(numbers: Float64Array) {
      callbacks.calls++;
      const x = f64(numbers);
      return {
        objective: objective(x).item(),
        gradient: grad(objective)(x).data(),
        constraints: constraints(x).toArray() as number[],
        jacobian: jacobian(constraints)(x) as Tensor,
      };
    },
    hessian: async (x: Float64Array, l: Float64Array) => H(x, l),
    hessianProduct: (x: Float64Array, l: Float64Array, v: Float64Array) => matmul(H(x, l), f64(v)),
  };
  return callbacks;
}

/** ||x||. */
export const length = (x: Tensor): number => Math.sqrt(sum(mul(x, x)).item());
