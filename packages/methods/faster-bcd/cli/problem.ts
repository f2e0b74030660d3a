import { sparse, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "../src/index.js";
import { labelPropagation, leastSquares, logistic, quadratic, softmaxRegression } from "../src/index.js";
import { classesOf, numbersOf, readLabelFile, readMatrixFile, readVectorFile } from "./problem-files.js";

/** The problems that the command solves. */
export const kinds = ["least-squares", "logistic", "softmax", "quadratic", "labels"] as const;

/** One of them. */
export type Kind = (typeof kinds)[number];

/** A problem from files, and how its solution is written. */
export interface FileProblem {
  readonly smooth: BlockObjective;
  /** What it is, in words. */
  readonly description: string;
  /** The solution as a table: names of columns, and of rows with their values. */
  table(x: Float64Array): { columns: string[]; rows: (string | number)[][] };
}

/** Reads the problem that the options describe. */
export async function readProblem(
  data: string,
  kind: Kind,
  target: string | undefined,
  firstNode: number,
  features?: readonly string[],
): Promise<FileProblem> {
  if (kind === "labels") return labelProblem(data, target, firstNode);
  const file = await readMatrixFile(data, target, features);
  const [rows, columns] = file.matrix.shape;
  const targets = file.targets ?? (target === undefined ? undefined : await readVectorFile(target));
  if (targets === undefined)
    throw new ValueError(`--target: ${data} holds a matrix only; give the file of its right side`);
  const names = file.names ?? Array.from({ length: columns }, (_, j) => String(j + 1));
  const size = `${rows} x ${columns}${sparse.isSparseMatrix(file.matrix) ? `, ${file.matrix.entries} entries` : ""}`;
  const vector = (x: Float64Array) => ({ columns: ["variable", "value"], rows: names.map((name, j) => [name, x[j]]) });
  if (kind === "quadratic") {
    return { smooth: quadratic(file.matrix, numbersOf(targets)), description: `quadratic, ${size}`, table: vector };
  }
  if (kind === "least-squares") {
    return {
      smooth: leastSquares(file.matrix, numbersOf(targets)),
      description: `least squares, ${size}`,
      table: vector,
    };
  }
  const { names: classes, labels } = classesOf(targets);
  if (kind === "logistic") {
    if (classes.length !== 2)
      throw new ValueError(
        `--problem logistic: the target has ${classes.length} values; it needs two, or take softmax`,
      );
    const y = Float64Array.from(labels, (c) => 2 * c - 1);
    return {
      smooth: logistic(file.matrix, y),
      description: `logistic regression, ${size}, positive class ${classes[1]}`,
      table: vector,
    };
  }
  return {
    smooth: softmaxRegression(file.matrix, labels, classes.length),
    description: `softmax regression, ${size}, ${classes.length} classes`,
    table: (x) => ({
      columns: ["variable", ...classes.map((name) => `class ${name}`)],
      rows: names.map((name, f) => [name, ...x.subarray(f * classes.length, (f + 1) * classes.length)]),
    }),
  };
}

async function labelProblem(data: string, target: string | undefined, firstNode: number): Promise<FileProblem> {
  if (target === undefined)
    throw new ValueError("--target: give the .csv file of the known labels, with the columns node and value");
  const { matrix } = await readMatrixFile(data);
  if (!sparse.isSparseMatrix(matrix))
    throw new ValueError(`${data}: give the graph as a sparse MatrixMarket file (coordinate)`);
  const labels = await readLabelFile(target, firstNode);
  const smooth = labelPropagation(matrix, labels);
  return {
    smooth,
    description: `label propagation, ${matrix.rows} nodes, ${labels.size} labelled`,
    table: (x) => ({
      columns: ["node", "value"],
      rows: Array.from(smooth.complete(x), (value, i) => [i + firstNode, value]),
    }),
  };
}
