import { FormatError, requireObject } from "@offprint/tensor-core";
import type { PoreGeometry } from "./pore-geometry.js";

/** The four texts of a network in Statoil's format. */
export interface StatoilFiles {
  /** `*_link1.dat`: number of throats; each with its ends, radius, shape factor and total length. */
  readonly link1: string;
  /** `*_link2.dat`: ends, lengths of either pore and of the throat, volumes. */
  readonly link2: string;
  /** `*_node1.dat`: number of pores and extent of the sample; each pore with its place. */
  readonly node1: string;
  /** `*_node2.dat`: volume, radius and shape factor of each pore. */
  readonly node2: string;
}

/** What stands for the reservoirs in files of links. */
const INLET = -1;
const OUTLET = 0;

/**
 * Reads a network in Statoil's format, as programs that extract networks from images write it. The two reservoirs become the last
 * two pores, sets `inlet` and `outlet`. Conductances are for a viscosity of 1, of pore, throat and pore in series; a section
 * of radius r and shape factor G has `k r^4 / (16 G l)`, where k is 3/5 in triangles, 0.5623 in squares and 1/2 in circles.
 * @throws FormatError, with the line, for files that are cut off, not of this format, or do not fit one another
 * @see Valvatne and Blunt, Water Resources Research 40, 2004; Patzek and Silin, J. Colloid Interface Sci. 236, 2001
 */
export function readStatoil(statoilFiles: StatoilFiles): PoreGeometry {
  requireObject("readStatoil", "statoilFiles", statoilFiles, "StatoilFiles");
  const { link1, link2, node1, node2 } = statoilFiles;
  const nodes = rowsOf("node1", node1, 4);
  const [heading, ...placed] = nodes;
  const inner = counted("node1", heading, placed.length);
  const extent = heading.slice(1, 4) as [number, number, number];
  for (const [axis, value] of extent.entries()) positive("node1", value, 1, `extent ${axis}`);
  const sizes = rowsOf("node2", node2, 4);
  const links = rowsOf("link1", link1, 1);
  const [counting, ...throatRows] = links;
  const count = counted("link1", counting, throatRows.length);
  const lengthRows = rowsOf("link2", link2, 6);
  for (const [file, rows, expected] of [
    ["node2", sizes, inner],
    ["link2", lengthRows, count],
  ] as const) {
    if (rows.length !== expected) fail(file, rows.length, `${rows.length} rows where ${expected} are expected`);
  }
  const pores = inner + 2;
  const positions = new Float64Array(3 * pores);
  placed.forEach((row, i) => {
    numbered("node1", row, i, 2);
    positions.set(row.slice(1, 4), 3 * i);
  });
  positions.set([0, extent[1] / 2, extent[2] / 2], 3 * inner);
  positions.set([extent[0], extent[1] / 2, extent[2] / 2], 3 * (inner + 1));
  const sections = sizes.map((row, i): Section => {
    numbered("node2", row, i, 1);
    return {
      radius: positive("node2", row[2], i + 1, "radius"),
      shape: positive("node2", row[3], i + 1, "shape factor"),
    };
  });
  const radii = new Float64Array(count);
  const lengths = new Float64Array(count);
  const conductances = new Float64Array(count);
  const throats = throatRows.map((row, t) => {
    if (row.length < 6) fail("link1", t + 2, `${row.length} numbers; 6 are read`);
    numbered("link1", row, t, 2);
    numbered("link2", lengthRows[t], t, 1);
    const ends = [row[1], row[2]].map((pore) => poreOf(pore, inner, t + 2));
    if (lengthRows[t][1] !== row[1] || lengthRows[t][2] !== row[2]) {
      fail("link2", t + 1, `throat ${t + 1} has other ends than in link1`);
    }
    const throat = {
      radius: positive("link1", row[3], t + 2, "radius"),
      shape: positive("link1", row[4], t + 2, "shape factor"),
    };
    const parts = lengthRows[t].slice(3, 6);
    radii[t] = throat.radius;
    lengths[t] = positive("link2", parts[2], t + 1, "length");
    // Reservoirs have no resistance.
    const resistance = ends.reduce(
      (total, pore, k) => (pore < inner ? total + notNegative(parts[k], t + 1) / conductivity(sections[pore]) : total),
      lengths[t] / conductivity(throat),
    );
    conductances[t] = 1 / resistance;
    return [ends[0], ends[1]] as const;
  });
  const labels = { inlet: [inner], outlet: [inner + 1] };
  return { pores, throats, positions, radii, lengths, conductances, labels, extent };
}

interface Section {
  readonly radius: number;
  readonly shape: number;
}

/** Of an equilateral triangle, the largest of all triangles. */
const TRIANGLE = Math.sqrt(3) / 36;

/** Conductance times length at a viscosity of 1. */
function conductivity({ radius, shape }: Section): number {
  let k = 0.5;
  // Squares have 1/16, circles 1/(4 pi); files have a few digits.
  if (shape <= TRIANGLE + 5e-5) k = 3 / 5;
  else if (shape < 0.07) k = 0.5623;
  return (k * radius ** 4) / (16 * shape);
}

type File = keyof StatoilFiles;

function fail(file: File, line: number, message: string): never {
  throw new FormatError(`Statoil ${file}: ${message} (line ${line}); check that the four files are of one network`, {
    offset: line,
  });
}

/** The numbers of each line that is not blank. */
function rowsOf(file: File, text: string, least: number): number[][] {
  const rows: number[][] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === "") continue;
    const row = words.map(Number);
    const wrong = row.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) fail(file, i + 1, `"${words[wrong].slice(0, 40)}" is no number`);
    if (row.length < least) fail(file, i + 1, `${row.length} numbers; ${least} at least are read`);
    rows.push(row);
  }
  if (rows.length === 0) fail(file, 1, "the file is empty");
  return rows;
}

function counted(file: File, [count]: readonly number[], rows: number): number {
  if (count !== rows) fail(file, 1, `${count} rows are announced, and there are ${rows}`);
  return count;
}

function numbered(file: File, [number]: readonly number[], index: number, firstLine: number): void {
  if (number !== index + 1) fail(file, index + firstLine, `number ${number} where ${index + 1} is expected`);
}

function positive(file: File, value: number | undefined, line: number, name: string): number {
  if (!(value !== undefined && value > 0)) fail(file, line, `${name} is ${value}; it must be > 0`);
  return value;
}

function notNegative(value: number, line: number): number {
  if (!(value >= 0)) fail("link2", line, `the length of a pore is ${value}; it must be >= 0`);
  return value;
}

function poreOf(pore: number, inner: number, line: number): number {
  if (pore === INLET) return inner;
  if (pore === OUTLET) return inner + 1;
  if (!(Number.isInteger(pore) && pore >= 1 && pore <= inner)) fail("link1", line, `there is no pore ${pore}`);
  return pore - 1;
}
