import { type Tensor, tensor } from "@offprint/tensor-core";
import { inflateSync } from "fflate";

/** Bytes that were deflated and written in base64 to stand in a module. */
export function unpack(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return inflateSync(bytes);
}

/** Inputs `[rows, columns]` and class numbers `[rows]` of a table that was written as text; the class is the last column. */
export function tabularSet(
  base64: string,
  dtype: "float32" | "float64" = "float32",
): { inputs: Tensor; targets: Tensor } {
  const rows = new TextDecoder()
    .decode(unpack(base64))
    .trimEnd()
    .split("\n")
    .map((line) => line.split(",").map(Number));
  const width = rows[0].length - 1;
  const values = rows.flatMap((row) => row.slice(0, width));
  return {
    inputs: tensor(Float64Array.from(values), { dtype, shape: [rows.length, width] }),
    targets: tensor(Int32Array.from(rows, (row) => row[width])),
  };
}
