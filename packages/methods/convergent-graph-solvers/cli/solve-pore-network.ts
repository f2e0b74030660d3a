import { basename, dirname, join } from "node:path";
import { defineCommand, Failure, option } from "@offprint/commands";
import { readCsv, Table, writeCsv } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError } from "@offprint/tensor-core";
import {
  holdPressures,
  type PoreGeometry,
  type PoreNetwork,
  permeability,
  readOpenPnm,
  readStatoil,
  sampleExtent,
  solvePoreNetwork,
} from "../src/index.js";

/** `offprint solve-pore-network --openpnm network.csv --inlet left --outlet right --output pressures.csv` */
export const solvePoreNetworkCommand = defineCommand({
  name: "solve-pore-network",
  summary: "Solve a network of pores and throats for its pressures and its permeability",
  options: {
    openpnm: option.fileIn("network as OpenPNM writes it by network_to_csv"),
    statoil: option.fileIn("network in Statoil's format: its file *_link1.dat; the other three lie beside it"),
    inlet: option.text("set of pores at a pressure of 1: a column of OpenPNM's table", { default: "inlet" }),
    outlet: option.text("set of pores at a pressure of 0", { default: "outlet" }),
    pores: option.fileIn('or a table of pores (CSV) with a column "pressure", empty where it is sought'),
    throats: option.fileIn('with a table of throats (CSV): "pore1", "pore2" (numbers from 0), "conductance"'),
    length: option.number("extent of the sample along the flow (default that of the network; 1 of tables)", {
      above: 0,
    }),
    area: option.number("area of the sample across the flow (likewise)", { above: 0 }),
    viscosity: option.number("viscosity for which the file's conductances were computed", { default: 1, above: 0 }),
    output: option.fileOut("file for the pressures (CSV)", { short: "o", endings: [".csv"] }),
  },
  async run({ options, report, write, refuse }) {
    if (options.pores !== undefined) refuse(["inlet", "outlet"], "the table of pores says which pressures are held");
    const { network, pores, poreOf, extent } = await networkOf(options);
    const flow = solvePoreNetwork(network);
    const sample = { length: options.length ?? extent.length, area: options.area ?? extent.area };
    if (!(sample.length > 0 && sample.area > 0)) {
      throw new Failure("the network is flat, so that the sample's area is not known; give --length and --area");
    }
    report([
      ["pores", network.pores],
      ...(pores > network.pores ? [["pores that nothing reaches", pores - network.pores] as const] : []),
      ["throats", network.throats.length],
      ["flow in", flow.inflow],
      ["flow out", flow.outflow],
      ["permeability", permeability(network, { ...sample, viscosity: options.viscosity }, flow)],
    ]);
    await write(
      options.output,
      writeCsv(
        new Table([
          { name: "pore", type: "integer", values: Float64Array.from(poreOf ?? flow.pressures.keys()) },
          { name: "pressure", type: "number", values: flow.pressures },
        ]),
      ),
    );
  },
});

interface Chosen {
  readonly openpnm?: string | undefined;
  readonly statoil?: string | undefined;
  readonly pores?: string | undefined;
  readonly throats?: string | undefined;
  readonly inlet: string;
  readonly outlet: string;
}

interface Found {
  readonly network: PoreNetwork;
  /** Of the file. */
  readonly pores: number;
  /** Which pore of the file each one is, where some were left out. */
  readonly poreOf?: Int32Array;
  readonly extent: { readonly length: number; readonly area: number };
}

async function networkOf({ openpnm, statoil, pores, throats, inlet, outlet }: Chosen): Promise<Found> {
  const given = [openpnm, statoil, pores ?? throats].filter((path) => path !== undefined);
  if (given.length !== 1 || (pores === undefined) !== (throats === undefined)) {
    throw new Failure("give one network: --openpnm, --statoil, or --pores with --throats");
  }
  if (pores !== undefined && throats !== undefined) return fromTables(pores, throats);
  const geometry =
    openpnm !== undefined ? await loadFile(openpnm, readOpenPnm) : await statoilNetwork(statoil as string);
  const { poreOf, ...network } = holdPressures(geometry, inlet, outlet);
  return { network, pores: geometry.pores, poreOf, extent: sampleExtent(geometry, inlet, outlet) };
}

async function statoilNetwork(link1: string): Promise<PoreGeometry> {
  const name = basename(link1);
  if (!name.includes("link1")) throw new Failure(`${link1} has no "link1" in its name; give the file *_link1.dat`);
  const text = (file: string) =>
    loadFile(join(dirname(link1), name.replace("link1", file)), (bytes) => new TextDecoder().decode(bytes));
  return readStatoil({
    link1: await text("link1"),
    link2: await text("link2"),
    node1: await text("node1"),
    node2: await text("node2"),
  });
}

async function fromTables(poresPath: string, throatsPath: string): Promise<Found> {
  const { pressure } = await columns(poresPath, ["pressure"]);
  await requireWholeLines(poresPath, pressure.length);
  const { pore1, pore2, conductance } = await columns(throatsPath, ["pore1", "pore2", "conductance"]);
  const network = {
    pores: pressure.length,
    held: pressure,
    throats: Array.from(pore1, (a, t) => [a, pore2[t]] as const),
    conductances: conductance,
  };
  return { network, pores: network.pores, extent: { length: 1, area: 1 } };
}

/** @throws FormatError for an empty line among those of a table of pressures alone: readers pass over it, it is no pore. */
async function requireWholeLines(path: string, pores: number): Promise<void> {
  const [header = "", ...lines] = (await loadFile(path, (bytes) => new TextDecoder().decode(bytes)))
    .trim()
    .split(/\r?\n/);
  const empty = lines.findIndex((line) => line.trim() === "");
  if (empty >= 0 && pores < lines.length && header.trim() === "pressure") {
    throw new FormatError(
      `${path}: line ${empty + 2} is empty, and so is no pore; write NaN where a pressure is sought`,
    );
  }
}

/** Columns of numbers of a CSV file by name; empty fields are NaN. */
async function columns<N extends string>(path: string, names: readonly N[]): Promise<Record<N, Float64Array>> {
  const table = await loadFile(path, readCsv);
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
