import { FormatError } from "@offprint/tensor-core";

/** A field of a protobuf message: its number, and where it lies. */
export interface Field {
  /** Number in the message's definition. */
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 with a length, 5 four bytes. */
  readonly wireType: number;
  /** First byte of the field, its key included. */
  readonly begin: number;
  /** First byte of its content. */
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
}

function varint(bytes: Uint8Array, at: number, end: number): [value: number, next: number] {
  let value = 0;
  let factor = 1;
  for (let i = at; i < Math.min(end, at + 10); i++) {
    value += (bytes[i] & 127) * factor;
    if (bytes[i] < 128) return [value, i + 1];
    factor *= 128;
  }
  throw new FormatError("onnx: the file breaks off inside a number; it is damaged", { offset: at });
}

/** The fields of the message in `bytes[start..end)`; nothing is copied. */
export function* fields(bytes: Uint8Array, start = 0, end = bytes.length): Generator<Field> {
  let at = start;
  while (at < end) {
    const [key, content] = varint(bytes, at, end);
    const wireType = key % 8;
    let [first, next] = [content, content];
    if (wireType === 0) next = varint(bytes, content, end)[1];
    else if (wireType === 1) next = content + 8;
    else if (wireType === 5) next = content + 4;
    else if (wireType === 2) {
      const [length, body] = varint(bytes, content, end);
      [first, next] = [body, body + length];
    } else throw new FormatError(`onnx: a field has wire type ${wireType}; this is no ONNX model`, { offset: at });
    if (next > end)
      throw new FormatError("onnx: a field reaches beyond its end; the file is truncated", { offset: at });
    yield { number: Math.floor(key / 8), wireType, begin: at, start: first, end: next };
    at = next;
  }
}

/** Content of a varint field. */
export function numberOf(bytes: Uint8Array, { start, end }: Field): number {
  return varint(bytes, start, end)[0];
}

/** Content of a text field. */
export function textOf(bytes: Uint8Array, { start, end }: Field): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}

function encodedVarint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}

/** A varint field. */
export function numberField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...encodedVarint(number * 8), ...encodedVarint(value)]);
}

/** A field with a length: a message of some parts, or a text. */
export function lengthField(number: number, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const contents = parts.map((part) => (typeof part === "string" ? new TextEncoder().encode(part) : part));
  const length = contents.reduce((total, part) => total + part.length, 0);
  return joined([Uint8Array.from([...encodedVarint(number * 8 + 2), ...encodedVarint(length)]), ...contents]);
}

/** Some bytes behind each other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
