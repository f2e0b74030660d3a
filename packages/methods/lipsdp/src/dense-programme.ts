import { type ConicProblem, smat, svec, svecLength } from "@offprint/conic";
import { linalg } from "@offprint/tensor-core";
import type { Gain } from "./gain.js";
import {
  asTensor,
  fromTensor,
  identity,
  type Matrix,
  matrix,
  multiply,
  multiplyTransposed,
  part,
  place,
} from "./matrix.js";
import type { NeuronGroup } from "./neuron-group.js";
import type { ProgrammeSession } from "./programme-session.js";
import { changingBasis, groupForm, preservedProjector, zeroMultipliers } from "./quadratic-constraint.js";
import type { RawSolution } from "./raw-solution.js";
import { onlySlopes, type SharedMultiplier, SlopeOperator, slopeMultipliers } from "./slope-operator.js";
import { blockProduct, groupRows, outputForm, type StackedForm } from "./stacked-form.js";

/** Which multipliers are variables: `diag` lambda and gamma, `full` also nu, `eliminated` lambda alone. */
export type MultiplierKind = "diag" | "full" | "eliminated";

/** A multiplier variable with its matrix F in -sum theta F. */
interface Term extends SharedMultiplier {
  readonly F: Matrix;
}

/** The inequality `input - output - sum theta F >= 0` in the coordinates of the programme. */
interface Inequality {
  readonly order: number;
  readonly inputs: number;
  readonly terms: readonly Term[];
  /** Output rows in these coordinates. */
  readonly C: Matrix;
}

/**
 * @internal The matrix inequality of a whole network, with every multiplier that `kind` allows.
 *
 * @param shared one lambda for all scalar neurons of a layer
 */
export async function solveDense(
  form: StackedForm,
  gain: Gain,
  kind: MultiplierKind,
  shared: boolean,
  session: ProgrammeSession,
  again = false,
): Promise<RawSolution> {
  const slopes = onlySlopes(form.groups);
  const inequality = slopes
    ? undefined
    : kind === "eliminated"
      ? eliminated(form, shared)
      : stacked(form, kind, shared);
  const { order, inputs, C } = inequality ?? form;
  const terms = inequality?.terms ?? slopeMultipliers(form.groups, shared);
  const l2 = gain.output === "l2";
  const total = l2 ? order : order + C.rows;
  const balls = gain.ball === undefined ? inputs : 1;
  const leading = balls + (l2 ? 0 : C.rows);
  const constant = matrix(total, total);
  if (l2) place(constant, 0, 0, outputForm(C), -1);
  else place(constant, order, 0, C);
  const c = new Float64Array(leading + terms.length).fill(0.5, 0, leading);
  if (gain.ball !== undefined) c[0] = gain.ball;
  const problem =
    inequality === undefined
      ? slopeProblem(new SlopeOperator(form, gain, leading, terms), constant, c)
      : writtenProblem(inequality, gain, leading, constant, c);
  const result = await session.solve(problem, again);
  const multipliers = zeroMultipliers(form.groups.length);
  for (const [k, term] of terms.entries()) {
    for (const g of term.groups) multipliers[term.kind][g] = result.x[leading + k];
  }
  return {
    multipliers,
    rho: gain.ball === undefined ? undefined : result.x[0],
    mu: gain.ball === undefined ? result.x.slice(0, inputs) : undefined,
    delta: l2 ? undefined : result.x.slice(balls, leading),
    inputDual: part(matrix(total, total, smat(result.y.slice(-svecLength(total)), total)), 0, inputs, 0, inputs),
    objective: l2 ? Math.sqrt(Math.max(0, result.objective)) : result.objective,
    result,
  };
}

function slopeProblem(A: SlopeOperator, constant: Matrix, c: Float64Array): ConicProblem {
  const b = new Float64Array(A.rows);
  b.set(svec(constant.values, constant.rows), A.matrixStart);
  return { A, b, c, cones: { l: A.matrixStart, s: [constant.rows] } };
}

