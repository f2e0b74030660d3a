import { checkOptions, DTypeError, requireObject, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { requireChoice } from "../option-choice.js";

/** How the fields of a column are read. */
export type ColumnType = "number" | "integer" | "boolean" | "text";

/** A column of numbers (booleans as 0 and 1), NaN where missing, or of texts, null where missing. */
export type Column =
  | { readonly name: string; readonly type: "number" | "integer" | "boolean"; readonly values: Float64Array }
  | { readonly name: string; readonly type: "text"; readonly values: readonly (string | null)[] };

/** Named columns of equal length. */
export class Table {
  /** In the order of the file. */
  readonly columns: readonly Column[];
  /** Number of rows. */
  readonly rows: number;

  /** @throws ValueError for columns of different lengths or of one name. */
  constructor(columns: readonly Column[]) {
    requireObject("Table", "columns", columns, "an array");
    this.columns = columns;
    this.rows = columns[0]?.values.length ?? 0;
    const names = new Set<string>();
    for (const { name, values } of columns) {
      if (values.length !== this.rows) {
        throw new ValueError(
          `Table: column ${name} has ${values.length} rows, the first has ${this.rows}; make them equal`,
        );
      }
      if (names.has(name)) throw new ValueError(`Table: two columns have the name ${name}; rename one`);
      names.add(name);
    }
  }

  /** Names of the columns, in order. */
  get names(): string[] {
    return this.columns.map(({ name }) => name);
  }

  /**
   * The column of a name.
   * @throws ValueError for an unknown one.
   */
  column(name: string): Column {
    const found = this.columns.find((column) => column.name === name);
    if (found === undefined) throw new ValueError(`Table: there is no column ${name}; it has ${this.names.join(", ")}`);
    return found;
  }

  /**
   * Columns of numbers side by side, of shape `[rows, columns]`; NaN where a value is missing.
   * @param names default: all columns that are not texts.
   */
  tensor(names?: readonly string[], options: { dtype?: "float32" | "float64" } = {}): Tensor {
    checkOptions("Table.tensor", options, ["dtype"]);
    requireChoice("Table.tensor", "dtype", options.dtype, ["float32", "float64"]);
    const list = names?.map((name) => this.column(name)) ?? this.columns.filter(({ type }) => type !== "text");
    const out = new Float64Array(this.rows * list.length);
    list.forEach((column, j) => {
      if (column.type === "text") {
        throw new DTypeError(`Table.tensor: column ${column.name} holds texts; use categories("${column.name}")`);
      }
      for (let i = 0; i < this.rows; i++) out[i * list.length + j] = column.values[i];
    });
    return tensor(options.dtype === "float64" ? out : Float32Array.from(out), { shape: [this.rows, list.length] });
  }

  /** The distinct values of a column in order of first appearance, and the place of each row's in them (int32, -1 if missing). */
  categories(name: string): { codes: Tensor; labels: string[] } {
    const { values } = this.column(name);
    const places = new Map<string, number>();
    const codes = Int32Array.from({ length: this.rows }, (_, i) => {
      const value = values[i];
      if (value === null || Number.isNaN(value)) return -1;
      const key = String(value);
      const place = places.get(key) ?? places.size;
      places.set(key, place);
      return place;
    });
    return { codes: tensor(codes), labels: [...places.keys()] };
  }
}
