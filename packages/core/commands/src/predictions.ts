import { type Column, Table, writeCsv } from "@offprint/data";
import { saveFile } from "@offprint/data/node";
import { requireObject, ShapeError, type Tensor } from "@offprint/tensor-core";
import type { CommandInput } from "./command.js";

/** Predicted numbers. */
export interface PredictedNumbers {
  /** Name of what is predicted. */
  readonly target: string;
  /** `[rows]` or `[rows, outputs]`. */
  readonly values: Tensor;
}

/** Predicted classes. */
export interface PredictedClasses {
  /** Name of what is predicted. */
  readonly target: string;
  /** The class of each row. */
  readonly predicted: readonly string[];
  /** Names of all classes. */
  readonly classes: readonly string[];
  /** `[rows, classes]`, where the model has them. */
  readonly probabilities?: Tensor;
  /** `[rows]`: what the class is decided by, where it is of interest. */
  readonly scores?: Tensor;
}

/** A column of a matrix `[rows, columns]` or a vector `[rows]`. */
function columnOf(x: Tensor, column: number, columns: number): Float64Array {
  const data = x.data();
  return Float64Array.from({ length: data.length / columns }, (_, row) => data[row * columns + column]!);
}

function matrixColumns(x: Tensor, names: readonly string[]): Column[] {
  const columns = x.rank === 1 ? 1 : x.shape[x.rank - 1]!;
  if (columns !== names.length) {
    throw new ShapeError(`writePredictions: ${names.length} columns for values of shape [${x.shape}]`);
  }
  return names.map((name, c) => ({ name, type: "number", values: columnOf(x, c, columns) }));
}

/**
 * Predictions as a table: numbers in columns of the target's name (`y`, or `y 0`, `y 1`, ...); classes by name, then
 * `score`, then `probability <class>` for each.
 */
export function predictionTable(found: PredictedNumbers | PredictedClasses): Table {
  requireObject("predictionTable", "found", found, "a PredictedNumbers or a PredictedClasses");
  if ("values" in found) {
    const { target, values } = found;
    const outputs = values.rank === 1 ? 1 : values.shape[1]!;
    const names = outputs === 1 ? [target] : Array.from({ length: outputs }, (_, k) => `${target} ${k}`);
    return new Table(matrixColumns(values, names));
  }
  const { target, predicted, classes, probabilities, scores } = found;
  return new Table([
    { name: target, type: "text", values: [...predicted] },
    ...(scores ? matrixColumns(scores, ["score"]) : []),
    ...(probabilities
      ? matrixColumns(
          probabilities,
          classes.map((name) => `probability ${name}`),
        )
      : []),
  ]);
}

/** Writes predictions to a CSV file, or prints them where there is no path. */
export async function writePredictions(
  pick: Pick<CommandInput, "print">,
  path: string | undefined,
  found: PredictedNumbers | PredictedClasses,
): Promise<void> {
  requireObject("writePredictions", "pick", pick, "{ print }");
  requireObject("writePredictions", "found", found, "a PredictedNumbers or a PredictedClasses");
  const { print } = pick;
  const table = predictionTable(found);
  const text = writeCsv(table);
  if (path === undefined) return print(text.trimEnd());
  await saveFile(path, text);
  print(`${table.rows} predictions written: ${path}`);
}
