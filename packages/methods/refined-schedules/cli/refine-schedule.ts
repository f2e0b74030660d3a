import { defineCommand, option } from "@offprint/commands";
import { readCsv, Table, writeCsv } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { GradientNormRecorder, refineSchedule } from "../src/index.js";

/** Where the printed schedule is read off, in percent of the run. */
const PERCENTAGES = [0, 1, 5, 10, 25, 50, 75, 90];

/** `offprint refine-schedule --table norms.csv --output multipliers.csv` */
export const refineScheduleCommand = defineCommand({
  name: "refine-schedule",
  summary: "Compute a learning-rate schedule from recorded gradient norms",
  options: {
    table: option.fileIn("CSV: columns l2 and l1, or the norms in the second column", { required: true, short: "t" }),
    norm: option.choice(["l1", "l2"], "l2 for SGD, l1 for Adam and its kin", { default: "l2" }),
    power: option.number("weights are norm^-power; 2 for l2 and 1 for l1 unless given"),
    tau: option.number("width of the running median, as a part of the run", { default: 0.1 }),
    floor: option.number("least smoothed norm, as a part of their median"),
    steps: option.integer("steps of the run to come; as many as recorded unless given", { least: 1 }),
    dropEdge: option.integer("entries to leave out at either end", { least: 0 }),
    output: option.fileOut("file for the multipliers (CSV): step,multiplier", { short: "o" }),
  },
  async run({ options, print, report, note, write }) {
    const { norm, power, tau, floor, steps: length, dropEdge } = options;
    const { recorder, rows } = await loadFile(options.table, (bytes) => ({
      recorder: GradientNormRecorder.fromCSV(bytes),
      rows: readCsv(bytes).rows,
    }));
    const schedule = refineSchedule(norm === "l1" ? recorder.l1() : recorder.l2(), {
      norm,
      dropNonFinite: true,
      tau,
      ...(power !== undefined && { power }),
      ...(floor !== undefined && { floor }),
      ...(length !== undefined && { length }),
      ...(dropEdge !== undefined && { dropEdge }),
    });
    const { multipliers, peakIndex, bound, linearBound, learningRateRatio, warnings } = schedule;
    const steps = multipliers.length;
    print(`${recorder.length} norms, a schedule of ${steps} steps`);
    for (const percent of PERCENTAGES) {
      const value = multipliers[Math.min(steps - 1, Math.floor((percent / 100) * steps))]!;
      print(`${`${percent} %`.padStart(6)}  ${value.toFixed(4)}  ${"#".repeat(Math.round(40 * value))}`);
    }
    report([
      ["peak", `at ${((100 * peakIndex) / steps).toFixed(1)} %`],
      ["guarantee over that of linear decay", (bound / linearBound).toFixed(3)],
      ["begin tuning the peak learning rate at", `${learningRateRatio.toFixed(2)} times the one of linear decay`],
    ]);
    if (length === undefined && dropEdge === undefined && steps < rows) {
      note(`${rows - steps} of ${rows} rows have no finite norm and were left out: give --steps for a run as long.`);
    }
    for (const warning of warnings) note(`Warning: ${warning}.`);
    if (options.output === undefined) note("--output <file> writes the multipliers.");
    const column = (name: string, values: Float64Array) => ({ name, type: "number" as const, values });
    const stepNumbers = Float64Array.from({ length: steps }, (_, t) => t);
    const table = new Table([column("step", stepNumbers), column("multiplier", multipliers)]);
    await write(options.output, writeCsv(table));
  },
});
