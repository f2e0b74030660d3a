import { lu, matmul, rowMajor, triangularSolve } from "../kernels/index.js";

/** Coefficients of the [13/13] Pade approximant of the exponential (Higham 2005, "The scaling and squaring method"). */
const PADE = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
];

/** The 1-norm up to which the approximant is exact to double precision. */
const RADIUS = 5.371920351148152;

/** The exponential of the row-major matrix `a` [n, n] by scaling and squaring. */
export function matrixExponential(a: Float64Array, n: number): Float64Array {
  const norm = columnSumNorm(a, n);
  const squarings = norm > RADIUS ? Math.ceil(Math.log2(norm / RADIUS)) : 0;
  const scaled = a.map((x) => x * 2 ** -squarings);
  let result = padeApproximant(scaled, n);
  for (let i = 0; i < squarings; i++) result = product(result, result, n);
  return result;
}

function padeApproximant(a: Float64Array, n: number): Float64Array {
  const a2 = product(a, a, n);
  const a4 = product(a2, a2, n);
  const a6 = product(a4, a2, n);
  const combine = (c6: number, c4: number, c2: number, c0: number) => {
    const out = a6.map((x, i) => c6 * x + c4 * a4[i] + c2 * a2[i]);
    for (let i = 0; i < n; i++) out[i * n + i] += c0;
    return out;
  };
  const sum = (x: Float64Array, y: Float64Array) => x.map((value, i) => value + y[i]);
  const odd = sum(product(a6, combine(PADE[13], PADE[11], PADE[9], 0), n), combine(PADE[7], PADE[5], PADE[3], PADE[1]));
  const u = product(a, odd, n);
  const v = sum(product(a6, combine(PADE[12], PADE[10], PADE[8], 0), n), combine(PADE[6], PADE[4], PADE[2], PADE[0]));
  const denominator = v.map((x, i) => x - u[i]);
  const numerator = sum(v, u);
  const { factors, order } = lu(denominator, n, n);
  const exchanged = new Float64Array(n * n);
  for (let i = 0; i < n; i++) exchanged.set(numerator.subarray(order[i] * n, (order[i] + 1) * n), i * n);
  const half = triangularSolve(factors, n, exchanged, n, { lower: true, unitDiagonal: true });
  return triangularSolve(factors, n, half, n, { lower: false });
}

function columnSumNorm(a: Float64Array, n: number): number {
  let norm = 0;
  for (let j = 0; j < n; j++) {
    let column = 0;
    for (let i = 0; i < n; i++) column += Math.abs(a[i * n + j]);
    norm = Math.max(norm, column);
  }
  return norm;
}

function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  matmul(n, n, n, rowMajor(a, n), rowMajor(b, n), rowMajor(out, n));
  return out;
}
