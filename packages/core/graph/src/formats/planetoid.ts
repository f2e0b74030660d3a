import { checkOptions, FormatError, requireObject, tensor } from "@offprint/tensor-core";
import { coalesce } from "../edits.js";
import { directed } from "../graph.js";
import type { NodeData } from "../node-data.js";
import { mask } from "../splits.js";
import { type Pickled, type PickledArray, type PickledCsr, readPickle } from "./pickle.js";
import { checkDense } from "./sparse-rows.js";
import { numbersOf, type TextFile, textLines } from "./text-lines.js";

/** The files of a Planetoid data set, `ind.NAME.x` and so on. */
export interface PlanetoidFiles {
  /** Features of the labelled training nodes. */
  readonly x: Uint8Array;
  /** Their classes, one-hot. */
  readonly y: Uint8Array;
  /** Features of the test nodes. */
  readonly tx: Uint8Array;
  /** Their classes. */
  readonly ty: Uint8Array;
  /** Features of all nodes but the test nodes. */
  readonly allx: Uint8Array;
  /** Their classes. */
  readonly ally: Uint8Array;
  /** Neighbours of each node. */
  readonly graph: Uint8Array;
  /** Numbers of the test nodes, one a line, in the order of tx. */
  readonly testIndex: TextFile;
}

/** Names of the files after `ind.NAME.`, by field. */
export const planetoidSuffixes: Readonly<Record<keyof PlanetoidFiles, string>> = {
  x: "x",
  y: "y",
  tx: "tx",
  ty: "ty",
  allx: "allx",
  ally: "ally",
  graph: "graph",
  testIndex: "test.index",
};

/** Options of `readPlanetoid`. */
export interface PlanetoidOptions {
  /** What people call the data set. Default "Planetoid". */
  name?: string;
  /** Number of validation nodes, which follow the training nodes. Default 500, or as many as there are. */
  validation?: number;
}

/**
 * A data set in the format of Planetoid (Yang, Cohen and Salakhutdinov, ICML 2016: Cora, CiteSeer, PubMed), with the
 * split that comes with it. Edges go both ways, once. Test numbers may have gaps (CiteSeer): the nodes in the gaps get zero
 * features, no class and no part in the split.
 * @throws FormatError where files are damaged or do not fit each other; UnsupportedError for other pickles.
 */
export function readPlanetoid(files: PlanetoidFiles, options: PlanetoidOptions = {}): NodeData {
  requireObject("readPlanetoid", "files", files, "PlanetoidFiles");
  checkOptions("readPlanetoid", options, ["name", "validation"]);
  const { name = "Planetoid", validation = 500 } = options;
  const [x, tx, allx] = (["x", "tx", "allx"] as const).map((field) => matrix(field, readPickle(files[field])));
  const [y, ty, ally] = (["y", "ty", "ally"] as const).map((field) => dense(field, readPickle(files[field])));
  const test = textLines("Planetoid test.index", files.testIndex).map(
    (line) => numbersOf("Planetoid test.index", line, true)[0],
  );
  const width = allx.shape[1];
  requireSame("the rows of tx and ty and the lines of test.index", tx.shape[0], ty.shape[0], test.length);
  requireSame("the rows of allx and ally", allx.shape[0], ally.shape[0]);
  requireSame("the rows of x and y", x.shape[0], y.shape[0]);
  requireSame("the columns of x, tx and allx", x.shape[1], tx.shape[1], width);
  requireSame("the columns of y, ty and ally", y.shape[1], ty.shape[1], ally.shape[1]);
  const known = allx.shape[0];
  const nodes = test.reduce((largest, i) => Math.max(largest, i + 1), known);
  checkDense("Planetoid", [nodes, width], allx.values.length + tx.values.length + known + test.length);
  const features = new Float32Array(nodes * width);
  const labels = new Int32Array(nodes).fill(-1);
  const classes = ally.shape[1];
  copyRows(allx, features, (row) => row);
  copyRows(tx, features, (row) => test[row]);
  for (let row = 0; row < known; row++) labels[row] = classOf(ally.values, row, classes);
  test.forEach((node, row) => {
    if (node < known) throw new FormatError(`Planetoid: test node ${node} is also among the ${known} rows of allx`);
    labels[node] = classOf(ty.values, row, classes);
  });
  const last = Math.min(x.shape[0] + validation, known);
  return {
    name,
    graph: neighbourGraph(files.graph, nodes),
    features: tensor(features, { shape: [nodes, width] }),
    labels,
    split: {
      train: mask(nodes, range(0, x.shape[0])),
      validation: mask(nodes, range(x.shape[0], last)),
      test: mask(nodes, test),
    },
  };
}

