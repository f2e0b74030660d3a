import { defineCommand, Failure, option, seedOption } from "@offprint/commands";
import { writeCsv } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { loadLatentOde } from "@offprint/ode/latent";
import {
  FormatError,
  NonFiniteError,
  random,
  requireFinite,
  stack,
  type Tensor,
  tensor,
  tree,
  variance,
} from "@offprint/tensor-core";
import type { SeriesDescription } from "./fit-series.js";
import { readSeries, scalingOf, seriesOptions, seriesTable } from "./series-file.js";

/** Steps of the solver at most. */
const MOST_STEPS = 4096;

/** `offprint predict-series --model model.safetensors --table patients.csv --id patient --times 0,12,72 --output filled.csv` */
export const predictSeries = defineCommand({
  name: "predict-series",
  summary: "Fill gaps of irregular series, and look ahead, by a model of fit-series",
  options: {
    model: option.fileIn("file that fit-series wrote", { required: true, short: "m" }),
    ...seriesOptions,
    times: option.list(
      option.number("times to predict at, later ones than were seen among them; default all of the table"),
      { distinct: true },
    ),
    draws: option.integer("draws of the first state, two or more, from which each number gets a standard deviation", {
      default: 0,
      least: 0,
    }),
    tolerance: option.number("tolerance of the solver", { default: 1e-5, least: 1e-14, below: 1 }),
    ...seedOption,
    output: option.fileOut("file for the predictions (CSV); default they are printed", {
      short: "o",
      endings: [".csv"],
    }),
  },
  async run({ options, print, report, write }) {
    const { draws, tolerance, seed } = options;
    if (draws === 1) throw new Failure("--draws is 1, which has no deviation; give 2 or more, or leave it out");
    const { latent, params, about, options: sizes } = await loadFile(options.model, loadLatentOde);
    for (const leaf of tree.leaves<Tensor>(params)) requireFinite(options.model, "a parameter", leaf);
    const { names, ranges, quantum } = described(options.model, about, sizes.features);
    const found = await readSeries({ ...options, names, quantum });
    const scaling = scalingOf(names, ranges);
    const shown = scaling.apply(found.series);
    const times =
      options.times === undefined ? Array.from(shown.times.data()) : [...options.times].sort((a, b) => a - b);
    const solve = latent.predictor({ tolerance, maxSteps: MOST_STEPS });
    const predict: typeof solve = (...given) => {
      try {
        return solve(...given);
      } catch (error) {
        if (!(error instanceof NonFiniteError)) throw error;
        const seen = [0, shown.times.size - 1].map((k) => shown.times.data()[k]).join(" to ");
        throw new Failure(
          `--times: the equation cannot be solved up to ${times.at(-1)} in ${MOST_STEPS} steps; the table has times from ${seen}: give times nearer to them, or a larger --tolerance`,
        );
      }
    };
    const { values, encoded, evaluations } = predict(params, shown, { times: tensor(times, { dtype: "float64" }) });
    const columns = [{ suffix: "", values: scaling.invert(values) }];
    if (draws > 0) columns.push({ suffix: " deviation", values: deviations() });
    const text = writeCsv(seriesTable(found, times, columns));
    if (options.output === undefined) return print(text.trimEnd());
    report([
      ["series", found.series.ids.length],
      ["times", times.length],
      ["evaluations of the equation", evaluations],
    ]);
    return write(options.output, text);

    /** Of what will be seen: of the first state, and of what is seen about the course that follows from it. */
    function deviations(): Tensor {
      const rng = random.rng(seed);
      const drawn = Array.from({ length: draws }, () => {
        const noise = rng.normal(encoded.mean.shape, { dtype: "float64" });
        return predict(params, shown, { times: tensor(times, { dtype: "float64" }), noise }).values;
      });
      const own = (sizes.deviation ?? 0.01) ** 2;
      return variance(stack(drawn), 0).add(own).sqrt().mul(scaling.maximum.sub(scaling.minimum));
    }
  },
});

/** What a file says of its series. @throws FormatError where it says nothing that fits its model. */
function described(path: string, about: object | null | undefined, features: number): SeriesDescription {
  const { names, ranges, quantum } = (about ?? {}) as Partial<SeriesDescription>;
  const numbers = (row: unknown) => Array.isArray(row) && row.length === features && row.every(Number.isFinite);
  const fits =
    Array.isArray(names) &&
    names.length === features &&
    names.every((name) => typeof name === "string") &&
    Array.isArray(ranges) &&
    ranges.length === 2 &&
    ranges.every(numbers) &&
    ranges[0].every((least: number, i: number) => least <= ranges[1][i]) &&
    (quantum === undefined || (Number.isFinite(quantum) && quantum > 0));
  if (!fits) throw new FormatError(`${path}: the file does not say what its quantities are; give one of fit-series`);
  return { names, ranges, ...(quantum !== undefined && { quantum }) };
}
