import type { Parts } from "@offprint/solvers";
import { type Certificate, claimedBound } from "./certificate.js";
import {
  choleskyFactor,
  combine,
  forwardSolve,
  largestEigenvalue,
  type Matrix,
  matrix,
  multiplyTransposed,
  multiplyTransposedVector,
  multiplyVector,
  part,
  symmetrized,
} from "./matrix.js";
import { provePositive, ROUNDOFF } from "./positive-proof.js";
import { type GroupForm, groupForms, type Multipliers } from "./quadratic-constraint.js";
import { blockProduct, constraintMatrix, outputForm, type StackedForm } from "./stacked-form.js";

/**
 * Certificates from the matrix inequality of a whole network, for residual and implicit networks:
 *
 *   X = diag(rho I_d, 0) - C^T C - [A; B]^T M [A; B] >= 0      (linf-l1: diag(mu), and C^T diag(delta)^-1 C).
 */

/** @internal What stands in X besides the constraints: C^T C, or any other symmetric matrix with a bound of its rounding. */
export interface OutputTerm {
  readonly value: Matrix;
  /** Upper bound of |rounding| s. */
  errorTimes(s: Float64Array): Float64Array;
}

/** @internal C^T diag(delta)^-1 C; without delta C^T C. */
export function outputTerm(form: StackedForm, delta?: Float64Array): OutputTerm {
  const { C, abs } = form;
  const weight = (x: Float64Array): Float64Array => (delta === undefined ? x : x.map((value, i) => value / delta[i]));
  const root =
    delta === undefined
      ? C
      : matrix(
          C.rows,
          C.columns,
          C.values.map((v, k) => v / Math.sqrt(delta[Math.floor(k / C.columns)])),
        );
  const rounding = roundingFactor(form);
  return {
    value: outputForm(root),
    errorTimes: (s) =>
      multiplyTransposedVector(abs.C, weight(multiplyVector(abs.C, s))).map((value) => rounding * value),
  };
}

/** Operations behind an entry of X: products of stacked matrices, over as many layers as there are. */
function roundingFactor({ order, C, groups }: StackedForm): number {
  const layers = groups.length === 0 ? 1 : groups[groups.length - 1].layer + 1;
  return 2 * (2 * order + C.rows + 32) * (layers + 2) * ROUNDOFF;
}

/** -output - [A; B]^T M [A; B], that is X without the input term. */
function fixedPart(form: StackedForm, forms: readonly GroupForm[], output: OutputTerm): Matrix {
  return combine(-1, constraintMatrix(form, forms), -1, output.value);
}

/** The multipliers of layer i times (1 + t)^(layers - i), which makes the corner of X definite. */
function staggered(form: StackedForm, m: Multipliers, t: number): Multipliers {
  const { groups } = form;
  const layers = groups.length === 0 ? 0 : groups[groups.length - 1].layer + 1;
  const scale = (x: Float64Array): Float64Array => x.map((value, g) => value * (1 + t) ** (layers - groups[g].layer));
  return {
    lambda: scale(m.lambda.map((value) => Math.max(0, value))),
    gamma: scale(m.gamma),
    nu: scale(m.nu),
    tau: scale(m.tau),
  };
}

/** The Schur complement of the corner of X: what the input term must exceed. */
function needed(X: Matrix, inputs: number): Matrix | undefined {
  const n = X.rows;
  const a = part(X, 0, inputs, 0, inputs);
  if (n === inputs)
    return symmetrized(
      matrix(
        inputs,
        inputs,
        a.values.map((value) => -value),
      ),
    );
  const L = choleskyFactor(part(X, inputs, n, inputs, n));
  if (L === undefined) return undefined;
  const Y = forwardSolve(L, part(X, inputs, n, 0, inputs));
  return symmetrized(combine(-1, a, 1, multiplyTransposed(Y, Y)));
}

/** @internal The least rho (or, evenly raised, mu) for fixed multipliers; nothing where the corner is not definite. */
export function repairStacked(
  form: StackedForm,
  raw: Omit<Certificate, "rho">,
  t: number,
  output: OutputTerm = outputTerm(form, raw.delta),
): Certificate | undefined {
  const multipliers = staggered(form, raw.multipliers, t);
  const X = fixedPart(form, groupForms(form.groups, multipliers), output);
  const V = needed(X, form.inputs);
  if (V === undefined) return undefined;
  if (raw.mu === undefined) return { norm: raw.norm, multipliers, rho: largestEigenvalue(V) };
  const d = form.inputs;
  const excess = matrix(d, d, V.values.slice());
  for (let i = 0; i < d; i++) excess.values[i * (d + 1)] -= raw.mu[i];
  const raise = Math.max(0, largestEigenvalue(excess));
  return { norm: raw.norm, multipliers, mu: raw.mu.map((value) => Math.max(value, 0) + raise), delta: raw.delta };
}

/** @internal Whether X is positive semidefinite for every rounding error. */
export function proveStacked(
  form: StackedForm,
  certificate: Certificate,
  output: OutputTerm = outputTerm(form, certificate.delta),
): { proved: boolean; X: Matrix } {
  const { order, inputs, abs, groups } = form;
  const forms = groupForms(groups, certificate.multipliers);
  const X = fixedPart(form, forms, output);
  const input = Float64Array.from({ length: inputs }, (_, i) =>
    certificate.mu === undefined ? (certificate.rho as number) : certificate.mu[i],
  );
  for (let i = 0; i < inputs; i++) X.values[i * (order + 1)] += input[i];
  const rounding = roundingFactor(form);
  const absForm = (block: keyof GroupForm, x: Float64Array): Float64Array =>
    blockProduct(groups, forms, block, matrix(x.length, 1, x), true).values;
  const errorTimes = (s: Float64Array): Float64Array => {
    const u = multiplyVector(abs.A, s);
    const w = s.slice(inputs);
    const [first, cross, back, second] = [absForm("m11", u), absForm("m12", w), absForm("m12", u), absForm("m22", w)];
    const total = multiplyTransposedVector(
      abs.A,
      first.map((value, i) => value + cross[i]),
    );
    const outputError = output.errorTimes(s);
    return total.map((value, i) => {
      const own = i < inputs ? Math.abs(input[i]) * s[i] : back[i - inputs] + second[i - inputs];
      return rounding * (value + own) + outputError[i];
    });
  };
  const proved = certificate.multipliers.lambda.every((value) => value >= 0) && provePositive(X, errorTimes);
  return { proved, X };
}

const SLACKS = [1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3];

/** @internal The certificate with its gain raised until it is proved, if that stays below a limit. */
export function* provenStacked(
  form: StackedForm,
  certificate: Certificate,
  limit: number,
  output: OutputTerm = outputTerm(form, certificate.delta),
): Parts<Certificate | undefined> {
  const { rho, mu } = certificate;
  for (const slack of SLACKS) {
    const mean = mu === undefined ? 0 : mu.reduce((sum, value) => sum + value, 0) / mu.length;
    const candidate: Certificate =
      mu === undefined
        ? { ...certificate, rho: (rho as number) + slack * Math.abs(rho as number) }
        : { ...certificate, mu: mu.map((value) => value + slack * mean) };
    if (claimedBound(candidate) >= limit) return undefined;
    yield;
    if (proveStacked(form, candidate, output).proved) return candidate;
  }
  return undefined;
}
