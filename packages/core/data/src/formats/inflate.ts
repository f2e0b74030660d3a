import { FormatError } from "@offprint/tensor-core";
import { Inflate } from "fflate";
import { ByteReader, startsWith } from "./byte-reader.js";

const PIECE = 1 << 16;
/** A deflated byte cannot stand for more: 258 bytes in two bits. */
const MOST_EXPANSION = 1032;

/** CRC-32 (ISO 3309) of every byte, then of every byte followed by 1, 2 and 3 zero bytes. */
const crcTables = crcTable();

function crcTable(): readonly Int32Array[] {
  const single = Int32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  const tables = [single];
  for (let k = 1; k < 4; k++) tables.push(tables[k - 1].map((c) => single[c & 255] ^ (c >>> 8)));
  return tables;
}

/** CRC-32 of the parts, one after another, as zip, gzip and PNG use it. */
export function crc32(...parts: Uint8Array[]): number {
  const [t0, t1, t2, t3] = crcTables;
  let c = -1;
  for (const part of parts) {
    const whole = part.length & ~3;
    let i = 0;
    for (; i < whole; i += 4) {
      c ^= part[i] | (part[i + 1] << 8) | (part[i + 2] << 16) | (part[i + 3] << 24);
      c = t3[c & 255] ^ t2[(c >>> 8) & 255] ^ t1[(c >>> 16) & 255] ^ t0[c >>> 24];
    }
    for (; i < part.length; i++) c = t0[(c ^ part[i]) & 255] ^ (c >>> 8);
  }
  return (c ^ -1) >>> 0;
}

/**
 * Inflates raw deflate data that must hold exactly `size` bytes. Memory grows with what is really there, never with
 * what a header says.
 */
export function inflateExactly(format: string, data: Uint8Array, size: number, offset: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const fail = (message: string, cause?: unknown): never => {
    throw new FormatError(`${format}: ${message} (at byte ${offset})`, { offset, cause });
  };
  if (size > MOST_EXPANSION * (data.length + 1)) {
    fail(`${data.length} compressed bytes cannot hold the ${size} bytes that the header says; the file is damaged`);
  }
  const stream = new Inflate((chunk) => {
    total += chunk.length;
    if (total > size)
      fail(`compressed data holds more than the ${size} bytes that the header says; the file is damaged`);
    chunks.push(chunk);
  });
  try {
    for (let at = 0; at < data.length || at === 0; at += PIECE) {
      stream.push(data.subarray(at, at + PIECE), at + PIECE >= data.length);
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    fail(`compressed data is damaged or truncated (${(error as Error).message}); fetch or write the file again`, error);
  }
  if (total !== size) fail(`compressed data holds ${total} bytes where the header says ${size}; the file is damaged`);
  if (chunks.length === 1) return chunks[0];
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** Whether a file is gzip-compressed. */
export function isGzip(bytes: Uint8Array): boolean {
  return startsWith(bytes, [0x1f, 0x8b]);
}

/**
 * The content of a gzip file with one member; other files are returned as they are, so that readers take both.
 * @throws FormatError for damaged or truncated files.
 */
export function gunzip(file: Uint8Array): Uint8Array {
  if (!(file instanceof Uint8Array)) throw new FormatError("gzip: the file must be given as a Uint8Array of its bytes");
  if (!isGzip(file)) return file;
  const reader = new ByteReader("gzip", file);
  reader.take(2, "the signature");
  if (reader.uint8("the method") !== 8) reader.fail("the compression method is not deflate; the file is damaged", 2);
  const flags = reader.uint8("the flags");
  reader.take(6, "the header");
  if (flags & 4) reader.take(reader.uint16("the extra field", true), "the extra field");
  for (const text of [flags & 8, flags & 16]) if (text) while (reader.uint8("the name or comment") !== 0);
  if (flags & 2) reader.take(2, "the header checksum");
  if (reader.remaining < 8) reader.fail("the file ends before its checksum; it seems to be truncated");
  const start = reader.offset;
  const data = reader.take(reader.remaining - 8, "the data");
  const checksum = reader.uint32("the checksum", true);
  const out = inflateExactly("gzip", data, reader.uint32("the size", true), start);
  if (crc32(out) !== checksum) reader.fail("the checksum does not match the content; the file is damaged", start);
  return out;
}
