import { readFile } from "node:fs/promises";
import { defineCommand, option } from "@offprint/commands";
import { readCsv, Table, writeCsv } from "@offprint/data";
import { FormatError } from "@offprint/tensor-core";
import { permeability, solvePoreNetwork } from "../src/index.js";

/** `offprint solve-pore-network --pores pores.csv --throats throats.csv --output pressures.csv` */
export const solvePoreNetworkCommand = defineCommand({
  name: "solve-pore-network",
  summary: "Solve a network of pores and throats for its pressures and its permeability",
  options: {
    pores: option.fileIn('table of pores (CSV) with a column "pressure", empty where it is sought', { required: true }),
    throats: option.fileIn('table of throats (CSV): "pore1", "pore2" (numbers from 0), "conductance"', {
      required: true,
    }),
    length: option.number("extent of the sample along the flow", { default: 1, above: 0 }),
    area: option.number("area of the sample across the flow", { default: 1, above: 0 }),
    viscosity: option.number("viscosity for which conductances were computed", { default: 1, above: 0 }),
    output: option.fileOut("file for the pressures (CSV)", { short: "o", endings: [".csv"] }),
  },
  async run({ options, report, write }) {
    const pores = await columns(options.pores, ["pressure"]);
    const throats = await columns(options.throats, ["pore1", "pore2", "conductance"]);
    const network = {
      pores: pores.pressure.length,
      held: pores.pressure,
      throats: Array.from(throats.pore1, (a, t) => [a, throats.pore2[t]] as const),
      conductances: throats.conductance,
    };
    const { pressures, inflow, outflow } = solvePoreNetwork(network);
    report([
      ["pores", network.pores],
      ["throats", network.throats.length],
      ["flow in", inflow],
      ["flow out", outflow],
      ["permeability", permeability(network, options)],
    ]);
    const rows = { pore: Float64Array.from(pressures, (_, i) => i), pressure: pressures };
    const written = Object.entries(rows).map(([name, values]) => ({
      name,
      type: name === "pore" ? ("integer" as const) : ("number" as const),
      values,
    }));
    await write(options.output, writeCsv(new Table(written)));
  },
});

/** Columns of numbers of a CSV file by name; empty fields are NaN. */
async function columns<N extends string>(path: string, names: readonly N[]): Promise<Record<N, Float64Array>> {
  const table = readCsv(await readFile(path));
  const found = names.map((name) => {
    const column = table.columns.find((c) => c.name === name);
    if (column === undefined || column.type === "text") {
      const there = table.columns.map((c) => c.name).join(", ");
      throw new FormatError(`${path}: there is no column of numbers "${name}"; it has ${there}`);
    }
    return [name, Float64Array.from(column.values as ArrayLike<number>)] as const;
  });
  return Object.fromEntries(found) as Record<N, Float64Array>;
}
