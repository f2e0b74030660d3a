import { eye, jvp, linalg, mul, type Tensor, tensor, vmap } from "@offprint/tensor-core";
import { byName, type Curve, curveValues } from "./curve.js";

/** What the data say of the errors of parameters. */
export interface Uncertainty {
  /** By name; NaN where it cannot be known. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Correlation of the errors of two parameters; NaN where it cannot be known. */
  correlation(one: string, other: string): number;
  /** Groups of parameters that can be changed together while the curve stays as it is. */
  readonly undetermined: readonly (readonly string[])[];
}

/** Singular values below this part of the largest count as 0. */
const RANK = 1e-9;
/** Part of the target's size below which the change of a curve is none. */
const FELT = 1e-12;
/** Part of a direction below which a parameter has none in it. */
const PART = 1e-5;

/**
 * Standard errors by the slopes of the curve where squares are least, as those of a formula that is linear near there.
 * @param free Parameters that do not stand at a bound.
 * @param variance Of the weighted target around the curve; NaN where there are no more rows than parameters.
 * @param sizes Of the parameters: what changes by such a change of one tells whether it is felt at all.
 */
export function uncertaintyOf(
  curve: Curve,
  values: Readonly<Record<string, number>>,
  free: readonly string[],
  variance: number,
  sizes: Readonly<Record<string, number>>,
): Uncertainty {
  const slopes = slopesOf(curve, values, free);
  const lengths = new Map(free.map((name, i) => [name, lengthOf(slopes[i])]));
  const least = FELT * lengthOf(mul(curve.target, curve.weights).data());
  const idle = free.filter((name) => Number(lengths.get(name)) * sizes[name] <= least);
  const felt = free.filter((name) => !idle.includes(name));
  const undetermined: string[][] = idle.map((name) => [name]);
  const covariance = felt.map(() => felt.map(() => Number.NaN));
  if (felt.length > 0 && felt.every((name) => Number.isFinite(lengths.get(name)))) {
    const columns = felt.map((name) => slopes[free.indexOf(name)].map((slope) => slope / Number(lengths.get(name))));
    const { s, vt } = linalg.svd(linalg.qr(tensor(columns, { dtype: "float64" }).transpose()).r);
    const [singular, directions] = [s.data(), vt.toArray() as number[][]];
    const smallest = RANK * singular[0];
    const flat = directions.filter((_, k) => singular[k] <= smallest);
    undetermined.push(...groupsOf(felt, flat));
    felt.forEach((one, i) => {
      felt.forEach((other, j) => {
        const within = directions.reduce(
          (sum, direction, k) =>
            singular[k] > smallest ? sum + (direction[i] * direction[j]) / singular[k] ** 2 : sum,
          0,
        );
        covariance[i][j] = (within / Number(lengths.get(one)) / Number(lengths.get(other))) * variance;
      });
    });
  }
  const lost = new Set(undetermined.flat());
  const between = (one: string, other: string) =>
    lost.has(one) || lost.has(other)
      ? Number.NaN
      : (covariance[felt.indexOf(one)]?.[felt.indexOf(other)] ?? Number.NaN);
  return {
    standardErrors: Object.fromEntries(free.map((name) => [name, Math.sqrt(between(name, name))])),
    correlation: (one, other) => between(one, other) / Math.sqrt(between(one, one)) / Math.sqrt(between(other, other)),
    undetermined,
  };
}

function lengthOf(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] ** 2;
  return Math.sqrt(squares);
}

/** The curve's slope along each parameter: a list of `rows` numbers each. */
function slopesOf(curve: Curve, values: Readonly<Record<string, number>>, free: readonly string[]): number[][] {
  if (free.length === 0) return [];
  const at = tensor(
    free.map((name) => values[name]),
    { dtype: "float64" },
  );
  const f = (p: Tensor) => mul(curveValues(curve, { ...values, ...byName(free, p) }), curve.weights);
  return vmap((v: Tensor) => jvp(f, [at], [v])[1] as Tensor)(
    eye(free.length, free.length, "float64"),
  ).toArray() as number[][];
}

/** Names that stand in one direction, or in directions that share a name. */
function groupsOf(names: readonly string[], directions: readonly (readonly number[])[]): string[][] {
  const groups: Set<string>[] = [];
  for (const direction of directions) {
    const own = new Set(names.filter((_, i) => Math.abs(direction[i]) > PART));
    for (const group of groups.filter((each) => [...own].some((name) => each.has(name)))) {
      for (const name of group) own.add(name);
      groups.splice(groups.indexOf(group), 1);
    }
    groups.push(own);
  }
  return groups.map((group) => [...group]);
}