function writtenProblem(
  { order, inputs, terms }: Inequality,
  gain: Gain,
  leading: number,
  constant: Matrix,
  c: Float64Array,
): ConicProblem {
  const total = constant.rows;
  const balls = gain.ball === undefined ? inputs : 1;
  const writer = new RowWriter(total, c.length, terms);
  if (gain.ball === undefined) for (let i = 0; i < inputs; i++) writer.diagonal(i, i);
  else {
    const input = matrix(total, total);
    for (let i = 0; i < inputs; i++) input.values[i * (total + 1)] = 1;
    writer.coefficient(0, input);
  }
  for (let i = balls; i < leading; i++) writer.diagonal(i, order + i - balls);
  for (const [k, { F }] of terms.entries()) {
    const padded = matrix(total, total);
    place(padded, 0, 0, F, -1);
    writer.coefficient(leading + k, padded);
  }
  return writer.problem(constant, c, leading);
}

/** @internal A dense conic problem of one matrix inequality and nonnegative lambdas. */
export class RowWriter {
  private readonly values: Float64Array;
  private readonly sign: number[] = [];
  private readonly rows: number;

  constructor(
    private readonly order: number,
    private readonly variables: number,
    terms: readonly { readonly kind: string }[],
  ) {
    for (const [k, { kind }] of terms.entries()) if (kind === "lambda") this.sign.push(k);
    this.rows = this.sign.length + svecLength(order);
    this.values = new Float64Array(this.rows * variables);
  }

  /** First row of the matrix inequality. */
  get matrixStart(): number {
    return this.sign.length;
  }

  /** F_k of a variable. */
  coefficient(variable: number, F: Matrix): void {
    const column = svec(F.values, this.order);
    const from = this.sign.length;
    for (let i = 0; i < column.length; i++) this.values[(from + i) * this.variables + variable] = -column[i];
  }

  /** F_k = e_i e_i^T. */
  diagonal(variable: number, i: number): void {
    const row = this.sign.length + i * this.order - (i * (i - 1)) / 2;
    this.values[row * this.variables + variable] = -1;
  }

  problem(constant: Matrix, c: Float64Array, leading: number): ConicProblem {
    for (const [k, term] of this.sign.entries()) this.values[k * this.variables + leading + term] = -1;
    const b = new Float64Array(this.rows);
    b.set(svec(constant.values, this.order), this.sign.length);
    return {
      A: { shape: [this.rows, this.variables], values: this.values },
      b,
      c,
      cones: { l: this.sign.length, s: [this.order] },
    };
  }
}

/** @internal F of one multiplier: [A; B]^T M [A; B] for M of one group with one multiplier set to 1. */
export function constraintTerm(
  form: Pick<StackedForm, "order" | "inputs" | "A">,
  group: NeuronGroup,
  kind: Term["kind"],
): Matrix {
  const { order, inputs, A } = form;
  const unit = groupForm(group, kind === "lambda" ? 1 : 0, kind === "gamma" ? 1 : 0, kind === "nu" ? 1 : 0, 0);
  const { size, start } = group;
  const local = [{ ...group, start: 0 }];
  const rows = groupRows(A, group);
  const F = multiplyTransposed(rows, blockProduct(local, [unit], "m11", rows));
  const cross = blockProduct(local, [unit], "m12", rows);
  for (let i = 0; i < size; i++) {
    const place = inputs + start + i;
    for (let j = 0; j < order; j++) {
      F.values[place * order + j] += cross.values[i * order + j];
      F.values[j * order + place] += cross.values[i * order + j];
    }
    for (let j = 0; j < size; j++) F.values[place * order + inputs + start + j] += unit.m22[i * size + j];
  }
  return F;
}

function stacked(form: StackedForm, kind: "diag" | "full", shared: boolean): Inequality {
  const terms: Term[] = [];
  for (const [g, group] of form.groups.entries()) {
    terms.push({ kind: "lambda", groups: [g], F: constraintTerm(form, group, "lambda") });
    // J of a single sorted neuron is the identity, of a single reflected one 0.
    if (group.kind === "slope" || (group.kind === "reflection" && group.size === 1)) continue;
    if (group.size > 1 || kind === "full")
      terms.push({ kind: "gamma", groups: [g], F: constraintTerm(form, group, "gamma") });
    if (kind === "full") terms.push({ kind: "nu", groups: [g], F: constraintTerm(form, group, "nu") });
  }
  return { order: form.order, inputs: form.inputs, terms: shared ? merged(form.groups, terms) : terms, C: form.C };
}

