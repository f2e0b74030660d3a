import { checkOptions, requireChoice, requireInteger, ValueError } from "@offprint/tensor-core";

/** What an experiment can be varied in. */
export type Variable =
  | {
      /** Its name, in tables. */
      readonly name?: string;
      /** A number of a range. */
      readonly kind: "real";
      readonly lower: number;
      readonly upper: number;
      /** `"log"` searches evenly in the logarithm; positive ranges only. Default `"linear"`. */
      readonly scale?: "linear" | "log";
    }
  | { readonly name?: string; readonly kind: "integer"; readonly lower: number; readonly upper: number }
  | {
      readonly name?: string;
      /** One of some words or numbers without order. */
      readonly kind: "choice";
      readonly values: readonly (string | number)[];
    };

/** A trial's settings, one for each variable. */
export type Settings = readonly (string | number)[];

/** Settings as points of the unit cube, in which models live. */
export interface SearchSpace {
  /** What can be varied. */
  readonly variables: readonly Variable[];
  /** d, coordinates of the cube: one for a number, one for each value of a choice. */
  readonly dimension: number;
  /** Names of the variables. */
  readonly names: readonly string[];
  /** The point of settings. @throws ValueError for settings outside. */
  readonly encode: (owner: string, settings: Settings) => number[];
  /** The settings nearest to a point. */
  readonly decode: (point: ArrayLike<number>) => (string | number)[];
}

/** @internal */
export function searchSpace(owner: string, variables: readonly Variable[]): SearchSpace {
  if (!Array.isArray(variables) || variables.length === 0) {
    throw new ValueError(`${owner}: space must be one variable or more, such as { kind: "real", lower: 0, upper: 1 }`);
  }
  const names = variables.map((variable, j) => variable?.name ?? `x${j + 1}`);
  if (new Set(names).size < names.length) throw new ValueError(`${owner}: two variables are called the same: ${names}`);
  variables.forEach((variable, j) => {
    checkVariable(owner, names[j], variable);
  });
  const widths = variables.map((variable) => (variable.kind === "choice" ? variable.values.length : 1));
  return {
    variables,
    names,
    dimension: widths.reduce((sum, width) => sum + width, 0),
    encode(caller, settings) {
      if (settings?.length !== variables.length) {
        throw new ValueError(
          `${caller}: a trial has ${settings?.length} settings; there are ${variables.length} variables`,
        );
      }
      return variables.flatMap((variable, j) => encoded(caller, names[j], variable, settings[j]));
    },
    decode(point) {
      let from = 0;
      return variables.map((variable, j) => {
        const part = Array.from({ length: widths[j] }, (_, k) => point[from + k]);
        from += widths[j];
        return decoded(variable, part);
      });
    },
  };
}

const fields = {
  real: ["name", "kind", "lower", "upper", "scale"],
  integer: ["name", "kind", "lower", "upper"],
  choice: ["name", "kind", "values"],
} as const;

function checkVariable(owner: string, name: string, variable: Variable): void {
  const kind = variable?.kind;
  if (kind !== "real" && kind !== "integer" && kind !== "choice") {
    throw new ValueError(`${owner}: ${name}.kind is ${String(kind)}; it must be "real", "integer" or "choice"`);
  }
  checkOptions(`${owner}: ${name}`, variable, fields[kind]);
  if (variable.kind === "choice") {
    const { values } = variable;
    if (Array.isArray(values) && values.length > 1 && new Set(values).size === values.length) return;
    throw new ValueError(`${owner}: ${name}.values must be two or more, and different; they are ${String(values)}`);
  }
  const { lower, upper } = variable;
  if (!(typeof lower === "number" && typeof upper === "number" && lower < upper && Number.isFinite(upper - lower))) {
    throw new ValueError(
      `${owner}: ${name} has bounds [${JSON.stringify(lower)}, ${JSON.stringify(upper)}]; give finite numbers lower < upper`,
    );
  }
  if (variable.kind === "integer") {
    requireInteger(owner, `${name}.lower`, lower, -Infinity);
    requireInteger(owner, `${name}.upper`, upper, -Infinity);
    return;
  }
  requireChoice(owner, `${name}.scale`, variable.scale, ["linear", "log"]);
  if (variable.scale === "log" && lower <= 0) {
    throw new ValueError(`${owner}: ${name} is searched in its logarithm; its lower bound must be > 0, it is ${lower}`);
  }
}

function encoded(owner: string, name: string, variable: Variable, value: string | number): number[] {
  if (variable.kind === "choice") {
    const at = variable.values.indexOf(value);
    if (at >= 0) return variable.values.map((_, k) => (k === at ? 1 : 0));
    throw new ValueError(`${owner}: ${name} is ${value}; it must be one of ${variable.values.join(", ")}`);
  }
  const { lower, upper } = variable;
  if (typeof value !== "number" || !(value >= lower && value <= upper)) {
    throw new ValueError(`${owner}: ${name} is ${value}; it must be a number in [${lower}, ${upper}]`);
  }
  if (variable.kind === "integer") {
    requireInteger(owner, name, value, lower);
    return [(value - lower + 0.5) / (upper - lower + 1)];
  }
  if (variable.scale === "log") return [Math.log(value / lower) / Math.log(upper / lower)];
  return [(value - lower) / (upper - lower)];
}

function decoded(variable: Variable, part: readonly number[]): string | number {
  if (variable.kind === "choice") return variable.values[part.indexOf(Math.max(...part))];
  const { lower, upper } = variable;
  const u = Math.min(1, Math.max(0, part[0]));
  if (variable.kind === "integer") return lower + Math.min(upper - lower, Math.floor(u * (upper - lower + 1)));
  if (variable.scale === "log") return Math.min(upper, lower * (upper / lower) ** u);
  return Math.min(upper, lower + u * (upper - lower));
}
