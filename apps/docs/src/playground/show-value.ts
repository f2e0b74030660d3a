import { isTensor } from "@offprint/tensor-core";

const deepest = 4;
const mostItems = 60;

function listed(items: readonly string[], length: number, open: string, close: string): string {
  const more = length > items.length ? [`… ${length - items.length} more`] : [];
  const all = [...items, ...more];
  const line = `${open}${all.join(", ")}${close}`;
  if (line.length <= 100 && !line.includes("\n")) return line;
  return `${open}\n${all.map((item) => `  ${item.replaceAll("\n", "\n  ")}`).join(",\n")}\n${close}`;
}

function entries(pairs: Iterable<readonly [unknown, unknown]>, depth: number): string[] {
  return [...pairs].slice(0, mostItems).map(([key, value]) => `${String(key)}: ${shown(value, depth + 1)}`);
}

function shown(value: unknown, depth: number): string {
  if (typeof value === "string") return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === "function") return `[function ${value.name || "without a name"}]`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (isTensor(value)) return String(value);
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (depth >= deepest) return Array.isArray(value) ? `[array of ${value.length}]` : "{…}";
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    const array = value as ArrayLike<unknown>;
    const items = Array.from({ length: Math.min(array.length, mostItems) }, (_, index) =>
      shown(array[index], depth + 1),
    );
    const name = Array.isArray(value) ? "" : `${value.constructor.name}(${array.length}) `;
    return listed(items, array.length, `${name}[`, "]");
  }
  if (value instanceof Map) return listed(entries(value, depth), value.size, "Map {", "}");
  if (value instanceof Set) return listed(entries(value.entries(), depth), value.size, "Set {", "}");
  const pairs = Object.entries(value);
  return listed(entries(pairs, depth), pairs.length, "{ ", " }");
}

/** A value as a console would show it; strings at the top stay as they are. */
export function showValue(value: unknown): string {
  return shown(value, 0);
}

/** Rows and columns of what `console.table` is given: an array or object of objects, arrays or values. */
export function tableOf(data: unknown): { columns: string[]; rows: string[][] } | undefined {
  if (typeof data !== "object" || data === null || isTensor(data)) return undefined;
  const records = Object.entries(data);
  const columns = new Set<string>();
  for (const [, row] of records) {
    for (const name of typeof row === "object" && row !== null ? Object.keys(row) : ["value"]) columns.add(name);
  }
  const cells = (row: unknown) =>
    [...columns].map((name) => {
      if (typeof row !== "object" || row === null) return name === "value" ? showValue(row) : "";
      return name in row ? showValue((row as Record<string, unknown>)[name]) : "";
    });
  return { columns: ["", ...columns], rows: records.map(([key, row]) => [key, ...cells(row)]) };
}
