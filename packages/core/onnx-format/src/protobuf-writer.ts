import { requireObject } from "@offprint/tensor-core";
/** Bytes to be written: some that stand somewhere, or several parts one behind the other. */
export type Part = Uint8Array | Message;

/** Parts that are put together only once, when the file is made: weights are copied once, however deep they are. */
export class Message {
  /** Bytes of all parts. */
  readonly length: number;

  constructor(readonly parts: readonly Part[]) {
    requireObject("Message", "parts", parts, "an array");
    this.length = parts.reduce((total, part) => total + part.length, 0);
  }
}

/** The bytes of some parts behind each other. */
export function joined(parts: readonly Part[]): Uint8Array {
  requireObject("joined", "parts", parts, "an array");
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  const write = (part: Part): void => {
    if (part instanceof Message) part.parts.forEach(write);
    else {
      out.set(part, at);
      at += part.length;
    }
  };
  parts.forEach(write);
  return out;
}

/** An integer as two's complement of 64 bits, seven bits a byte. */
function varint(value: number): number[] {
  if (value < 0 || value >= 2 ** 53) return wideVarint(BigInt(value));
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return out;
}

function wideVarint(value: bigint): number[] {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 128n) {
    out.push(Number(rest % 128n) + 128);
    rest /= 128n;
  }
  out.push(Number(rest));
  return out;
}

/** An integer field. */
export function numberField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8), ...varint(value)]);
}

const encoder = new TextEncoder();

/** A field with a length: a message of some parts, bytes, or a text. */
export function lengthField(number: number, ...parts: readonly (Part | string)[]): Message {
  const contents = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  const length = contents.reduce((total, part) => total + part.length, 0);
  return new Message([Uint8Array.from([...varint(number * 8 + 2), ...varint(length)]), ...contents]);
}

/** A field of one float32 number. */
export function floatField(number: number, value: number): Uint8Array {
  const key = varint(number * 8 + 5);
  const out = new Uint8Array(key.length + 4);
  out.set(key);
  new DataView(out.buffer).setFloat32(key.length, value, true);
  return out;
}

/** A repeated field of integers, packed. */
export function integersField(number: number, values: readonly number[]): Message {
  return lengthField(number, Uint8Array.from(values.flatMap((value) => varint(value))));
}

/** A repeated field of float32 numbers, packed. */
export function floatsField(number: number, values: readonly number[]): Message {
  const out = new Uint8Array(4 * values.length);
  const view = new DataView(out.buffer);
  for (const [k, value] of values.entries()) view.setFloat32(4 * k, value, true);
  return lengthField(number, out);
}
