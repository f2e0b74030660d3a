import { requireObject } from "@offprint/tensor-core";
/** A value to show beside another: a number, a text such as `> 0.75`, or several named numbers. */
export type Quantity = number | string | { readonly [name: string]: number | string };

const minus = "\u2212";
const noBreak = "\u00a0";

/**
 * A number for a reader, in a sentence or a table: at most `digits` significant digits, powers of ten for very large and
 * very small magnitudes, a minus sign at which no line breaks.
 */
export function figure(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${minus}∞`;
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value).replace("-", minus);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-3) {
    const [mantissa = "", exponent = "0"] = value.toExponential(digits - 1).split("e");
    return `${mantissa.replace(/\.?0+$/, "")}e${Number(exponent)}`.replaceAll("-", minus);
  }
  return String(Number(value.toPrecision(digits))).replace("-", minus);
}

/**
 * A quantity for a reader; named numbers are listed as `Adam: 0.2, diffGrad: −0.3`, with no-break spaces inside each, so
 * that a number stays with its name, and a minus sign in names such as `c = 1e-8`.
 */
export function formatQuantity(value: Quantity): string {
  if (typeof value === "number") return figure(value);
  if (typeof value === "string") return value;
  requireObject("formatQuantity", "value", value, "a number, a text or named numbers");
  return Object.entries(value)
    .map(([name, part]) => `${unbroken(name)}:${noBreak}${typeof part === "number" ? figure(part) : part}`)
    .join(", ");
}

/** A name in one piece: between its words no line breaks, nor behind the hyphens that stand for minus signs. */
function unbroken(name: string): string {
  return name.replaceAll(" ", noBreak).replaceAll(/(?<=\d[eE])-(?=\d)|(?<![^\s=(<>≤≥,])-(?=[\d.])/g, minus);
}

/** A duration in seconds for a reader: `430 ms`, `12.3 s`, `4 min 5 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1e-3) return `${Number((seconds * 1e6).toPrecision(3))} µs`;
  if (seconds < 0.9995) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
