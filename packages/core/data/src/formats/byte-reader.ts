import { FormatError } from "@offprint/tensor-core";

/** Reads numbers and bytes of a file in order; every read is checked against the end of the file. */
export class ByteReader {
  readonly format: string;
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  /** Position of the next read. */
  offset = 0;

  constructor(format: string, bytes: Uint8Array) {
    if (!(bytes instanceof Uint8Array)) {
      throw new FormatError(`${format}: the file must be given as a Uint8Array of its bytes`);
    }
    this.format = format;
    // a plain view: slices of a Node Buffer would share its memory
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes left. */
  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** The next `count` bytes, shared with the file. */
  take(count: number, what: string): Uint8Array {
    const at = this.advance(count, what);
    return this.bytes.subarray(at, at + count);
  }

  uint8(what: string): number {
    return this.view.getUint8(this.advance(1, what));
  }

  uint16(what: string, littleEndian: boolean): number {
    return this.view.getUint16(this.advance(2, what), littleEndian);
  }

  uint32(what: string, littleEndian: boolean): number {
    return this.view.getUint32(this.advance(4, what), littleEndian);
  }

  /** A 64-bit count; ones beyond 2^53 cannot be sizes of anything here. */
  uint64(what: string, littleEndian: boolean): number {
    const at = this.advance(8, what);
    const value = Number(this.view.getBigUint64(at, littleEndian));
    if (value > Number.MAX_SAFE_INTEGER) this.fail(`${what} is ${value}, more than any file holds`, at);
    return value;
  }

  /** Moves on and returns the position before. */
  private advance(count: number, what: string): number {
    const at = this.offset;
    if (!(count <= this.remaining)) {
      this.fail(
        `the file ends within ${what}: ${count} bytes needed, ${this.remaining} left; it seems to be truncated`,
      );
    }
    this.offset += count;
    return at;
  }

  /** Throws a FormatError that names the format and the place. */
  fail(message: string, offset = this.offset): never {
    throw new FormatError(`${this.format}: ${message} (at byte ${offset})`, { offset });
  }
}

/** Whether a file begins with the given bytes. */
export function startsWith(bytes: Uint8Array, magic: ArrayLike<number>): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[i] !== magic[i]) return false;
  return true;
}

/** Bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * A text file's text; bytes must be UTF-8, of which a byte order mark is dropped.
 * @throws FormatError for bytes that are not UTF-8.
 */
export function decodeText(format: string, file: string | Uint8Array): string {
  if (typeof file === "string") return file.charCodeAt(0) === 0xfeff ? file.slice(1) : file;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(file);
  } catch (cause) {
    throw new FormatError(`${format}: the file is not UTF-8 text; convert it, or check that it is the right file`, {
      cause,
    });
  }
}

/** Joins byte arrays. */
export function concatenateBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
