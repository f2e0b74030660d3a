import { FormatError, requireObject } from "@offprint/tensor-core";

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

/** A part of a file: all of it, or the content of one of its fields. */
export type Range = Pick<Field, "start" | "end">;

const HALF = 2 ** 32;

/** A varint as two's complement of 64 bits; numbers beyond 2^53 are saturated, as exporters write the largest int64 for "to the end". */
function varint(bytes: Uint8Array, at: number, end: number): [value: number, next: number] {
  let low = 0;
  let high = 0;
  const last = Math.min(end, at + 10);
  for (let i = at, factor = 1; i < last; i++, factor *= 128) {
    const digit = bytes[i] & 127;
    // The fifth digit stands across the two halves.
    if (i < at + 4) low += digit * factor;
    else if (i === at + 4) {
      low += (digit & 15) * factor;
      high += digit >>> 4;
    } else high += digit * (factor / HALF);
    if (bytes[i] < 128) return [saturated(((high % HALF) | 0) * HALF + low), i + 1];
  }
  throw new FormatError("onnx: the file breaks off inside a number; it is damaged", { offset: at });
}

function saturated(value: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

/** The fields of the message in `bytes[start..end)`; nothing is copied. */
export function* fields(bytes: Uint8Array, { start, end }: Range = { start: 0, end: bytes.length }): Generator<Field> {
  requireObject("fields", "bytes", bytes, "a Uint8Array");
  let at = start;
  while (at < end) {
    const [key, content] = varint(bytes, at, end);
    const wireType = key & 7;
    let [first, next] = [content, content];
    if (wireType === 0) next = varint(bytes, content, end)[1];
    else if (wireType === 1) next = content + 8;
    else if (wireType === 5) next = content + 4;
    else if (wireType === 2) {
      const [length, body] = varint(bytes, content, end);
      [first, next] = [body, body + length];
    } else throw new FormatError(`onnx: a field has wire type ${wireType}; this is no ONNX model`, { offset: at });
    if (next > end || next < first) {
      throw new FormatError("onnx: a field reaches beyond its end; the file is truncated", { offset: at });
    }
    yield { number: Math.floor(key / 8), wireType, begin: at, start: first, end: next };
    at = next;
  }
}

function requireWireType(field: Field, ...allowed: readonly number[]): void {
  if (allowed.includes(field.wireType)) return;
  throw new FormatError(`onnx: field ${field.number} is of the wrong kind (${field.wireType}); the file is damaged`, {
    offset: field.begin,
  });
}

/** Content of a field with a length, a part of the file's own memory. */
export function bytesOf(bytes: Uint8Array, field: Field): Uint8Array {
  requireWireType(field, 2);
  return bytes.subarray(field.start, field.end);
}

/** The field itself, checked to be a message. */
export function messageOf(field: Field): Field {
  requireObject("messageOf", "field", field, "a Field");
  requireWireType(field, 2);
  return field;
}

/** Content of an integer field; beyond 2^53 saturated. */
export function numberOf(bytes: Uint8Array, field: Field): number {
  requireObject("numberOf", "bytes", bytes, "a Uint8Array");
  requireObject("numberOf", "field", field, "a Field");
  requireWireType(field, 0);
  return varint(bytes, field.start, field.end)[0];
}

const decoder = new TextDecoder();

/** Content of a text field. */
export function textOf(bytes: Uint8Array, field: Field): string {
  requireObject("textOf", "bytes", bytes, "a Uint8Array");
  requireObject("textOf", "field", field, "a Field");
  return decoder.decode(bytesOf(bytes, field));
}

/** Adds the integers of a repeated field, one or many packed, to a list; `limit` is how many it may hold in the end. */
export function appendIntegers(into: number[], bytes: Uint8Array, field: Field, limit = Infinity): void {
  requireWireType(field, 0, 2);
  for (let at = field.start; at < field.end; ) {
    const [value, next] = varint(bytes, at, field.end);
    if (into.push(value) > limit) {
      throw new FormatError(`onnx: a list holds more than ${limit} numbers; the file is damaged`, { offset: at });
    }
    at = next;
  }
}

/** Float32 of a field of one. */
export function floatOf(bytes: Uint8Array, field: Field): number {
  requireWireType(field, 5);
  return viewOf(bytes).getFloat32(field.start, true);
}

/** Adds the float32 numbers of a repeated field, one or many packed, to a list. */
export function appendFloats(into: number[], bytes: Uint8Array, field: Field): void {
  requireWireType(field, 5, 2);
  const view = viewOf(bytes);
  if ((field.end - field.start) % 4 !== 0) {
    throw new FormatError("onnx: a list of numbers ends within one; the file is damaged", { offset: field.begin });
  }
  for (let at = field.start; at < field.end; at += 4) into.push(view.getFloat32(at, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
