import { FormatError, UnsupportedError } from "@offprint/tensor-core";
import { deflateSync } from "fflate";
import { ByteReader, concatenateBytes } from "./byte-reader.js";
import { crc32, inflateExactly } from "./inflate.js";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const END_SIZE = 22;
const MAX_COMMENT = 65535;
const UNKNOWN = 0xffffffff;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly encrypted: boolean;
  /** Position of the local header. */
  readonly offset: number;
}

/** A file of the archive, and where its bytes lie. */
interface Place {
  readonly entry: Entry;
  readonly start: number;
  readonly data: Uint8Array;
}

/** A zip archive, of which only what is asked for is unpacked. */
export interface ZipArchive {
  /** In the order of the directory. */
  readonly names: readonly string[];
  /**
   * The content of a file.
   * @throws FormatError where it is damaged; UnsupportedError for encryption and for methods other than deflate.
   */
  content(name: string): Uint8Array | undefined;
}

/**
 * Opens a zip archive by its central directory.
 * @throws FormatError for damaged archives, and for files that share bytes: a small archive could claim any size.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function openZip(format: string, bytes: Uint8Array): ZipArchive {
  const reader = new ByteReader(format, bytes);
  const { count, start } = findDirectory(reader);
  reader.offset = start;
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) entries.push(readEntry(reader));
  const places = new Map<string, Place>();
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (places.has(entry.name))
      reader.fail(`two files have the name ${entry.name}; the archive is damaged`, entry.offset);
    if (entry.offset < end)
      reader.fail(`${entry.name} overlaps the file before it; the archive is damaged`, entry.offset);
    places.set(entry.name, findContent(reader, entry));
    end = reader.offset;
  }
  if (end > start && count > 0) reader.fail("the last file reaches into the directory; the archive is damaged", start);
  return {
    names: entries.map(({ name }) => name),
    content(name) {
      const place = places.get(name);
      return place && unpack(reader, place);
    },
  };
}

/** The record at the end says where the directory is. */
function findDirectory(reader: ByteReader): { count: number; start: number } {
  const { bytes } = reader;
  let at = bytes.length - END_SIZE;
  const lowest = Math.max(0, at - MAX_COMMENT);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  while (at >= lowest && view.getUint32(at, true) !== END) at--;
  if (at < lowest) reader.fail("no zip directory at the end; the file is truncated or not a zip archive", bytes.length);
  reader.offset = at + 10;
  let count = reader.uint16("the directory record", true);
  reader.uint32("the directory record", true);
  let start = reader.uint32("the directory record", true);
  if (count === 0xffff || start === UNKNOWN) ({ count, start } = findDirectory64(reader, at));
  // a directory entry takes at least 46 bytes
  if (count * 46 > at) reader.fail(`a directory of ${count} entries does not fit into the file; it is damaged`, at);
  return { count, start };
}

function findDirectory64(reader: ByteReader, end: number): { count: number; start: number } {
  reader.offset = Math.max(0, end - 20);
  if (reader.uint32("the zip64 locator", true) !== LOCATOR64) reader.fail("the zip64 locator is missing", end - 20);
  reader.uint32("the zip64 locator", true);
  reader.offset = reader.uint64("the zip64 locator", true);
  if (reader.uint32("the zip64 record", true) !== END64) reader.fail("the zip64 record is missing");
  reader.take(28, "the zip64 record");
  const count = reader.uint64("the zip64 record", true);
  reader.uint64("the zip64 record", true);
  return { count, start: reader.uint64("the zip64 record", true) };
}

function readEntry(reader: ByteReader): Entry {
  const at = reader.offset;
  const what = "a directory entry";
  if (reader.uint32(what, true) !== CENTRAL)
    reader.fail("a directory entry does not begin as it must; the file is damaged", at);
  reader.take(4, what);
  const flags = reader.uint16(what, true);
  const method = reader.uint16(what, true);
  reader.take(4, what);
  const checksum = reader.uint32(what, true);
  const sizes = { compressedSize: reader.uint32(what, true), size: reader.uint32(what, true), offset: 0 };
  const nameLength = reader.uint16(what, true);
  const extraLength = reader.uint16(what, true);
  const commentLength = reader.uint16(what, true);
  reader.take(8, what);
  sizes.offset = reader.uint32(what, true);
  const name = new TextDecoder(flags & 0x800 ? "utf-8" : "latin1").decode(reader.take(nameLength, what));
  const extra = new ByteReader(reader.format, reader.take(extraLength, what));
  reader.take(commentLength, what);
  readZip64(extra, sizes);
  return { name, method, checksum, encrypted: (flags & 1) !== 0, ...sizes };
}

