import type { Axis, Values } from "./series.js";

/** A place on an axis with the text beside it. */
export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** Maps values to pixels. */
export interface AxisScale {
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  /** Power of ten that the texts of the ticks leave out, for the axis to name. */
  readonly exponent: number;
  /** Position in [0, 1]; NaN for values that the axis cannot show. */
  place(value: number | null | undefined): number;
  /** Ticks inside the range, about `count` of them. */
  ticks(count: number): Tick[];
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function superscript(exponent: number): string {
  const digits = Array.from(String(Math.abs(exponent)), (digit) => superscripts[Number(digit)]).join("");
  return exponent < 0 ? `⁻${digits}` : digits;
}

function fixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
}

/** Digits after the point that multiples of a step need. */
function decimalsOf(step: number): number {
  let decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals += 1;
  return decimals;
}

/** Power of ten, a multiple of three, that is taken out of very large and very small numbers of a linear axis. */
function commonExponent(low: number, high: number): number {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return largest >= 1e5 || largest < 1e-3 ? 3 * Math.floor(Math.log10(largest) / 3) : 0;
}

/** The least of 1, 2, 2.5, 5 times a power of ten that gives at most `count` steps. */
function niceStep(span: number, count: number): number {
  const power = 10 ** Math.floor(Math.log10(span / Math.max(1, count)));
  return power * ([1, 2, 2.5, 5, 10].find((factor) => span / (factor * power) <= count) ?? 10);
}

function linearTicks(low: number, high: number, count: number): Tick[] {
  const step = niceStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const unit = 10 ** commonExponent(low, high);
  const decimals = decimalsOf(step / unit);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const value = (first + index) * step;
    return { value, text: fixed(value / unit, decimals) };
  });
}

/** Texts of powers of ten: plain numbers when all of them are short. */
function powerTexts(exponents: readonly number[]): string[] {
  const plain = exponents.every((exponent) => exponent >= -3 && exponent <= 4);
  return exponents.map((exponent) =>
    plain || exponent === 0 ? `${Number(`1e${exponent}`)}` : `10${superscript(exponent)}`,
  );
}

function logTicks(low: number, high: number, count: number): Tick[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const decades = last - first + 1;
  if (decades < 2) {
    const ticks = [];
    for (let exponent = first - 1; exponent <= last; exponent++) {
      for (const factor of [1, 2, 5]) {
        const value = factor * 10 ** exponent;
        if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
        const plain = exponent >= -3 && exponent <= 4;
        ticks.push({
          value,
          text: plain ? String(Number(value.toPrecision(1))) : `${factor}×10${superscript(exponent)}`,
        });
      }
    }
    return ticks.length >= 2 ? ticks : linearTicks(low, high, count);
  }
  const stride = Math.ceil(decades / count);
  const exponents: number[] = [];
  for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride)
    exponents.push(exponent);
  const texts = powerTexts(exponents);
  return exponents.map((exponent, index) => ({ value: 10 ** exponent, text: texts[index]! }));
}

/** Beyond this magnitude, and on a logarithmic axis below its inverse, margins and steps would overflow. */
const largestMagnitude = 1e300;

function shown(value: number | null | undefined, log: boolean): value is number {
  if (typeof value !== "number" || !(Math.abs(value) <= largestMagnitude)) return false;
  return !log || value >= 1 / largestMagnitude;
}

/** Smallest and largest of the values that an axis can show, or nothing. */
export function extent(arrays: readonly Values[], log: boolean): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of arrays) {
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      if (!shown(value, log)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : undefined;
}

function padded(low: number, high: number, log: boolean, margin: number): [number, number] {
  if (log) {
    if (low === high) return [low / 3, high * 3];
    const factor = (high / low) ** margin;
    return [Math.max(low / factor, 1e-305), Math.min(high * factor, 1e305)];
  }
  if (low === high) {
    const around = Math.abs(low) > 0 ? Math.abs(low) * 0.5 : 1;
    return [low - around, high + around];
  }
  return [low - (high - low) * margin, high + (high - low) * margin];
}

/** How the range of an axis follows from the data. */
export interface ScaleOptions {
  /** Room beyond the data, as a part of their extent; default 0.04. */
  readonly margin?: number;
  /** A value that a linear axis must include and does not go beyond without data there, such as 0 for bars. */
  readonly base?: number;
}

/** The scale of an axis for the data on it. */
export function axisScale(axis: Axis, data: readonly Values[], options: ScaleOptions = {}): AxisScale {
  const { margin = 0.04, base } = options;
  const log = axis.scale === "log";
  let [low, high] = axis.range ?? [0, 1];
  if (!axis.range) {
    const found = extent(data, log) ?? (log ? [1, 10] : [0, 1]);
    if (base !== undefined && !log) {
      const [least, most] = [Math.min(base, found[0]), Math.max(base, found[1])];
      [low, high] = padded(least, most, log, margin);
      if (least === base) low = base;
      if (most === base && least !== base) high = base;
    } else [low, high] = padded(found[0], found[1], log, margin);
  }
  const transform = log ? Math.log10 : (value: number) => value;
  const [from, to] = [transform(low), transform(high)];
  return {
    low,
    high,
    log,
    exponent: log ? 0 : commonExponent(low, high),
    place: (value) => {
      if (!shown(value, log)) return Number.NaN;
      return (transform(value) - from) / (to - from);
    },
    ticks: (count) => (log ? logTicks(low, high, count) : linearTicks(low, high, count)),
  };
}

/** Text of an axis with its unit, and with the power of ten that its ticks leave out. */
export function axisText({ label, unit }: Axis, exponent = 0): string {
  const parts = [exponent === 0 ? "" : `×10${superscript(exponent)}`, unit ?? ""].filter((part) => part !== "");
  return parts.length === 0 ? label : `${label} (${parts.join(" ")})`;
}
