import { type Column, readCsv, type Table } from "@offprint/data";
import { FormatError } from "@offprint/tensor-core";
import type { PoreGeometry } from "./pore-geometry.js";
import { throatConductance } from "./pore-network.js";

const FORMAT = "OpenPNM CSV";

/**
 * Reads the CSV table that OpenPNM writes (`openpnm.io.network_to_csv`, `project_to_csv`): a column for each property of
 * pores and throats, `pore.coords[0]`, `throat.conns[0]`, `throat.diameter`, those of pores ending before those of throats
 * or after them. Conductances are `throat.hydraulic_conductance` where there is one; else they follow from diameters and
 * lengths, and these, where the table has only diameters of pores, from those: a throat is as wide as the narrower pore.
 * Columns of True and False are sets of pores.
 * @throws FormatError for tables without places, links or sizes, and for values that cannot be
 * @see OpenPNM, https://openpnm.org
 */
export function readOpenPnm(file: string | Uint8Array): PoreGeometry {
  const table = readCsv(file);
  const column = (name: string) => found(table, name)?.values;
  const [x, y, z] = [0, 1, 2].map((axis) => required(column, `pore.coords[${axis}]`));
  const [first, second] = [0, 1].map((end) => required(column, `throat.conns[${end}]`));
  const pores = filled(x, "pore.coords[0]");
  const count = filled(first, "throat.conns[0]");
  const places = [x, y, z].map((values, axis) => finite(values, pores, `pore.coords[${axis}]`));
  const positions = Float64Array.from({ length: 3 * pores }, (_, k) => places[k % 3][Math.floor(k / 3)]);
  const ends = [first, second].map((values, end) => finite(values, count, `throat.conns[${end}]`));
  const throats = Array.from({ length: count }, (_, t) => [ends[0][t], ends[1][t]] as const);
  for (const [t, pair] of throats.entries()) {
    for (const pore of pair) {
      if (Number.isInteger(pore) && pore >= 0 && pore < pores) continue;
      throw new FormatError(
        `${FORMAT}: throat ${t} ends at pore ${pore}, and there are ${pores} pores; where there are fewer throats than pores ` +
          "OpenPNM cuts the pores off, give each its own rows",
      );
    }
  }
  const sizes = { pores, throats, positions, ...sizesOf(column, { pores, throats, positions }) };
  return {
    ...sizes,
    conductances: conductancesOf(column, sizes),
    labels: labelsOf(table, pores),
    extent: places.map((values) => values.reduce(max, -Infinity) - values.reduce(min, Infinity)) as [
      number,
      number,
      number,
    ],
  };
}

const max = (a: number, b: number) => Math.max(a, b);
const min = (a: number, b: number) => Math.min(a, b);

type Columns = (name: string) => Column["values"] | undefined;

/** A column by the end of its name: programs put the names of objects between `throat` and a property. */
function found(table: Table, name: string): Column | undefined {
  const [element, ...rest] = name.split(".");
  return table.columns.find((column) => {
    const parts = column.name.split(/[.|\s]+/);
    return parts.includes(element) && parts.join(".").endsWith(`.${rest.join(".")}`);
  });
}

function required(column: Columns, name: string): Float64Array {
  const values = column(name);
  if (values instanceof Float64Array) return values;
  throw new FormatError(
    `${FORMAT}: ${values === undefined ? "there is no column" : "there are texts in the column"} "${name}"; write the table by network_to_csv`,
  );
}

/** Rows of a column before those that are empty. */
function filled(values: Float64Array, name: string): number {
  const end = values.findIndex((value) => Number.isNaN(value));
  if (end < 0) return values.length;
  const after = values.findIndex((value, row) => row > end && !Number.isNaN(value));
  if (after < 0) return end;
  throw new FormatError(`${FORMAT}: ${name} is missing in row ${end + 1} and there in row ${after + 1}; fill it in`);
}

function finite(values: Float64Array, count: number, name: string): Float64Array {
  const wrong = values.findIndex((value, row) => row < count && !Number.isFinite(value));
  if (wrong < 0) return values.subarray(0, count);
  throw new FormatError(`${FORMAT}: ${name} is ${values[wrong]} in row ${wrong + 1}; it must be finite`);
}

type Linked = Pick<PoreGeometry, "pores" | "throats" | "positions">;

/** Radii and lengths of throats, NaN where there are none. */
function sizesOf(column: Columns, { pores, throats, positions }: Linked): Pick<PoreGeometry, "radii" | "lengths"> {
  const count = throats.length;
  const numbers = (name: string, rows: number) => {
    const values = column(name);
    return values instanceof Float64Array ? finite(values, rows, name) : undefined;
  };
  const diameters = numbers("throat.diameter", count);
  const ofPores = numbers("pore.diameter", pores);
  const lengths = numbers("throat.conduit_lengths.throat", count) ?? numbers("throat.length", count);
  const unknown = new Float64Array(count).fill(Number.NaN);
  return {
    radii:
      diameters?.map((d) => d / 2) ??
      (ofPores && Float64Array.from(throats, ([a, b]) => Math.min(ofPores[a], ofPores[b]) / 2)) ??
      unknown,
    lengths:
      lengths?.slice() ??
      (ofPores &&
        Float64Array.from(throats, ([a, b]) => {
          const apart = Math.hypot(...[0, 1, 2].map((k) => positions[3 * a + k] - positions[3 * b + k]));
          return apart - (ofPores[a] + ofPores[b]) / 2;
        })) ??
      unknown,
  };
}

function conductancesOf(
  column: Columns,
  { throats, radii, lengths }: Pick<PoreGeometry, "throats" | "radii" | "lengths">,
): Float64Array {
  const name = "throat.hydraulic_conductance";
  const given = column(name);
  const values =
    given instanceof Float64Array
      ? finite(given, throats.length, name)
      : radii.map((radius, t) => {
          if (Number.isNaN(radius) || Number.isNaN(lengths[t])) {
            throw new FormatError(
              `${FORMAT}: there is no "${name}", nor what it follows from; add throat.diameter and throat.length, or pore.diameter`,
            );
          }
          return radius > 0 && lengths[t] > 0 ? throatConductance(radius, lengths[t]) : Number.NaN;
        });
  const wrong = values.findIndex((value) => !(value > 0));
  if (wrong < 0) return values.slice();
  throw new FormatError(
    given instanceof Float64Array
      ? `${FORMAT}: ${name} is ${values[wrong]} in row ${wrong + 1}; it must be > 0`
      : `${FORMAT}: throat ${wrong} has radius ${radii[wrong]} and length ${lengths[wrong]}; both must be > 0, so that pores do not overlap`,
  );
}

/** Sets of pores: columns of pores that hold nothing but True and False. */
function labelsOf({ columns }: Table, pores: number): Record<string, number[]> {
  const labels: Record<string, number[]> = {};
  for (const { name, type, values } of columns) {
    const parts = name.split(/[.|\s]+/);
    if (type !== "text" || !parts.includes("pore")) continue;
    const words = values.slice(0, pores).map((value) => (value as string | null)?.trim().toLowerCase());
    if (!words.every((word) => word === "true" || word === "false")) continue;
    labels[parts[parts.length - 1]] = Array.from(words.keys()).filter((pore) => words[pore] === "true");
  }
  return labels;
}
