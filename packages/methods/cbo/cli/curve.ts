import { type Formula, type FormulaNode, formulaValue } from "@offprint/commands";
import {
  add,
  broadcastTo,
  concatenate,
  div,
  equal,
  expandDims,
  eye,
  jvp,
  less,
  linalg,
  matmul,
  mul,
  slice,
  sqrt,
  square,
  squeeze,
  stack,
  sub,
  sum,
  swapAxes,
  type Tensor,
  tensor,
  where,
} from "@offprint/tensor-core";

/** A formula of columns and parameters beside the numbers that it is to give. */
export interface Curve {
  readonly formula: Formula;
  /** Columns of the table by name, `[rows]`. */
  readonly columns: Readonly<Record<string, Tensor>>;
  /** `[rows]`. */
  readonly target: Tensor;
  /** `[rows]` what differences to the target are multiplied with before they are squared; a number for all rows. */
  readonly weights: Tensor | number;
  /** Names of what is fitted, in the order of the formula. */
  readonly parameters: readonly string[];
}

/** Values of the formula where each parameter is a number or `[..., 1]`: `[..., rows]`. */
export function curveValues(curve: Curve, values: Readonly<Record<string, Tensor | number>>): Tensor {
  const { formula, columns, target } = curve;
  const found = formulaValue(formula, { ...columns, ...values });
  const shape = typeof found === "number" ? [1] : found.shape;
  const whole = [...shape.slice(0, -1), target.shape[0] as number];
  return typeof found === "number" ? tensor(new Float64Array(whole[0]).fill(found)) : broadcastTo(found, whole);
}

/**
 * Parameters, among those given, in which the formula is linear, all together: for given others the best ones are found by
 * linear least squares and need not be searched for.
 */
export function linearParameters({ formula }: Curve, among: readonly string[]): string[] {
  const chosen = new Set<string>();
  for (const name of among) {
    chosen.add(name);
    if (degree(formula.root, chosen) > 1) chosen.delete(name);
  }
  return [...chosen];
}

/** Degree of a part of a formula as a polynomial in some parameters: 0, 1, or 2 for all that is more. */
function degree(node: FormulaNode, of: ReadonlySet<string>): number {
  if (node.kind === "number") return 0;
  if (node.kind === "name") return of.has(node.name) ? 1 : 0;
  const [first = 0, ...others] = node.operands.map((each) => degree(each, of));
  const rest = Math.max(0, ...others);
  switch (node.operation) {
    case "+":
    case "-":
    case "negative":
      return Math.max(first, rest);
    case "*":
      return Math.min(2, first + rest);
    case "/":
      return rest === 0 ? first : 2;
    default:
      return first === 0 && rest === 0 ? 0 : 2;
  }
}

/** The best linear parameters for given others, and what they leave. */
export interface Projection {
  /** `[n, linear]` in the order of their names. */
  readonly values: Tensor;
  /** Sums of squares of what is left, `[n]`. */
  readonly squares: Tensor;
}

/** What lets a Gram matrix of columns of length 1 be decomposed that depend on each other. */
const LIFT = 1e-13;

/**
 * Finds the linear parameters by least squares, for n choices of the others at once.
 * @param others - each `[n, 1]`
 * @param unit - Size of the weighted target, by which sums of squares are divided.
 */
export function projected(
  curve: Curve,
  linear: readonly string[],
  others: Readonly<Record<string, Tensor>>,
  n: number,
  unit: number,
): Projection {
  const rows = curve.target.shape[0] as number;
  const zeros = linear.map(() => tensor([[0]], { dtype: "float64" }));
  const valuesAt = (...given: Tensor[]) =>
    broadcastTo(
      curveValues(curve, { ...others, ...Object.fromEntries(linear.map((name, i) => [name, given[i] as Tensor])) }),
      [n, rows],
    );
  const weighted = (differences: Tensor) => div(mul(differences, curve.weights), unit);
  const left = weighted(sub(curve.target, valuesAt(...zeros)));
  if (linear.length === 0)
    return { values: tensor(new Float64Array(0), { shape: [0] }), squares: sum(square(left), { axis: -1 }) };
  const columns = linear.map((_, i) => {
    const [, slope] = jvp(
      valuesAt,
      zeros,
      zeros.map((zero, j) => (j === i ? add(zero, 1) : zero)),
    );
    return weighted(slope as Tensor);
  });
  const matrix = stack(columns, -1); // [n, rows, linear]
  const squares = sum(square(matrix), { axis: 1, keepDims: true });
  const lengths = sqrt(where(equal(squares, 0), 1, squares));
  const basis = div(matrix, lengths);
  const transposed = swapAxes(basis, -1, -2);
  const gram = add(matmul(transposed, basis), mul(eye(linear.length, linear.length, "float64"), LIFT));
  const right = matmul(transposed, expandDims(left, -1));
  // What is not finite has no decomposition: nobody is to go there.
  const size = sum(square(concatenate([gram, right], -1)), { axis: [-1, -2], keepDims: true });
  const finite = less(size, Number.POSITIVE_INFINITY);
  const factor = linalg.cholesky(where(finite, gram, eye(linear.length, linear.length, "float64")));
  const found = linalg.choleskySolve(factor, where(finite, right, 0)); // [n, linear, 1]
  const rest = sub(left, squeeze(matmul(basis, found), -1));
  return {
    values: div(squeeze(found, -1), squeeze(lengths, 1)),
    squares: where(squeeze(finite, [1, 2]), sum(square(rest), { axis: -1 }), Number.NaN),
  };
}

/** Columns of `[..., names]` by name, each `[..., 1]`. */
export function byName(names: readonly string[], values: Tensor): Record<string, Tensor> {
  const leading = values.shape.slice(1).map(() => null);
  return Object.fromEntries(names.map((name, j) => [name, slice(values, [...leading, { start: j, stop: j + 1 }])]));
}
