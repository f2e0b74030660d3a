import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as tc from "../../src/index.js";
import { type DType, linalg, special, type Tensor, tensor } from "../../src/index.js";

interface StoredArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface Case {
  readonly op: string;
  readonly inputs: readonly StoredArray[];
  readonly options: Record<string, any>;
  readonly expected: readonly StoredArray[];
  readonly rtol: number;
}

const cases: Case[] = JSON.parse(readFileSync(new URL("../fixtures/numpy.json", import.meta.url), "utf8"));

const WORDS: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};
const value = (v: number | string): number => (typeof v === "string" ? WORDS[v] : v);

function restore({ dtype, shape, data }: StoredArray): Tensor {
  return tensor(data.map(value), { dtype: (dtype === "bool" ? "bool" : dtype) as DType, shape });
}

/** Operations whose arguments are not (tensors..., options). */
const CALLS: Record<string, (x: Tensor[], o: Record<string, any>) => Tensor | Tensor[]> = {
  cumSum: ([x], o) => tc.cumSum(x, o.axis),
  transpose: ([x], o) => tc.transpose(x, o.permutation),
  swapAxes: ([x], o) => tc.swapAxes(x, o.a, o.b),
  moveAxis: ([x], o) => tc.moveAxis(x, o.from, o.to),
  reshape: ([x], o) => tc.reshape(x, o.shape),
  flip: ([x], o) => tc.flip(x, o.axis),
  roll: ([x], o) => tc.roll(x, o.shift, o.axis),
  tile: ([x], o) => tc.tile(x, o.counts),
  repeat: ([x], o) => tc.repeat(x, o.times, o.axis),
  pad: ([x], o) => tc.pad(x, o.widths, o.value),
  concatenate: (x, o) => tc.concatenate(x, o.axis),
  stack: (x, o) => tc.stack(x, o.axis),
  expandDims: ([x], o) => tc.expandDims(x, o.axis),
  slice: ([x], o) => tc.slice(x, o.index),
  softmax: ([x]) => tc.softmax(x),
  logSoftmax: ([x]) => tc.logSoftmax(x),
  slogdet: ([x]) => {
    const { sign, logAbsDet } = linalg.slogdet(x);
    return [sign, logAbsDet];
  },
  qr: ([x]) => {
    const { q, r } = linalg.qr(x);
    return [q, r];
  },
  cond: ([x]) => linalg.cond(x),
  matrixPower: ([x], o) => linalg.matrixPower(x, o.exponent),
  norm: ([x], o) => linalg.norm(x, o.ord === undefined ? o : { ...o, ord: WORDS[o.ord] ?? o.ord }),
  polygamma: ([x], o) => special.polygamma(o.order, x),
};

function run({ op, inputs, options }: Case): Tensor[] {
  const x = inputs.map(restore);
  const call = CALLS[op];
  if (call !== undefined) return [call(x, options)].flat() as Tensor[];
  const table = [tc, linalg, special].find((t) => op in t) as unknown as Record<string, (...args: unknown[]) => Tensor>;
  return [table[op](...x, ...(Object.keys(options).length > 0 ? [options] : []))];
}

/** Relative difference; NaN, infinities and the sign of 0 must agree. Numbers beside large ones count in their scale. */
function worst(
  actual: Tensor,
  expected: StoredArray,
  scaled: boolean,
  anyZero: boolean,
): [error: number, text: string] {
  const data = actual.data();
  const scale = Math.max(0, ...expected.data.map(value).filter(Number.isFinite).map(Math.abs));
  let error = 0;
  let text = "";
  expected.data.map(value).forEach((e, i) => {
    if (Object.is(data[i], e) || (actual.dtype !== "float64" && actual.dtype !== "float32" && data[i] === e)) return;
    const difference = Math.abs(data[i] - e);
    // NumPy's library rounds some results below the normal numbers to 0.
    if (difference > 0 && difference < 2 ** -1022) return;
    if (data[i] === 0 && e === 0 && anyZero) return;
    const part = Math.abs(data[i] - e) / (scaled ? Math.max(scale, 1e-300) : Math.abs(e));
    const own = Number.isFinite(part) && !(data[i] === 0 && e === 0) ? part : Number.POSITIVE_INFINITY;
    if (own > error) [error, text] = [own, `[${i}] is ${data[i]}, NumPy has ${e}`];
  });
  return [error, text];
}

const SCALED = [
  "sum",
  "prod",
  "mean",
  "cumSum",
  "variance",
  "std",
  "logSumExp",
  "softmax",
  "logSoftmax",
  ...Object.keys(linalg),
];

/** Operations whose zeros may have either sign: NumPy's do not follow a rule, or come from rounding. */
const ANY_ZERO = ["sign", "maximum", "minimum", "lgamma", "logBeta", "qr"];

/** Vector kernels take over from some length on; elementwise cases are repeated up to beyond it. */
const ENOUGH = 400;

function repeated(x: StoredArray): StoredArray {
  const times = Math.ceil(ENOUGH / x.data.length);
  return { dtype: x.dtype, shape: [times * x.data.length], data: Array.from({ length: times }, () => x.data).flat() };
}

describe("NumPy and SciPy give the same", () => {
  it.each([...new Set(cases.map((c) => c.op))])("%s", (op) => {
    const own = cases.filter((c) => c.op === op);
    const elementwise = own.filter(
      (c) =>
        [...c.inputs, ...c.expected].every((x) => x.shape.length === 1 && x.shape[0] === c.inputs[0].shape[0]) &&
        (Object.keys(c.options).length === 0 || op === "polygamma") &&
        !["lstsq", "softmax"].includes(op),
    );
    const long = elementwise.map((c) => ({ ...c, inputs: c.inputs.map(repeated), expected: c.expected.map(repeated) }));
    for (const entry of [...own, ...long.filter((c) => c.inputs[0].data.length > 0)]) {
      const label = `${op} ${JSON.stringify(entry.options)} of ${entry.inputs.map((x) => `${x.dtype}[${x.shape}]`)}`;
      const results = run(entry);
      entry.expected.forEach((expected, i) => {
        expect(results[i].shape, label).toEqual(expected.shape);
        expect(results[i].dtype, label).toBe(expected.dtype);
        const [error, text] = worst(results[i], expected, SCALED.includes(op), ANY_ZERO.includes(op));
        expect(
          error,
          `${label}: ${text}; inputs ${entry.inputs.map((x) => (x.data.length < 200 ? x.data[Number.parseInt(text.slice(1), 10)] : ""))}`,
        ).toBeLessThanOrEqual(entry.rtol);
      });
    }
  });
});
