import { linePlot } from "@offprint/claims";
import { formulaWith } from "@offprint/commands";
import { Table } from "@offprint/data";
import { tensor } from "@offprint/tensor-core";
import type { SwarmResult } from "../src/index.js";
import { type Curve, curveValues } from "./curve.js";
import type { Outcome } from "./fit-outcome.js";
import { rangeOf } from "./natural-scales.js";
import type { Polished } from "./polish.js";

/** What the files tell. */
export interface Found {
  readonly curve: Curve;
  readonly target: string;
  readonly found: Polished;
  readonly fit: Outcome;
  readonly swarm: SwarmResult | undefined;
}

/** What is known of the parameters, for JSON. */
export function factsOf({ curve, target, found, fit, swarm }: Found) {
  const known = (value: number) => (Number.isFinite(value) ? value : null);
  const { values, atBound } = found;
  const parameters = Object.fromEntries(
    curve.parameters.map((name) => [
      name,
      {
        value: values[name],
        standardError: known(fit.standardErrors[name]),
        ...(atBound.includes(name) && { atBound: true }),
      },
    ]),
  );
  return {
    formula: curve.formula.text,
    target,
    ...{ parameters, fitted: formulaWith(curve.formula, values), undetermined: fit.undetermined },
    correlations: curve.parameters.map((one) => curve.parameters.map((other) => known(fit.correlation(one, other)))),
    ...{ rows: curve.target.size, squares: fit.squares, deviation: known(fit.deviation), r2: known(fit.r2) },
    ...(swarm !== undefined && {
      search: { status: swarm.status, evaluations: swarm.evaluations },
    }),
  };
}

/** The columns of the formula, the target, the curve and what is left. */
export function tableOf({ curve, target, fit }: Found): Table {
  const number = (name: string, numbers: ArrayLike<number>) => ({
    name,
    type: "number" as const,
    values: Float64Array.from(numbers),
  });
  const [y, fitted] = [curve.target.data() as Float64Array, fit.fitted.data() as Float64Array];
  return new Table([
    ...Object.entries(curve.columns).map(([name, values]) => number(name, values.data())),
    number(target, y),
    number(`${target} fitted`, fitted),
    number(
      "residual",
      y.map((v, i) => v - fitted[i]),
    ),
  ]);
}

const SMOOTH = 400;

/** The curve over its column; of several columns what was measured over what was fitted. */
export function picture({ curve, target, found: { values }, fit }: Found): string {
  const [[name, column], ...others] = Object.entries(curve.columns);
  const [y, fitted]: number[][] = [curve.target, fit.fitted].map((each) => Array.from(each.data()));
  const common = { kind: "line" as const, title: curve.formula.text };
  if (others.length > 0) {
    const ends = [...rangeOf(y)];
    return linePlot({
      ...common,
      x: { label: `${target}, fitted` },
      y: { label: target },
      curves: [
        { name: "rows", x: fitted, y, style: "points" },
        { name: "equal", x: ends, y: ends },
      ],
    });
  }
  const x: number[] = Array.from(column.data());
  const [low, high] = rangeOf(x);
  const grid = Float64Array.from({ length: SMOOTH }, (_, i) => low + ((high - low) * i) / (SMOOTH - 1));
  const across = tensor(grid, { dtype: "float64" });
  const smooth = curveValues({ ...curve, columns: { [name]: across }, target: across }, values);
  return linePlot({
    ...common,
    x: { label: name },
    y: { label: target },
    curves: [
      { name: target, x, y, style: "points" },
      { name: "fitted", x: Array.from(grid), y: Array.from(smooth.data()) },
    ],
  });
}
