import { type ElementType, UnsupportedError } from "@offprint/tensor-core";
import type { ByteReader } from "./byte-reader.js";

/** What the header of an .npy file says. */
export interface NpyHeader {
  readonly type: ElementType;
  readonly littleEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const MAX_HEADER = 1 << 20;
const MAX_RANK = 64;

const types: Record<string, ElementType> = {
  b1: "bool",
  i1: "int8",
  u1: "uint8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
};

type Literal = string | boolean | number | readonly Literal[] | { readonly [key: string]: Literal };

/**
 * Reads signature, version and the Python dictionary behind them.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function readNpyHeader(reader: ByteReader): NpyHeader {
  const signature = reader.take(6, "the signature");
  if (signature[0] !== 0x93 || String.fromCharCode(...signature.subarray(1)) !== "NUMPY") {
    reader.fail("the file does not begin with \\x93NUMPY; it is not an .npy file", 0);
  }
  const major = reader.uint8("the version");
  reader.uint8("the version");
  if (major < 1 || major > 3) reader.fail(`version ${major} is not 1, 2 or 3`, 6);
  const length = major === 1 ? reader.uint16("the header length", true) : reader.uint32("the header length", true);
  if (length > MAX_HEADER)
    reader.fail(`a header of ${length} bytes is longer than ${MAX_HEADER}; the file is damaged`, 8);
  const start = reader.offset;
  const text = new TextDecoder("latin1").decode(reader.take(length, "the header"));
  const literal = new LiteralParser(text, (message, at) => reader.fail(message, start + at)).parse();
  return interpret(reader, literal, start);
}

function interpret(reader: ByteReader, literal: Literal, start: number): NpyHeader {
  const fail = (message: string): never => reader.fail(`${message}; the header is damaged`, start);
  if (typeof literal !== "object" || Array.isArray(literal)) return fail("the header is not a dictionary");
  const { descr, fortran_order: fortranOrder, shape } = literal as { readonly [key: string]: Literal };
  if (typeof fortranOrder !== "boolean") return fail("fortran_order is not True or False");
  const isShape = Array.isArray(shape) && shape.length <= MAX_RANK && shape.every(Number.isSafeInteger);
  if (!isShape) return fail("shape is not a tuple of integers");
  if (Array.isArray(descr)) {
    throw new UnsupportedError("npy: records of several fields are not supported; save each field as its own array");
  }
  if (typeof descr !== "string") return fail("descr is not a type");
  const match = /^([<>|=])?([a-zA-Z])(\d*)$/.exec(descr);
  if (match === null) return fail(`descr ${JSON.stringify(descr.slice(0, 40))} is not a type`);
  const type = types[match[2] + match[3]];
  if (type === undefined) {
    const remedy =
      match[2] === "c" ? "save real and imaginary part as two arrays" : "convert it to numbers or booleans";
    throw new UnsupportedError(`npy: type ${descr} is not supported; ${remedy} before saving`);
  }
  return { type, littleEndian: match[1] !== ">", fortranOrder, shape: shape as number[] };
}

/** The part of Python's literals that headers are written in: dictionaries, tuples, lists, strings, integers, booleans. */
class LiteralParser {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly raise: (message: string, at: number) => never,
  ) {}

  parse(): Literal {
    const value = this.value();
    this.space();
    if (this.at !== this.text.length) this.fail("something follows the dictionary");
    return value;
  }

  private value(): Literal {
    this.space();
    if (++this.depth > 16) this.fail("it is nested too deeply");
    try {
      const next = this.text[this.at];
      if (next === "{") return this.dictionary();
      if (next === "(") return this.sequence(")");
      if (next === "[") return this.sequence("]");
      if (next === "'" || next === '"') return this.string();
      const word = /^(?:True|False|\d{1,16}L?)(?![\w.])/.exec(this.text.slice(this.at, this.at + 20))?.[0];
      if (word === undefined) return this.fail("a value is missing or of an unknown kind");
      this.at += word.length;
      return word === "True" ? true : word === "False" ? false : Number.parseInt(word, 10);
    } finally {
      this.depth--;
    }
  }

  private dictionary(): Literal {
    const entries: [string, Literal][] = [];
    this.at++;
    while (!this.closes("}")) {
      if (!/["']/.test(this.text[this.at] ?? "")) this.fail("a key is missing");
      const key = this.string();
      this.space();
      if (this.text[this.at++] !== ":") this.fail("a colon is missing");
      entries.push([key, this.value()]);
      this.comma("}");
    }
    return Object.fromEntries(entries);
  }

  private sequence(end: string): Literal {
    const items: Literal[] = [];
    this.at++;
    while (!this.closes(end)) {
      items.push(this.value());
      this.comma(end);
    }
    return items;
  }

  private string(): string {
    const end = this.text.indexOf(this.text[this.at], this.at + 1);
    if (end < 0) this.fail("a string does not end");
    const content = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return content;
  }

  /** Steps over a separator, which must be there unless the end is next. */
  private comma(end: string): void {
    this.space();
    if (this.text[this.at] === ",") this.at++;
    else if (this.text[this.at] !== end) this.fail("a comma is missing");
  }

  private closes(end: string): boolean {
    this.space();
    if (this.text[this.at] !== end) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
  }

  private fail(message: string): never {
    return this.raise(`the header is not a Python dictionary: ${message}; the file is damaged`, this.at);
  }
}
