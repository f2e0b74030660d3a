import { readFileSync } from "node:fs";
import type { MethodCommand } from "@offprint/claims";
import { Table, writeCsv } from "@offprint/data";
import { saveFile } from "@offprint/data/node";
import { FormatError, ValueError } from "@offprint/tensor-core";
import { GradientNormRecorder, type RefineOptions, refineSchedule } from "../src/index.js";

/** Where the printed schedule is read off, in percent of the run. */
const PERCENTAGES = [0, 1, 5, 10, 25, 50, 75, 90];

function readNormFile(path: string): GradientNormRecorder {
  let content: Uint8Array;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw new FormatError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`);
  }
  try {
    return GradientNormRecorder.fromCSV(content);
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

function optionsOf(given: Readonly<Record<string, boolean | number | string | undefined>>): RefineOptions {
  const { norm } = given;
  if (norm !== "l1" && norm !== "l2") throw new ValueError(`--norm is ${String(norm)}; it must be l1 or l2`);
  const numbers = { tau: given["tau"], power: given["power"], floor: given["floor"], length: given["steps"] };
  const set = Object.entries({ ...numbers, dropEdge: given["drop-edge"] }).filter(([, value]) => value !== undefined);
  return { norm, dropNonFinite: true, ...Object.fromEntries(set) };
}

const refine: MethodCommand = {
  name: "refine-schedule",
  summary: "compute a learning-rate schedule from recorded gradient norms",
  arguments: [{ name: "norms", description: "CSV: columns l2 and l1, or the norms in the second column" }],
  options: [
    { name: "norm", description: "l2 for SGD, l1 for Adam and its kin", type: "string", default: "l2" },
    { name: "power", description: "weights are norm^-power; 2 for l2 and 1 for l1 unless given", type: "number" },
    { name: "tau", description: "width of the running median, as a part of the run", type: "number", default: 0.1 },
    { name: "floor", description: "least smoothed norm, as a part of their median", type: "number" },
    { name: "steps", description: "steps of the run to come; as many as recorded unless given", type: "number" },
    { name: "drop-edge", description: "entries to leave out at either end", type: "number" },
    { name: "out", description: "CSV file for the multipliers: step,multiplier", type: "string" },
  ],
  async run({ arguments: given, options, print }) {
    const chosen = optionsOf(options);
    const recorder = readNormFile(given["norms"] as string);
    const norms = chosen.norm === "l1" ? recorder.l1() : recorder.l2();
    const schedule = refineSchedule(norms, chosen);
    const { multipliers, peakIndex, bound, linearBound, learningRateRatio, warnings } = schedule;
    const steps = multipliers.length;
    print(`${recorder.length} norms, a schedule of ${steps} steps`);
    for (const percent of PERCENTAGES) {
      const value = multipliers[Math.min(steps - 1, Math.floor((percent / 100) * steps))];
      print(`${`${percent} %`.padStart(6)}  ${value.toFixed(4)}  ${"#".repeat(Math.round(40 * value))}`);
    }
    print(`peak at ${((100 * peakIndex) / steps).toFixed(1)} %`);
    print(`guarantee over that of linear decay: ${(bound / linearBound).toFixed(3)}`);
    print(`begin tuning the peak learning rate at ${learningRateRatio.toFixed(2)} times the one of linear decay`);
    for (const warning of warnings) print(`Warning: ${warning}.`);
    const out = options["out"] as string | undefined;
    if (out === undefined) return print("--out <file> writes the multipliers.");
    const column = (name: string, values: Float64Array) => ({ name, type: "number" as const, values });
    const stepNumbers = Float64Array.from({ length: steps }, (_, t) => t);
    await saveFile(out, writeCsv(new Table([column("step", stepNumbers), column("multiplier", multipliers)])));
    print(`written: ${out}`);
  },
};

/** The command that this package adds to `offprint`. */
export const commands: readonly MethodCommand[] = [refine];
