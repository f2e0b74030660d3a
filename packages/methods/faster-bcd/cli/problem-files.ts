import { type LibsvmContent, readCsv, readLibsvm, readMatrixMarket, readSamples } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError, type sparse, type Tensor, tensor, ValueError } from "@offprint/tensor-core";

/** A matrix from a file, with what stands beside it there. */
export interface MatrixFile {
  readonly matrix: Tensor | sparse.CsrMatrix;
  /** A target for each row; none in matrix files. */
  readonly targets?: readonly (number | string)[];
  /** A name for each column, where the file has them. */
  readonly names?: readonly string[];
}

function kindOf(path: string): "mtx" | "table" | "libsvm" {
  const name = path.toLowerCase().replace(/\.gz$/, "");
  if (name.endsWith(".mtx")) return "mtx";
  return name.endsWith(".csv") || name.endsWith(".npz") ? "table" : "libsvm";
}

/** Reads `.mtx` (MatrixMarket), `.csv` and `.npz` (samples with a target), and anything else as LIBSVM text. */
export async function readMatrixFile(path: string, column?: string): Promise<MatrixFile> {
  const kind = kindOf(path);
  if (kind === "mtx") return { matrix: await loadFile(path, matrixOf) };
  if (kind === "libsvm") {
    const { inputs, targets }: LibsvmContent = await loadFile(path, readLibsvm);
    return { matrix: inputs, targets: Array.from(targets.data()) };
  }
  const { inputs, inputNames, targets } = await loadFile(path, (bytes) =>
    readSamples(bytes, column === undefined ? {} : { target: column }),
  );
  if (targets === undefined) throw new FormatError(`${path}: it has no target; name its column with --target`);
  if (Array.isArray(targets)) return { matrix: inputs, targets: targets as string[], names: inputNames };
  const numbers = targets as Tensor;
  if (numbers.rank !== 1)
    throw new FormatError(`${path}: the target has shape [${numbers.shape}]; give one number for each row`);
  return { matrix: inputs, targets: Array.from(numbers.data()), names: inputNames };
}

function matrixOf(bytes: Uint8Array): Tensor | sparse.CsrMatrix {
  const content = readMatrixMarket(bytes);
  if (content.format === "coordinate") return content.matrix;
  return tensor(content.matrix.values, { shape: [...content.matrix.shape] });
}

/** A vector from an `.mtx` array of one column, or from the last column of a `.csv`. */
export async function readVectorFile(path: string): Promise<readonly (number | string)[]> {
  if (kindOf(path) === "mtx") {
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
    const values = Array.from(table.column(last).values as ArrayLike<number | string | null>);
    const missing = values.findIndex((v) => v === null || Number.isNaN(v));
    if (missing >= 0) throw new FormatError(`column ${last} has no value in row ${missing + 1}`);
    return values as (number | string)[];
  });
}

/** Labels of nodes from the first two columns of a `.csv`: node and value. */
export async function readLabelFile(path: string, firstNode: number): Promise<Map<number, number>> {
  return loadFile(path, (bytes) => {
    const table = readCsv(bytes);
    if (table.names.length < 2) throw new FormatError("it has one column; labels need two, the node and its value");
    const [nodes, values] = table.names
      .slice(0, 2)
      .map((name) => Array.from(table.column(name).values as ArrayLike<number>));
    const labels = new Map<number, number>();
    nodes.forEach((node, row) => {
      if (typeof values[row] !== "number" || Number.isNaN(values[row]))
        throw new FormatError(`row ${row + 1} has no number as a label`);
      if (labels.has(node - firstNode)) throw new FormatError(`row ${row + 1} labels node ${node} a second time`);
      labels.set(node - firstNode, values[row]);
    });
    return labels;
  });
}

/** The numbers of a target; texts are refused. */
export function numbersOf(targets: readonly (number | string)[]): Float64Array {
  const text = targets.find((v) => typeof v !== "number");
  if (text !== undefined)
    throw new ValueError(
      `the target holds "${text}"; this problem needs numbers (take --problem softmax or logistic for names)`,
    );
  return Float64Array.from(targets as number[]);
}

/** Distinct values of a target in ascending order, and the place of each row's among them. */
export function classesOf(targets: readonly (number | string)[]): { names: string[]; labels: Int32Array } {
  const distinct = [...new Set(targets)].sort((a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1,
  );
  const place = new Map(distinct.map((value, c) => [value, c]));
  return { names: distinct.map(String), labels: Int32Array.from(targets, (value) => place.get(value) as number) };
}
