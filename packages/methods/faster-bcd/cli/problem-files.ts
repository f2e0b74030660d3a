import { readTable } from "@offprint/commands";
import { isLibsvm, readCsv, readLibsvm, readMatrixMarket } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError, isTensor, type sparse, type Tensor, tensor, ValueError } from "@offprint/tensor-core";

/** A matrix from a file, with what stands beside it there. */
export interface MatrixFile {
  readonly matrix: Tensor | sparse.CsrMatrix;
  /** A target for each row; none in matrix files. */
  readonly targets?: readonly (number | string)[];
  /** A name for each column, where the file has them. */
  readonly names?: readonly string[];
}

function isMatrixMarket(path: string): boolean {
  return /\.mtx(\.gz)?$/i.test(path);
}

/**
 * Reads `.mtx` (MatrixMarket), or samples with a target: LIBSVM text, which stays sparse, CSV or NPZ.
 *
 * @param column the target's column; of no matter for `.mtx`
 * @param features the columns of a table that count; all others where left out
 */
export async function readMatrixFile(path: string, column?: string, features?: readonly string[]): Promise<MatrixFile> {
  const nameless = () => {
    if (features !== undefined) throw new ValueError(`--features: the columns of ${path} have no names; leave it out`);
  };
  if (isMatrixMarket(path)) {
    nameless();
    return { matrix: await loadFile(path, matrixOf) };
  }
  const rows = await loadFile(path, (bytes) => (isLibsvm(bytes) ? readLibsvm(bytes) : undefined));
  if (rows !== undefined) {
    nameless();
    return { matrix: rows.inputs, targets: Array.from(rows.targets.data()) };
  }
  const wanted = { ...(column !== undefined && { target: column }), ...(features && { features }) };
  const { inputs, features: names, target } = await readTable(path, wanted);
  if (!isTensor(target)) return { matrix: inputs, targets: target, names };
  if (target.rank !== 1) {
    throw new FormatError(`${path}: the target has shape [${target.shape}]; give one number for each row`);
  }
  return { matrix: inputs, targets: Array.from(target.data()), names };
}

function matrixOf(bytes: Uint8Array): Tensor | sparse.CsrMatrix {
  const content = readMatrixMarket(bytes);
  if (content.format === "coordinate") return content.matrix;
  return tensor(content.matrix.values, { shape: [...content.matrix.shape] });
}

/** A vector from an `.mtx` array of one column, or from the last column of a `.csv`. */
export async function readVectorFile(path: string): Promise<readonly (number | string)[]> {
  if (isMatrixMarket(path)) {
    const matrix = await loadFile(path, matrixOf);
    const [rows, columns] = matrix.shape;
    if (columns !== 1 || !("dtype" in matrix))
      throw new FormatError(`${path}: it holds a matrix of ${rows} x ${columns}; give an array of one column`);
    return Array.from(matrix.data());
  }
  return loadFile(path, (bytes) => {
    const table = readCsv(bytes);
    const last = table.names.at(-1);
    if (last === undefined) throw new FormatError("the file has no columns");
    return Array.from<number | string | null>(table.column(last).values).map((value, row) => {
      if (value !== null && !Number.isNaN(value)) return value;
      throw new FormatError(`column ${last} has no value in row ${row + 1}`);
    });
  });
}

/** Labels of nodes from the first two columns of a `.csv`: node and value. */
export async function readLabelFile(path: string, firstNode: number): Promise<Map<number, number>> {
  return loadFile(path, (bytes) => {
    const table = readCsv(bytes);
    if (table.names.length < 2) throw new FormatError("it has one column; labels need two, the node and its value");
    const [nodes, values] = table.columns;
    const labels = new Map<number, number>();
    for (let row = 0; row < table.rows; row++) {
      const [node, value] = [Number(nodes!.values[row] ?? Number.NaN), values!.values[row]];
      if (typeof value !== "number" || Number.isNaN(value) || Number.isNaN(node)) {
        throw new FormatError(`row ${row + 1} has no number as a node or a label`);
      }
      if (labels.has(node - firstNode)) throw new FormatError(`row ${row + 1} labels node ${node} a second time`);
      labels.set(node - firstNode, value);
    }
    return labels;
  });
}

/** The numbers of a target; texts are refused. */
export function numbersOf(targets: readonly (number | string)[]): Float64Array {
  return Float64Array.from(targets, (value) => {
    if (typeof value === "number") return value;
    throw new ValueError(
      `the target holds "${value}"; this problem needs numbers (take --problem softmax or logistic for names)`,
    );
  });
}

/** Distinct values of a target in ascending order, and the place of each row's among them. */
export function classesOf(targets: readonly (number | string)[]): { names: string[]; labels: Int32Array } {
  const distinct = [...new Set(targets)].sort((a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1,
  );
  const place = new Map(distinct.map((value, c) => [value, c]));
  return { names: distinct.map(String), labels: Int32Array.from(targets, (value) => place.get(value) ?? -1) };
}