/** Sizes that do not fit 32 bits stand in an extra field, in this order. */
function readZip64(extra: ByteReader, sizes: { size: number; compressedSize: number; offset: number }): void {
  while (extra.remaining >= 4) {
    const id = extra.uint16("an extra field", true);
    const field = new ByteReader(extra.format, extra.take(extra.uint16("an extra field", true), "an extra field"));
    if (id !== 1) continue;
    for (const key of ["size", "compressedSize", "offset"] as const) {
      if (sizes[key] === UNKNOWN) sizes[key] = field.uint64("a zip64 size", true);
    }
  }
}

function findContent(reader: ByteReader, entry: Entry): Place {
  const { name, offset, compressedSize } = entry;
  if (offset > reader.bytes.length) reader.fail(`${name} begins after the end of the file; it is truncated`, offset);
  reader.offset = offset;
  if (reader.uint32(`the header of ${name}`, true) !== LOCAL)
    reader.fail(`${name} has no header; the file is damaged`, offset);
  reader.take(22, `the header of ${name}`);
  const nameLength = reader.uint16(`the header of ${name}`, true);
  const extraLength = reader.uint16(`the header of ${name}`, true);
  reader.take(nameLength + extraLength, `the header of ${name}`);
  const start = reader.offset;
  return { entry, start, data: reader.take(compressedSize, name) };
}

function unpack(reader: ByteReader, { entry, start, data }: Place): Uint8Array {
  const { format } = reader;
  const { name, size, compressedSize, method, checksum, encrypted } = entry;
  if (encrypted) throw new UnsupportedError(`${format}: ${name} is encrypted; decrypt the archive first`);
  if (method !== 0 && method !== 8) {
    throw new UnsupportedError(`${format}: ${name} is compressed by method ${method}; store or deflate it`);
  }
  if (method === 0 && size !== compressedSize)
    reader.fail(`${name} is stored, but has two sizes; the file is damaged`, start);
  const content = method === 0 ? data : inflateExactly(`${format}: ${name}`, data, size, start);
  if (crc32(content) !== checksum) {
    throw new FormatError(`${format}: the checksum of ${name} does not match (at byte ${start}); the file is damaged`, {
      offset: start,
    });
  }
  return content;
}

const DOS_1980 = 0x0021;

/** A zip archive of files, deflated unless `compress` is false; dates are 1980-01-01, so that equal content is equal bytes. */
export function writeZip(
  files: readonly (readonly [name: string, content: Uint8Array])[],
  compress: boolean,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const data = compress ? deflateSync(content) : content;
    if (offset + data.length >= UNKNOWN || content.length >= UNKNOWN) {
      throw new UnsupportedError("npz: archives of 4 GB or more are not written; write several smaller ones");
    }
    const nameBytes = new TextEncoder().encode(name);
    const common = record(26, (view) => {
      view.setUint16(0, 20, true);
      view.setUint16(2, 0x800, true);
      view.setUint16(4, compress ? 8 : 0, true);
      view.setUint16(8, DOS_1980, true);
      view.setUint32(10, crc32(content), true);
      view.setUint32(14, data.length, true);
      view.setUint32(18, content.length, true);
      view.setUint16(22, nameBytes.length, true);
    });
    const local = concatenateBytes([word(LOCAL), common, nameBytes]);
    parts.push(local, data);
    const rest = record(14, (view) => view.setUint32(10, offset, true));
    directory.push(word(CENTRAL), Uint8Array.of(20, 0), common, rest, nameBytes);
    offset += local.length + data.length;
  }
  const directorySize = directory.reduce((size, part) => size + part.length, 0);
  const end = record(18, (view) => {
    view.setUint16(4, files.length, true);
    view.setUint16(6, files.length, true);
    view.setUint32(8, directorySize, true);
    view.setUint32(12, offset, true);
  });
  return concatenateBytes([...parts, ...directory, word(END), end]);
}

function word(value: number): Uint8Array {
  return record(4, (view) => view.setUint32(0, value, true));
}

function record(size: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  fill(new DataView(bytes.buffer));
  return bytes;
}
