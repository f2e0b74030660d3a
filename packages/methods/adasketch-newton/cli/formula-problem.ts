import { Failure, type Formula, formulaValue, readFormula } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { asTensor, div, grad, isTensor, mul, slice, stack, sub, type Tensor, tensor } from "@offprint/tensor-core";
import type { EqualityProblem } from "../src/index.js";

/** A formula of named variables, equations between formulas, and where to begin. */
export interface FormulaProblem {
  readonly objective: Formula;
  readonly equations: readonly { readonly text: string; readonly left: Formula; readonly right: Formula }[];
  readonly names: readonly string[];
  readonly start: readonly number[];
}

/** Reads `{ "minimize": "x + y", "equations": ["x^2 + y^2 = 2"], "start": { "x": 1, "y": 0 } }`. */
export async function readProblem(path: string): Promise<FormulaProblem> {
  return loadFile(path, (bytes) => {
    let content: { minimize?: unknown; equations?: unknown; start?: unknown };
    try {
      content = JSON.parse(new TextDecoder().decode(bytes));
    } catch (error) {
      throw new Failure(`${path} is no JSON: ${error instanceof Error ? error.message : error}`);
    }
    const { minimize, equations, start, ...others } = content ?? {};
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw new Failure(`${path}: there is no "${unknown}"; give minimize, equations, start`);
    if (typeof minimize !== "string") throw new Failure(`${path}: "minimize" must be a formula, as a text`);
    if (!Array.isArray(equations) || equations.length === 0 || !equations.every((each) => typeof each === "string")) {
      throw new Failure(`${path}: "equations" must be a list of texts, such as ["x^2 + y^2 = 1"]`);
    }
    const entries = Object.entries(typeof start === "object" && start !== null ? start : {});
    if (entries.length === 0 || !entries.every(([, value]) => typeof value === "number")) {
      throw new Failure(`${path}: "start" must give a number for every variable, such as { "x": 1 }`);
    }
    return checked(path, {
      objective: readFormula(minimize),
      equations: equations.map(readEquation),
      names: entries.map(([name]) => name),
      start: entries.map(([, value]) => value as number),
    });
  });
}

function readEquation(text: string): FormulaProblem["equations"][number] {
  const [left, right, more] = text.split("=");
  if (left === undefined || right === undefined || more !== undefined) {
    throw new Failure(`"${text}" is no equation; write one = between two formulas`);
  }
  return { text, left: readFormula(left.trim()), right: readFormula(right.trim()) };
}

function checked(path: string, problem: FormulaProblem): FormulaProblem {
  const { objective, equations, names } = problem;
  const used = [objective, ...equations.flatMap(({ left, right }) => [left, right])].flatMap((each) => each.names);
  const missing = used.find((name) => !names.includes(name));
  if (missing !== undefined) throw new Failure(`${path}: "start" has no ${missing}; give a number for it`);
  const idle = names.find((name) => !used.includes(name));
  if (idle !== undefined) throw new Failure(`${path}: "start" has ${idle}, which is in no formula; leave it out`);
  const empty = equations.find(({ left, right }) => left.names.length + right.names.length === 0);
  if (empty !== undefined) throw new Failure(`${path}: there is no variable in "${empty.text}"`);
  if (equations.length > names.length) {
    throw new Failure(
      `${path}: ${equations.length} equations for ${names.length} variables; there can be no more equations than variables`,
    );
  }
  return problem;
}

/** The problem in variables, a formula and equations of size about 1 where it begins. */
export interface ScaledProblem {
  readonly problem: Required<EqualityProblem>;
  readonly start: Tensor;
  /** Scaled variables in the user's units. */
  variables(z: Tensor): number[];
  /** Multipliers of left - right in the user's units. */
  multipliers(scaled: Tensor): number[];
  /** What is minimised and left - right of each equation, in the user's units. */
  values(x: readonly number[]): { readonly objective: number; readonly differences: readonly number[] };
}

/** Scales variables by where they begin, the formula and each equation by their slopes there. */
export function scaledProblem(path: string, { objective, equations, names, start }: FormulaProblem): ScaledProblem {
  const units = start.map((value) => Math.abs(value) || 1);
  const valueOf = (formula: Formula, z: Tensor): Tensor => {
    const each = Object.fromEntries(names.map((name, j) => [name, mul(slice(z, [j]), units[j])]));
    const value = formulaValue(formula, each);
    return isTensor(value) ? value : asTensor(value, "float64");
  };
  const differences = equations.map(
    ({ left, right }) =>
      (z: Tensor) =>
        sub(valueOf(left, z), valueOf(right, z)),
  );
  const z0 = tensor(
    start.map((value, j) => value / units[j]),
    { dtype: "float64" },
  );
  const sizeOf = (f: (z: Tensor) => Tensor, text: string): number => {
    const [value, slopes] = [f(z0).item(), grad(f)(z0).data()];
    if (![value, ...slopes].every(Number.isFinite)) {
      throw new Failure(`${path}: "${text}" or its slope is not finite where "start" is; begin elsewhere`);
    }
    return Math.hypot(...slopes) || 1;
  };
  const ofObjective = sizeOf((z) => valueOf(objective, z), objective.text);
  const sizes = differences.map((f, i) => sizeOf(f, equations[i].text));
  return {
    problem: {
      objective: (z: Tensor) => div(valueOf(objective, z), ofObjective),
      constraints: (z: Tensor) => stack(differences.map((f, i) => div(f(z), sizes[i]))),
    },
    start: z0,
    variables: (z) => Array.from(z.data(), (value: number, j) => value * units[j]),
    multipliers: (scaled) => Array.from(scaled.data(), (value: number, i) => (value * ofObjective) / sizes[i]),
    values(x) {
      const given = Object.fromEntries(names.map((name, j) => [name, x[j]]));
      const plain = (formula: Formula) => Number(formulaValue(formula, given));
      return {
        objective: plain(objective),
        differences: equations.map(({ left, right }) => plain(left) - plain(right)),
      };
    },
  };
}