/** One lambda for all scalar neurons of a layer. */
function merged(groups: readonly NeuronGroup[], terms: readonly Term[]): Term[] {
  const out: Term[] = [];
  const byLayer = new Map<number, number>();
  for (const term of terms) {
    const { kind, layer } = groups[term.groups[0]];
    const known = kind === "slope" ? byLayer.get(layer) : undefined;
    if (known === undefined) {
      if (kind === "slope") byLayer.set(layer, out.length);
      out.push(term);
      continue;
    }
    const { F, groups: members } = out[known];
    out[known] = {
      kind: "lambda",
      groups: [...members, ...term.groups],
      F: matrix(
        F.rows,
        F.columns,
        F.values.map((value, k) => value + term.F.values[k]),
      ),
    };
  }
  return out;
}

/**
 * What is preserved is substituted: w_g = J~ u_g + K^T a_g, with J~ the projector on the preserved part and the rows of
 * K a basis of its complement. In z = Z (x, a) the constraint of a group is lambda (|K u_g|^2 - |a_g|^2) >= 0, and gamma,
 * nu, tau vanish.
 */
function eliminated(form: StackedForm, shared: boolean): Inequality {
  const { inputs, groups, A } = form;
  const width = A.rows;
  const bases = groups.map(changingBasis);
  const free = bases.reduce((count, basis) => count + basis.count, 0);
  // (I - J~ A_w) w = J~ A_x x + K^T a
  const projectors = groups.map((group) => ({ m11: preservedProjector(group), m12: ZERO, m22: ZERO }));
  const projected = blockProduct(groups, projectors, "m11", A);
  const left = identity(width);
  const right = matrix(width, inputs + free);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) left.values[i * width + j] -= projected.values[i * A.columns + inputs + j];
    for (let j = 0; j < inputs; j++) right.values[i * right.columns + j] = projected.values[i * A.columns + j];
  }
  let column = inputs;
  const starts: number[] = [];
  for (const [g, { count, rows }] of bases.entries()) {
    starts.push(column);
    const { start, size } = groups[g];
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < size; i++) right.values[(start + i) * right.columns + column + k] = rows[k * size + i];
    }
    column += count;
  }
  const order = inputs + free;
  const Z = matrix(inputs + width, order);
  for (let i = 0; i < inputs; i++) Z.values[i * (order + 1)] = 1;
  if (width > 0) place(Z, inputs, 0, fromTensor(linalg.solve(asTensor(left), asTensor(right))));
  const reduced = multiply(A, Z);
  const terms = groups.flatMap((group, g): Term[] => {
    const { count, rows } = bases[g];
    if (count === 0) return [];
    const u = multiply(matrix(count, group.size, rows), part(reduced, group.start, group.start + group.size));
    return [{ kind: "lambda", groups: [g], F: reducedTerm(group, u, starts[g]) }];
  });
  return { order, inputs, terms: shared ? merged(groups, terms) : terms, C: multiply(form.C, Z) };
}

const ZERO = new Float64Array(0);

/** |K u|^2 - |a|^2, or the slope restriction between u and a. */
function reducedTerm(group: NeuronGroup, u: Matrix, start: number): Matrix {
  const order = u.columns;
  const { m11, m12, m22 } = group.kind === "slope" ? groupForm(group, 1, 0, 0, 0) : { m11: [1], m12: [0], m22: [-1] };
  const F = multiplyTransposed(u, u);
  for (let k = 0; k < F.values.length; k++) F.values[k] *= m11[0];
  for (let k = 0; k < u.rows; k++) {
    const place = start + k;
    for (let j = 0; j < order; j++) {
      F.values[place * order + j] += m12[0] * u.values[k * order + j];
      F.values[j * order + place] += m12[0] * u.values[k * order + j];
    }
    F.values[place * (order + 1)] += m22[0];
  }
  return F;
}
