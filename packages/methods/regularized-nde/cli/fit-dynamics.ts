import { linePlot } from "@offprint/claims";
import { defineCommand, Failure, option, seedOption, stateOptions } from "@offprint/commands";
import { readCsv, writeSafetensors } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { integrate } from "@offprint/ode";
import { adam, type TrainingRecord, type TrainingState } from "@offprint/optim";
import {
  add,
  div,
  floor,
  matmul,
  mean,
  type Rng,
  random,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { fitOde } from "../src/index.js";

/** A network of one hidden layer. */
interface Network {
  readonly w1: Tensor;
  readonly b1: Tensor;
  readonly w2: Tensor;
  readonly b2: Tensor;
}

const rate = (_t: Tensor, z: Tensor, { w1, b1, w2, b2 }: Network) => add(matmul(tanh(add(matmul(z, w1), b1)), w2), b2);

function draw(rng: Rng, size: number, hidden: number): Network {
  const layer = (rows: number, columns: number) =>
    div(rng.normal([rows, columns], { dtype: "float64" }), Math.sqrt(rows));
  return {
    w1: layer(size, hidden),
    b1: zeros([hidden], "float64"),
    w2: layer(hidden, size),
    b2: zeros([size], "float64"),
  };
}

/** Times, and what was seen then: columns of a table, scaled. */
interface Series {
  readonly names: readonly string[];
  readonly times: readonly number[];
  readonly values: Tensor;
  readonly centre: Tensor;
  readonly scale: Tensor;
}

async function readSeries(path: string, timeColumn: string | undefined, chosen: readonly string[]): Promise<Series> {
  const table = await loadFile(path, (bytes) => readCsv(bytes));
  const [first] = table.columns;
  const time = timeColumn ?? first?.name;
  const column = (name: string | undefined) => {
    const found = table.columns.find((each) => each.name === name);
    if (found === undefined)
      throw new Failure(
        `${path}: there is no column "${name}"; there are ${table.columns.map((c) => c.name).join(", ")}`,
      );
    if (found.type === "number") {
      const row = found.values.findIndex((value) => !Number.isFinite(value));
      if (row >= 0) {
        throw new Failure(
          `${path}: column "${name}" has no finite value in row ${row + 1}; fill it, or leave the row out`,
        );
      }
    }
    if (found.type === "text") throw new Failure(`${path}: column "${name}" holds texts; dynamics are of numbers`);
    return Array.from(found.values as ArrayLike<number>);
  };
  const times = column(time);
  const names = chosen.length > 0 ? [...chosen] : table.columns.map((c) => c.name).filter((name) => name !== time);
  if (times.length < 4) throw new Failure(`${path}: ${times.length} rows; give at least 4`);
  const late = times.findIndex((t, i) => i > 0 && t <= (times[i - 1] as number));
  if (late > 0) {
    throw new Failure(
      `${path}: times of column "${time}" must grow from row to row, row ${late + 1} does not; sort the table, or name the times' column with --time`,
    );
  }
  const raw = tensor(names.map(column), { dtype: "float64" }).transpose();
  const centre = mean(raw, 0);
  const deviation = raw.std({ axis: 0 });
  const scale = deviation.maximum(1e-12);
  return { names, times, values: div(sub(raw, centre), scale), centre, scale };
}

/** `offprint fit-dynamics --table series.csv --output model.safetensors --plot fit.svg` */
export const fitDynamics = defineCommand({
  name: "fit-dynamics",
  summary: "Learn the dynamics of time series in a table as a neural ODE that is fast to solve, with a plot",
  options: {
    table: option.fileIn("table of the series: a column of times, and one for each quantity (CSV)", {
      required: true,
      short: "t",
    }),
    time: option.text("column of times; default the first"),
    columns: option.list(option.text("columns to learn"), { default: [] }),
    hidden: option.integer("width of the network", { default: 32, least: 1 }),
    epochs: option.integer("steps of training", { default: 1000, least: 1 }),
    learningRate: option.number("step of Adam", { default: 0.01, above: 0 }),
    lambda: option.number("weight of the solver's error estimates, falling to a tenth", { default: 0.1, least: 0 }),
    tolerance: option.number("tolerance of the solver", { default: 1e-5, above: 0, below: 1 }),
    stretch: option.integer("rows that are solved in one go; 0 for all", { default: 10, least: 0 }),
    ...seedOption,
    output: option.fileOut("file for the network (safetensors)", { short: "o" }),
    plot: option.fileOut("file for a picture of series and fit (SVG)", { endings: [".svg"] }),
    ...stateOptions,
  },
  async run({ options, print, report, write, longRun }) {
    const { epochs, tolerance, seed, lambda } = options;
    const { names, times, values, centre, scale } = await readSeries(options.table, options.time, options.columns);
    const unit = (times.at(-1) as number) - (times[0] as number);
    const scaled = times.map((t) => (t - (times[0] as number)) / unit);
    print(`${times.length} rows, ${names.length} series: ${names.join(", ")}`);
    // Stretches begin at rows and are as long as the longest among them: all are solved as one batch, in a time of its own.
    const length = options.stretch === 0 ? times.length - 1 : Math.min(options.stretch, times.length - 1);
    const starts = Array.from({ length: Math.max(1, Math.floor((times.length - 1) / length)) }, (_, i) => i * length);
    const steps = Array.from({ length }, (_, k) =>
      starts.map((s) => (scaled[s + k + 1] as number) - (scaled[s + k] as number)),
    );
    const rows = (offset: number) => values.take(tensor(Int32Array.from(starts, (s) => s + offset)), 0);
    const initial = rows(0);
    const targets = Array.from({ length }, (_, k) => rows(k + 1));
    // In the time s, k to k + 1 between rows, every stretch runs at its own speed.
    const speeds = tensor(steps, { dtype: "float64" });
    const saveAt = Array.from({ length }, (_, k) => k + 1);
    const run = await longRun<TrainingRecord, TrainingState<Network>>({
      progress: ({ step, loss }) => ({ fraction: step / epochs, label: `step ${step}, loss ${loss.toPrecision(4)}` }),
    });
    const result = await fitOde(
      {
        rate: (t: Tensor, z: Tensor, network: Network) => {
          const speed = speeds.take(
            floor(t)
              .clip(0, length - 1)
              .cast("int32"),
            0,
          );
          return rate(t, z, network).mul(speed.reshape([starts.length, 1]));
        },
        initial: () => initial,
        loss: (_: Network, { ys }: { ys: Tensor }) =>
          targets
            .map((y, k) => mean(square(sub(ys.slice([k]), y))))
            .reduce((a, b) => add(a, b))
            .div(length),
      },
      draw(random.rng(seed), names.length, options.hidden),
      () => [tensor([0], { dtype: "float64" })],
      {
        span: [0, length],
        saveAt,
        tolerance,
        lambda: [lambda, lambda / 10],
        epochs,
        seed,
        maxSteps: 64 * (length + 1),
        optimizer: adam({ learningRate: options.learningRate }),
        ...run.options,
      },
    );
    await run.settle(result);
    const { params, history } = result;
    const whole = integrate(rate, values.slice([{ stop: 1 }]), [0, 1], {
      parameters: params,
      saveAt: scaled,
      relativeTolerance: tolerance,
      absoluteTolerance: tolerance,
      maxSteps: 4096,
      adjoint: "none",
    });
    const fitted = add(whole.ys.reshape([times.length, names.length]).mul(scale), centre);
    const seen = add(values.mul(scale), centre);
    report([
      ["loss", `${history[0]?.loss.toPrecision(4)} -> ${history.at(-1)?.loss.toPrecision(4)}`],
      ["evaluations for the whole series", whole.evaluations.item()],
      ["root mean square error from the first row on", Math.sqrt(mean(square(sub(fitted, seen))).item())],
    ]);
    const column = (x: Tensor, i: number) => Array.from(x.slice([null, i]).data());
    const svg = linePlot({
      kind: "line",
      title: "Series and fitted dynamics",
      x: { label: options.time ?? "time" },
      y: { label: "value" },
      curves: names.flatMap((name, i) => [
        { name, x: times, y: column(seen, i), style: "points" as const },
        { name: `${name}, fitted`, x: times, y: column(fitted, i) },
      ]),
    });
    await write(options.plot, svg);
    await write(
      options.output,
      writeSafetensors({ ...params, centre, scale, span: tensor([times[0] as number, unit], { dtype: "float64" }) }),
    );
  },
});
