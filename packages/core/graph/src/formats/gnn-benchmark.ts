import { npzNames, readNpz, writeNpz } from "@offprint/data";
import { checkOptions, FormatError, requireObject, type Tensor, tensor } from "@offprint/tensor-core";
import { coalesce } from "../edits.js";
import { Graph, undirected } from "../graph.js";
import type { NodeData } from "../node-data.js";
import { checkDense, checkSparseRows } from "./sparse-rows.js";

/** Options of `readGnnBenchmark`. */
export interface GnnBenchmarkOptions {
  /** What people call the data set. Default "npz". */
  name?: string;
  /** Whether edges go both ways whatever the file says. Default true. */
  undirected?: boolean;
}

const ADJACENCY = ["adj_indptr", "adj_indices", "adj_shape", "labels"];

/**
 * A graph in the npz layout of gnn-benchmark (CitationFull, Amazon, Coauthor): a CSR adjacency `adj_*`, features as CSR
 * `attr_*` or dense `attr_matrix`, and `labels`. Loops and repeated edges go.
 */
export function readGnnBenchmark(bytes: Uint8Array, options: GnnBenchmarkOptions = {}): NodeData {
  checkOptions("readGnnBenchmark", options, ["name", "undirected"]);
  const { name = "npz", undirected: bothWays = true } = options;
  const needed = readNpz(bytes, ADJACENCY);
  const rows = needed.adj_indptr.data();
  const columns = needed.adj_indices.data();
  const shape = matrixShape("adj_shape", needed.adj_shape);
  const nodes = shape[0];
  checkSparseRows("gnn-benchmark: adj", { shape: [nodes, nodes], indptr: rows, indices: columns, values: columns });
  const attributes = featureArrays(bytes);
  for (const [what, count] of [["labels", needed.labels.size] as const, ["features", attributes.shape[0]] as const]) {
    if (count !== nodes) throw new FormatError(`gnn-benchmark: ${count} ${what} for ${nodes} nodes; give one for each`);
  }
  const pairs: number[] = [];
  for (let i = 0; i < nodes; i++) {
    for (let p = rows[i]; p < rows[i + 1]; p++) if (columns[p] !== i) pairs.push(i, columns[p]);
  }
  const edges = tensor(Int32Array.from(pairs), { shape: [pairs.length / 2, 2] });
  const whole = bothWays ? undirected(edges, nodes) : new Graph(nodes, ...columnsOf(pairs));
  return {
    name,
    graph: coalesce(whole),
    features: attributes,
    labels: Int32Array.from(needed.labels.data()),
  };
}

function columnsOf(pairs: readonly number[]): [Int32Array, Int32Array] {
  const half = pairs.length / 2;
  return [
    Int32Array.from({ length: half }, (_, e) => pairs[2 * e]),
    Int32Array.from({ length: half }, (_, e) => pairs[2 * e + 1]),
  ];
}

function matrixShape(name: string, shape: Tensor): [rows: number, columns: number] {
  const [rows, columns] = shape.data();
  if (shape.size !== 2) throw new FormatError(`gnn-benchmark: ${name} has ${shape.size} numbers; a matrix has two`);
  return [rows, columns];
}

function featureArrays(bytes: Uint8Array): Tensor {
  if (npzNames(bytes).includes("attr_matrix")) {
    const { attr_matrix: matrix } = readNpz(bytes, ["attr_matrix"]);
    if (matrix.rank !== 2) throw new FormatError(`gnn-benchmark: attr_matrix has shape [${matrix.shape}], no matrix`);
    return tensor(Float32Array.from(matrix.data()), { shape: matrix.shape });
  }
  const sparse = readNpz(bytes, ["attr_data", "attr_indices", "attr_indptr", "attr_shape"]);
  const shape = matrixShape("attr_shape", sparse.attr_shape);
  const [rows, width] = shape;
  const [indptr, indices, values] = [sparse.attr_indptr, sparse.attr_indices, sparse.attr_data].map((x) => x.data());
  checkSparseRows("gnn-benchmark: attr", { shape, indptr, indices, values });
  checkDense("gnn-benchmark: attr", shape, values.length + rows);
  const out = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    for (let p = indptr[i]; p < indptr[i + 1]; p++) out[i * width + indices[p]] = values[p];
  }
  return tensor(out, { shape: [rows, width] });
}

/** A graph with features and classes as an npz archive that `readGnnBenchmark` (and `np.load`) reads. */
export function writeGnnBenchmark(pick: Pick<NodeData, "graph" | "features" | "labels">) {
  requireObject("writeGnnBenchmark", "pick", pick, "{ graph, features, labels }");
  const { graph, features, labels } = pick;
  const { indptr, neighbours, edges } = graph.outgoing;
  const weights = Float32Array.from(edges, (e) => graph.weights?.[e] ?? 1);
  return writeNpz({
    adj_data: tensor(weights),
    adj_indices: tensor(neighbours),
    adj_indptr: tensor(indptr),
    adj_shape: tensor(Int32Array.of(graph.nodes, graph.nodes)),
    attr_matrix: features,
    labels: tensor(labels),
  });
}
