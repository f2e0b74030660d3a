import { isFloat } from "./dtype.js";
import { formatShape, rowMajorStrides } from "./shape.js";
import type { Tensor } from "./tensor.js";
import { contiguousData } from "./tensor.js";

const EDGE_ITEMS = 3;
const SUMMARY_SIZE = 200;

function formatNumber(value: number, float: boolean): string {
  if (!float || !Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-4) return value.toExponential(4);
  return String(Number(value.toPrecision(6)));
}

/** A tensor as a person reads it: dtype, shape, and the values (the edges of large ones). */
export function formatTensor(x: Tensor): string {
  const head = `Tensor ${x.dtype} ${formatShape(x.shape)}`;
  if (x.storage.kind === "device") return `${head} on ${x.storage.device}`;
  if (x.storage.kind !== "host") return `${head} (${x.storage.kind})`;
  const data = contiguousData(x);
  const float = isFloat(x.dtype);
  const text = (i: number) => (x.dtype === "bool" ? String(data[i] !== 0) : formatNumber(data[i], float));
  const strides = rowMajorStrides(x.shape);
  const summarise = x.size > SUMMARY_SIZE;
  const build = (axis: number, offset: number, indent: string): string => {
    if (axis === x.rank) return text(offset);
    const extent = x.shape[axis];
    const parts: string[] = [];
    for (let i = 0; i < extent; i++) {
      if (summarise && extent > 2 * EDGE_ITEMS && i === EDGE_ITEMS) {
        parts.push("...");
        i = extent - EDGE_ITEMS;
      }
      parts.push(build(axis + 1, offset + i * strides[axis], `${indent} `));
    }
    return `[${parts.join(axis === x.rank - 1 ? ", " : `,\n${indent} `)}]`;
  };
  return `${head}\n${build(0, 0, "")}`;
}
