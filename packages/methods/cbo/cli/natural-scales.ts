import { type FormulaNode, formulaValue } from "@offprint/commands";
import { linalg, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import type { Curve } from "./curve.js";

/** What the formula and the table say of a parameter. */
export interface NaturalScale {
  /** Its size, as the units of the columns around it make it. */
  readonly size: number;
  /**
   * `location`: what is subtracted from a column, or it from; `rate` and `phase`: within the angle of a sine; `scale`: anything
   * else.
   */
  readonly kind: "scale" | "location" | "rate" | "phase";
  /** Of a location: the values of the column. */
  readonly range?: readonly [low: number, high: number];
}

/** The logarithm of a part's size: a number, and how often it has the logarithm of each parameter's. */
interface Size {
  readonly log: number;
  readonly times: readonly number[];
}

const angles = ["sin", "cos", "tan"];
/** How little a number in a formula says of the size of what is added to it. */
const OF_NUMBERS = 0.1;
/** Keeps sizes that nothing says anything of at 1. */
const RIDGE = 1e-6;

/**
 * Sizes of parameters from the units of the columns: what is added has one unit, exponents and angles have none, and the
 * formula has that of the target. In `a * exp(-b * x)` the size of a is that of the target, and that of b one over x's.
 */
export function naturalScales(curve: Curve): Record<string, NaturalScale> {
  const { formula, parameters, columns, target } = curve;
  const known: Record<string, NaturalScale> = {};
  const equations: (Size & { readonly weight: number })[] = [];
  const none = parameters.map(() => 0);
  const plain = (log: number): Size => ({ log, times: none });
  const combined = (a: Size, b: Size, sign: number): Size => ({
    log: a.log + sign * b.log,
    times: a.times.map((times, i) => times + sign * b.times[i]),
  });
  const equal = (a: Size, b: Size, weight = 1) => equations.push({ ...combined(a, b, -1), weight });
  const isFree = (node: FormulaNode) => namesIn(node).every((name) => !parameters.includes(name));
  const isParameter = (node: FormulaNode) => node.kind === "name" && !isFree(node);

  const sizeOf = (node: FormulaNode): Size => {
    if (isFree(node)) return plain(Math.log(sizeOfValues(node)));
    if (node.kind === "number") return plain(Math.log(Math.abs(node.value) || 1));
    if (node.kind === "name") return { log: 0, times: parameters.map((name) => (name === node.name ? 1 : 0)) };
    const { operation, operands } = node;
    const [left, right] = operands as [FormulaNode, FormulaNode];
    if (operation === "-" && (located(left, right) || located(right, left))) {
      return plain(Math.log(sizeOfValues(isFree(left) ? left : right)));
    }
    if (angles.includes(operation)) noteAngle(left);
    const sizes = operands.map(sizeOf);
    const [first, second] = sizes as [Size, Size];
    switch (operation) {
      case "+":
      case "-":
      case "min":
      case "max": {
        equal(first, second, left.kind === "number" || right.kind === "number" ? OF_NUMBERS : 1);
        const byNumber = left.kind === "number" || (right.kind !== "number" && isFree(right));
        return byNumber ? second : first;
      }
      case "*":
        return combined(first, second, 1);
      case "/":
        return combined(first, second, -1);
      case "negative":
      case "abs":
        return first;
      case "sqrt":
        return combined(plain(0), { log: first.log / 2, times: first.times.map((t) => t / 2) }, 1);
      case "^": {
        const power = isFree(right) && namesIn(right).length === 0 ? numberOf(right) : undefined;
        if (power !== undefined) return { log: power * first.log, times: first.times.map((t) => t * power) };
        if (isFree(right)) equal(first, plain(0));
        else equal(second, plain(0));
        // x^n + k^n, as if n were 1: k has the size of x.
        return isFree(right) ? plain(0) : first;
      }
      default:
        equal(first, plain(0));
        return plain(0);
    }
  };

  /** A column beside a bare parameter, between which a minus sign stands. */
  const located = (column: FormulaNode, parameter: FormulaNode): boolean => {
    if (!isParameter(parameter) || !isFree(column) || namesIn(column).length === 0) return false;
    const { name } = parameter as { readonly name: string };
    known[name] = { size: sizeOfValues(column), kind: "location", range: rangeOf(valuesOf(column)) };
    return true;
  };
  const noteAngle = (node: FormulaNode): void => {
    if (isParameter(node)) note((node as { readonly name: string }).name, "phase");
    else if (node.kind === "call" && ["+", "-", "negative"].includes(node.operation)) node.operands.forEach(noteAngle);
    else if (node.kind === "call" && node.operation === "*") {
      for (const name of namesIn(node)) if (parameters.includes(name)) note(name, "rate");
    }
  };
  const kinds: Record<string, NaturalScale["kind"]> = {};
  const note = (name: string, kind: NaturalScale["kind"]) => {
    kinds[name] ??= kind;
  };
  const valuesOf = (node: FormulaNode): ArrayLike<number> => {
    const found = formulaValue({ text: "", root: node, names: namesIn(node) }, columns);
    const values = typeof found === "number" ? [found] : (found.data() as Float64Array);
    const row = Array.from(values).findIndex((value) => !Number.isFinite(value));
    if (row < 0) return values;
    const given = [...new Set(namesIn(node))].map((name) => `${name} = ${columns[name].data()[row]}`).join(", ");
    throw new ValueError(
      `the formula is ${values[row]} in row ${row + 1}${given && `, where ${given}`}, whatever is fitted; leave the row out, or mend the formula`,
    );
  };
  const numberOf = (node: FormulaNode): number => Number(valuesOf(node)[0]);
  const sizeOfValues = (node: FormulaNode): number => spreadOf(valuesOf(node));

  equal(sizeOf(formula.root), plain(Math.log(spreadOf(target.data()))));
  const logs = solved(equations, parameters.length);
  return Object.fromEntries(
    parameters.map((name, i) => [name, known[name] ?? { size: Math.exp(logs[i]), kind: kinds[name] ?? "scale" }]),
  );
}

/** The smallest and the largest of the finite values. */
export function rangeOf(values: ArrayLike<number>): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return [low, high];
}

/** Distance of the largest to the smallest of the finite values; of equal ones their size, or 1. */
export function spreadOf(values: ArrayLike<number>): number {
  const [low, high] = rangeOf(values);
  const spread = high - low;
  if (spread > 0 && spread < Infinity) return spread;
  const size = Math.abs(high);
  return size > 0 && size < Infinity ? size : 1;
}

function namesIn(node: FormulaNode): string[] {
  if (node.kind === "name") return [node.name];
  return node.kind === "number" ? [] : node.operands.flatMap(namesIn);
}

/** Logarithms for which equations hold as well as they can. */
function solved(equations: readonly (Size & { readonly weight: number })[], n: number): Float64Array {
  if (n === 0) return new Float64Array(0);
  const matrix = Array.from({ length: n }, (_, i) =>
    Array.from(
      { length: n },
      (_, j) =>
        (i === j ? RIDGE : 0) + equations.reduce((sum, { times, weight }) => sum + weight * times[i] * times[j], 0),
    ),
  );
  const right = matrix.map((_, i) =>
    equations.reduce((sum, { times, log, weight }) => sum - weight * times[i] * log, 0),
  );
  const found: Tensor = linalg.solve(tensor(matrix, { dtype: "float64" }), tensor(right, { dtype: "float64" }));
  return Float64Array.from(found.data());
}
