import { type Column, readCsv, type Table } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError } from "@offprint/tensor-core";
import type { SearchSpace, Trial, Variable } from "../src/index.js";

/** The trials of a table: a column for each variable and each objective. @throws FormatError, ValueError that name file, row and column. */
export async function readTrials(path: string, space: SearchSpace, objectives: readonly string[]): Promise<Trial[]> {
  const table = await loadFile(path, (bytes) => tableOf(bytes, space));
  const column = (name: string): Column => {
    const found = table.columns.find((each) => each.name === name);
    if (found !== undefined) return found;
    const there = table.columns.map((each) => each.name).join(", ");
    throw new FormatError(`${path}: there is no column ${name}; it has ${there}`);
  };
  const settings = space.names.map(column);
  const values = objectives.map(column);
  return Array.from({ length: table.rows }, (_, i) => {
    const at = `${path}: row ${i + 1}`;
    const trial = {
      settings: settings.map((each, j) => settingOf(at, each, i, space.variables[j])),
      values: values.map((each) => numberOf(at, each, i)),
    };
    space.encode(at, trial.settings);
    return trial;
  });
}

/** Words of choices are texts, whatever they look like. */
function tableOf(bytes: Uint8Array, { names, variables }: SearchSpace): Table {
  const missing = [""];
  const { columns } = readCsv(bytes, { missing });
  const words = columns.filter(({ name }) => variables[names.indexOf(name)]?.kind === "choice");
  return readCsv(bytes, { missing, types: Object.fromEntries(words.map(({ name }) => [name, "text"])) });
}

function textOf(at: string, { name, values }: Column, row: number): string {
  const cell = values[row];
  if (cell !== null && !Number.isNaN(cell)) return String(cell).trim();
  throw new FormatError(`${at}: ${name} is empty; fill it in, or leave out the row of a trial that was not made`);
}

function numberOf(at: string, column: Column, row: number): number {
  const text = textOf(at, column, row);
  const value = text === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new FormatError(`${at}: ${column.name} is "${text}"; it must be a finite number`);
}

function settingOf(at: string, column: Column, row: number, variable: Variable): string | number {
  if (variable.kind !== "choice") return numberOf(at, column, row);
  const text = textOf(at, column, row);
  const same = (value: string | number) =>
    String(value) === text || (typeof value === "number" && Number(text) === value);
  return variable.values.find(same) ?? text;
}
