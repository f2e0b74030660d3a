import type { RelaxationMatrix } from "../relaxation.js";

/** `sum` less the entries from position `start` to `end` times x. */
function less(
  sum: number,
  start: number,
  end: number,
  indices: Int32Array,
  values: Float64Array,
  x: Float64Array,
): number {
  let rest = sum;
  for (let p = start; p < end; p++) rest -= values[p]! * x[indices[p]!]!;
  return rest;
}

/** r = b - A x; returns its norm. */
function residualOf(a: RelaxationMatrix, b: Float64Array, x: Float64Array, r: Float64Array): number {
  const { indptr, at, indices, values, diagonal } = a;
  let squares = 0;
  for (let i = 0; i < x.length; i++) {
    const left = less(b[i]! - diagonal[i]! * x[i]!, indptr[i]!, at[i]!, indices, values, x);
    const sum = less(left, at[i]! + 1, indptr[i + 1]!, indices, values, x);
    r[i] = sum;
    squares += sum * sum;
  }
  return Math.sqrt(squares);
}

/** u = (D / omega + L)^-1 r; `u` may be `r`. */
function forward(a: RelaxationMatrix, omega: number, r: Float64Array, u: Float64Array): void {
  const { indptr, at, indices, values, diagonal } = a;
  for (let i = 0; i < u.length; i++) {
    u[i] = (omega / diagonal[i]!) * less(r[i]!, indptr[i]!, at[i]!, indices, values, u);
  }
}

/** u = (D / omega + U)^-1 r; `u` may be `r`. */
function backward(a: RelaxationMatrix, omega: number, r: Float64Array, u: Float64Array): void {
  const { indptr, at, indices, values, diagonal } = a;
  for (let i = u.length - 1; i >= 0; i--) {
    u[i] = (omega / diagonal[i]!) * less(r[i]!, at[i]! + 1, indptr[i + 1]!, indices, values, u);
  }
}

/** x += u, where u is the change of a sweep, then u becomes that of the next; the norm of the residual in between. */
function sorSweep(a: RelaxationMatrix, omega: number, x: Float64Array, u: Float64Array): number {
  const { indptr, at, indices, values, diagonal } = a;
  const back = 1 / omega - 1;
  let squares = 0;
  for (let i = 0; i < x.length; i++) {
    const change = u[i]!;
    x[i]! += change;
    const residual = less(back * diagonal[i]! * change, at[i]! + 1, indptr[i + 1]!, indices, values, u);
    squares += residual * residual;
    u[i] = (omega / diagonal[i]!) * less(residual, indptr[i]!, at[i]!, indices, values, u);
  }
  return Math.sqrt(squares);
}

/** The same for a forward sweep, whose change is u, and the backward sweep after it, whose change goes into v. */
function ssorSweeps(a: RelaxationMatrix, omega: number, x: Float64Array, u: Float64Array, v: Float64Array): number {
  const { indptr, at, indices, values, diagonal } = a;
  const back = 1 / omega - 1;
  for (let i = x.length - 1; i >= 0; i--) {
    const f = u[i]!;
    const rest = less(back * diagonal[i]! * f, at[i]! + 1, indptr[i + 1]!, indices, values, u);
    v[i] = (omega / diagonal[i]!) * rest;
    u[i] = f + v[i]!;
    x[i]! += u[i]!;
  }
  let squares = 0;
  for (let i = 0; i < x.length; i++) {
    const residual = less(back * diagonal[i]! * v[i]!, indptr[i]!, at[i]!, indices, values, v);
    squares += residual * residual;
    u[i] = (omega / diagonal[i]!) * less(residual, indptr[i]!, at[i]!, indices, values, u);
  }
  return Math.sqrt(squares);
}

/** See `relax` in ../relaxation.ts, and assembly/relaxation.ts for the recurrence. */
export function jsRelax(
  a: RelaxationMatrix,
  b: Float64Array,
  x: Float64Array,
  omega: number,
  symmetric: boolean,
  relative: number,
  absolute: number,
  limit: number,
): Float64Array {
  const u = new Float64Array(x.length);
  const v = symmetric ? new Float64Array(x.length) : undefined;
  const norms = [residualOf(a, b, x, u)];
  const target = Math.max(relative * norms[0]!, absolute);
  if (!(norms[0]! < Number.POSITIVE_INFINITY) || norms[0]! < target || norms[0] === 0) return Float64Array.from(norms);
  forward(a, omega, u, u);
  let norm: number;
  do {
    norm = v ? ssorSweeps(a, omega, x, u, v) : sorSweep(a, omega, x, u);
    if (norm < target) {
      norm = residualOf(a, b, x, u);
      if (norm >= target) forward(a, omega, u, u);
    }
    norms.push(norm);
  } while (norm >= target && norm < Number.POSITIVE_INFINITY && norms.length <= limit);
  return Float64Array.from(norms);
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function precondition(a: RelaxationMatrix, omega: number, upperFirst: boolean, r: Float64Array, z: Float64Array): void {
  const [first, second] = upperFirst ? [backward, forward] : [forward, backward];
  first(a, omega, r, z);
  for (let i = 0; i < z.length; i++) z[i]! *= (2 / omega - 1) * a.diagonal[i]!;
  second(a, omega, z, z);
}

/** See `sparseCg` in ../relaxation.ts. */
export function jsSparseCg(
  a: RelaxationMatrix,
  b: Float64Array,
  state: { x: Float64Array; r: Float64Array; p: Float64Array; rho: number },
  omega: number,
  upperFirst: boolean,
  threshold: number,
  limit: number,
): Float64Array {
  const { x, r, p } = state;
  const q = new Float64Array(x.length);
  const z = omega === 0 ? r : new Float64Array(x.length);
  const norms = [Number.NaN];
  if (state.rho === 0) {
    norms[0] = residualOf(a, b, x, r);
    if (norms[0] <= threshold || !(norms[0] < Number.POSITIVE_INFINITY)) return Float64Array.from(norms);
    if (omega !== 0) precondition(a, omega, upperFirst, r, z);
    p.set(z);
    state.rho = dot(r, z);
  }
  for (let k = 1; k <= limit; k++) {
    // q = A p, as what is left of 0.
    residualOf(a, q.fill(0), p, q);
    const curvature = -dot(p, q);
    if (!(curvature > 0) || !(state.rho > 0)) {
      state.rho = -1;
      break;
    }
    const step = state.rho / curvature;
    for (let i = 0; i < x.length; i++) {
      x[i]! += step * p[i]!;
      r[i]! += step * q[i]!;
    }
    const norm = Math.sqrt(dot(r, r));
    norms.push(norm);
    if (norm <= threshold || !(norm < Number.POSITIVE_INFINITY)) break;
    if (omega !== 0) precondition(a, omega, upperFirst, r, z);
    const next = dot(r, z);
    for (let i = 0; i < x.length; i++) p[i] = z[i]! + (next / state.rho) * p[i]!;
    state.rho = next;
  }
  return Float64Array.from(norms);
}
