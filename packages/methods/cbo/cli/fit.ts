import { mul } from "@offprint/tensor-core";
import { type CboOptions, cbo, type SwarmResult } from "../src/index.js";
import { byName, type Curve, linearParameters, projected } from "./curve.js";
import { naturalScales, spreadOf } from "./natural-scales.js";
import { type Polished, polish } from "./polish.js";
import { type Bounds, isEven, regionOf } from "./search-region.js";

/** What is searched for, and where. */
export interface Search {
  /** Parameters that the swarm searches for. */
  readonly searched: readonly string[];
  /** Parameters that least squares find for every particle. */
  readonly solved: readonly string[];
  /** Minimises over the searched parameters. */
  run(options: CboOptions): Promise<SwarmResult>;
  /** The curve of the least squares near a point of the swarm, or of none where nothing is searched for. */
  finish(x?: SwarmResult["best"]["x"]): Promise<Polished>;
  /** Of the weighted target, by the square of which sums of squares are divided. */
  readonly unit: number;
  /** Natural sizes of the parameters by name. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** Plans the search for the parameters of a curve. */
export function searchOf(curve: Curve, bounds: Readonly<Record<string, Bounds>>): Search {
  const { parameters, target } = curve;
  const rows = target.shape[0] as number;
  const unit = spreadOf(mul(target, curve.weights).data());
  const scales = naturalScales(curve);
  const solved = linearParameters(
    curve,
    parameters.filter((name) => bounds[name] === undefined),
  );
  const sizes = Object.fromEntries(parameters.map((name) => [name, scales[name].size]));
  const searched = parameters.filter((name) => !solved.includes(name));
  const regions = searched.map((name) =>
    regionOf(
      scales[name],
      bounds[name] ?? [-Infinity, Infinity],
      scales[name].kind === "scale" && isEven(curve, name, scales),
      rows,
    ),
  );
  const valuesAt = (particles: Parameters<typeof byName>[1]) => {
    const each = byName(searched, particles);
    return Object.fromEntries(searched.map((name, i) => [name, regions[i].value(each[name])]));
  };
  return {
    searched,
    solved,
    unit,
    sizes,
    run: (options) =>
      cbo(
        {
          objective: (particles) => projected(curve, solved, valuesAt(particles), particles.shape[0], unit).squares,
          bounds: regions.map(({ interval }) => interval as [number, number]),
        },
        options,
      ),
    finish(x) {
      const others = x === undefined ? {} : valuesAt(x.reshape([1, -1]));
      const { values } = projected(curve, solved, others, 1, unit);
      const start = Object.fromEntries([
        ...Object.entries(others).map(([name, value]) => [name, value.item()]),
        ...solved.map((name, i) => [name, Number(values.data()[i])]),
      ]);
      return polish(curve, start, bounds, sizes, unit);
    },
  };
}
