import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readCsv, readMatrixMarket } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError, ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import type { LinearSystem } from "../src/index.js";

/** The files of a sequence. */
export interface SystemFiles {
  /** T. */
  readonly count: number;
  /** One per system, where a file was given. */
  readonly contexts: Float64Array | undefined;
  /** The systems in order, from the one of this index; each matrix is read when its turn comes. */
  systems(from: number): AsyncGenerator<LinearSystem>;
}

/** What the command line names. */
export interface NamedFiles {
  /** Files and folders. */
  readonly matrices: readonly string[];
  /** One file for all right-hand sides. */
  readonly rhs: string | undefined;
  /** One file for all contexts. */
  readonly contexts: string | undefined;
  /** Whether contexts are shifts. */
  readonly shift: boolean;
}

const MATRIX = /\.mtx(\.gz)?$/;
const RIGHT = /_b\.mtx(\.gz)?$/;

/** Finds and checks the files of a sequence; matrices themselves are read later. */
export async function systemFiles(named: NamedFiles): Promise<SystemFiles> {
  const paths = named.matrices.flatMap(matrixPaths);
  const rhs = named.rhs === undefined ? undefined : await loadFile(named.rhs, denseColumns);
  const contexts = named.contexts === undefined ? undefined : await loadFile(named.contexts, contextColumn);
  if (named.shift && contexts === undefined) throw new ValueError("--shift: give the shifts as --contexts file.csv");
  const counts = { matrices: paths.length, "right-hand sides": rhs?.length ?? 1, contexts: contexts?.length ?? 1 };
  const count = Math.max(...Object.values(counts));
  for (const [what, k] of Object.entries(counts)) {
    if (k !== 1 && k !== count)
      throw new ShapeError(`${k} ${what} for ${count} systems: give one for all, or ${count}`);
  }
  return {
    count,
    contexts,
    async *systems(from) {
      let last: { path: string; A: sparse.CsrMatrix; b: Float64Array | undefined } | undefined;
      for (let t = from; t < count; t++) {
        const path = paths[t % paths.length]!;
        if (last?.path !== path) {
          last = { path, A: await loadFile(path, sparseMatrix), b: rhs ? undefined : await rightHandSide(path) };
        }
        const context = contexts?.[t % contexts.length];
        yield {
          A: last.A,
          b: rhs?.[t % rhs.length] ?? last.b!,
          ...(context === undefined ? {} : { context, shift: named.shift ? context : 0 }),
        };
      }
    },
  };
}

/** A file, or the matrices of a folder with numbers in their natural order. */
function matrixPaths(path: string): string[] {
  if (!existsSync(path)) throw new ValueError(`${path}: there is no such file or folder`);
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => MATRIX.test(name) && !RIGHT.test(name));
  if (names.length === 0) throw new ValueError(`${path}: the folder has no .mtx files`);
  return names.sort(new Intl.Collator("en", { numeric: true }).compare).map((name) => join(path, name));
}

/** The right-hand side beside a matrix, as collections of matrices name it: name_b.mtx. */
async function rightHandSide(path: string): Promise<Float64Array> {
  const beside = [".mtx", ".mtx.gz"].map((end) => path.replace(MATRIX, `_b${end}`)).find(existsSync);
  if (beside === undefined) {
    throw new ValueError(
      `${path}: no right-hand side; put it beside as ${path.replace(MATRIX, "_b.mtx")}, or give --rhs`,
    );
  }
  const columns = await loadFile(beside, denseColumns);
  if (columns.length !== 1) throw new ShapeError(`${beside}: ${columns.length} columns; give one right-hand side`);
  return columns[0]!;
}

function sparseMatrix(bytes: Uint8Array): sparse.CsrMatrix {
  const content = readMatrixMarket(bytes);
  if (content.format === "coordinate") return content.matrix;
  const { shape, values } = content.matrix;
  const rows = Array.from({ length: shape[0] }, (_, i) => [...values.subarray(i * shape[1], (i + 1) * shape[1])]);
  return sparse.fromDense(rows);
}

function denseColumns(bytes: Uint8Array): Float64Array[] {
  const content = readMatrixMarket(bytes);
  const [rows, columns] = content.matrix.shape;
  const values = content.format === "array" ? content.matrix.values : sparse.toDense(content.matrix);
  if (columns === 0) throw new FormatError("MatrixMarket: the file of right-hand sides has no columns");
  return Array.from({ length: columns }, (_, j) =>
    Float64Array.from({ length: rows }, (_, i) => values[i * columns + j]!),
  );
}

function contextColumn(bytes: Uint8Array): Float64Array {
  const table = readCsv(bytes);
  const names = table.columns.map(({ name }) => name);
  const found = table.columns.find(({ name }) => name === "context") ?? table.columns[0];
  if (found === undefined || (found.name !== "context" && names.length > 1)) {
    throw new FormatError(`CSV: the columns are ${names.join(", ")}; name the one with the contexts context`);
  }
  if (found.type === "text" || found.values.length === 0 || !found.values.every(Number.isFinite)) {
    throw new FormatError(`CSV: the column ${found.name} must hold a finite number for every system`);
  }
  return found.values;
}