function* range(from: number, to: number): Generator<number> {
  for (let i = from; i < to; i++) yield i;
}

function requireSame(what: string, ...counts: readonly number[]): void {
  if (counts.some((count) => count !== counts[0])) {
    throw new FormatError(
      `Planetoid: ${what} must be equally many, not ${counts.join(", ")}; are the files of one set?`,
    );
  }
}

function matrix(field: string, value: Pickled): PickledCsr | PickledArray {
  const { kind, shape } = (value ?? {}) as { kind?: string; shape?: readonly number[] };
  if ((kind === "csr" || kind === "array") && shape?.length === 2) return value as PickledCsr | PickledArray;
  throw new FormatError(`Planetoid: the file ${field} holds no matrix`);
}

function dense(field: string, value: Pickled): PickledArray {
  const found = matrix(field, value);
  if (found.kind === "array") return found;
  checkDense(`Planetoid: the file ${field}`, found.shape, found.values.length + found.shape[0]);
  const values = new Float64Array(found.shape[0] * found.shape[1]);
  copyRows(found, values, (row) => row);
  return { kind: "array", shape: found.shape, values };
}

function copyRows(
  from: PickledCsr | PickledArray,
  to: Float32Array | Float64Array,
  place: (row: number) => number,
): void {
  const [rows, width] = from.shape;
  for (let row = 0; row < rows; row++) {
    const start = place(row) * width;
    if (from.kind === "array") to.set(from.values.subarray(row * width, (row + 1) * width), start);
    else for (let p = from.indptr[row]; p < from.indptr[row + 1]; p++) to[start + from.indices[p]] += from.values[p];
  }
}

/** The place of the one, or -1 in a row of zeros. */
function classOf(oneHot: Float64Array, row: number, classes: number): number {
  for (let c = 0; c < classes; c++) if (oneHot[row * classes + c] !== 0) return c;
  return -1;
}

function neighbourGraph(file: Uint8Array, nodes: number) {
  const value = readPickle(file);
  if (!(value instanceof Map)) throw new FormatError("Planetoid: the file graph holds no dictionary");
  const pairs: number[] = [];
  for (const [node, neighbours] of value as ReadonlyMap<Pickled, Pickled>) {
    if (typeof node !== "number" || !Array.isArray(neighbours)) {
      throw new FormatError("Planetoid: the file graph must hold lists of neighbours by node");
    }
    // Lists of a file may be one list many times over: more neighbours than bytes would be a trick.
    if (pairs.length / 4 + neighbours.length > file.length) {
      throw new FormatError("Planetoid: the file graph repeats its lists; it is damaged");
    }
    for (const other of neighbours) pairs.push(node, other as number, other as number, node);
  }
  const wrong = pairs.find((node) => !(Number.isInteger(node) && node >= 0 && node < nodes));
  if (wrong !== undefined) throw new FormatError(`Planetoid: the file graph names node ${wrong} of ${nodes} nodes`);
  return coalesce(directed(tensor(Int32Array.from(pairs), { shape: [pairs.length / 2, 2] }), nodes));
}
