import { UnsupportedError } from "@offprint/tensor-core";
import { ByteReader, concatenateBytes } from "./byte-reader.js";
import type { Pixels } from "./image.js";
import { crc32, inflateExactly } from "./inflate.js";

/** 16384 x 16384 pixels of one sample: more is refused, since few bytes can claim it. */
const MOST_SAMPLES = 2 ** 28;

/** The first eight bytes of every PNG file. */
export const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** Samples of a pixel as stored: an index counts as one. */
  readonly samples: number;
  readonly indexed: boolean;
  readonly interlaced: boolean;
}

interface Chunks {
  readonly header: Header;
  readonly palette: Uint8Array | undefined;
  readonly transparency: Uint8Array | undefined;
  readonly data: Uint8Array;
  readonly dataOffset: number;
}

/**
 * Reads every kind of PNG image: 1 to 16 bits, grey, colour, palette, alpha, transparent colours, interlaced. Palettes
 * become colour, transparent colours an alpha channel; samples of less than 8 bits are spread over 0, ..., 255.
 * @see https://www.w3.org/TR/png-3/
 */
export function readPngPixels(file: Uint8Array): Pixels {
  const reader = new ByteReader("PNG", file);
  const chunks = readChunks(reader);
  const { header, data, dataOffset } = chunks;
  const passes = header.interlaced ? ADAM7.map((pass) => shrink(header, pass)) : [{ ...whole(header) }];
  const size = passes.reduce((total, pass) => total + passBytes(header, pass), 0);
  if (data.length < 6 || (data[0] & 15) !== 8 || (data[0] * 256 + data[1]) % 31 !== 0 || data[1] & 32) {
    reader.fail("the image data does not begin as zlib data; the file is damaged", dataOffset);
  }
  // zlib frames deflate data by two bytes and a checksum; the chunks have checksums of their own
  const raw = inflateExactly("PNG", data.subarray(2, data.length - 4), size, dataOffset);
  const stored = new (header.depth === 16 ? Uint16Array : Uint8Array)(header.width * header.height * header.samples);
  let at = 0;
  for (const pass of passes) {
    const bytes = passBytes(header, pass);
    unfilter(reader, raw.subarray(at, at + bytes), header, pass, dataOffset);
    unpack(raw.subarray(at, at + bytes), header, pass, stored);
    at += bytes;
  }
  return header.indexed ? applyPalette(reader, chunks, stored) : applyTransparency(reader, chunks, stored);
}

function readChunks(reader: ByteReader): Chunks {
  reader.take(8, "the signature");
  let header: Header | undefined;
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  const parts: Uint8Array[] = [];
  let dataOffset = 0;
  for (;;) {
    const at = reader.offset;
    const length = reader.uint32("a chunk", false);
    const name = reader.take(4, "a chunk");
    const body = reader.take(length, "a chunk");
    if (reader.uint32("a chunk", false) !== crc32(name, body))
      reader.fail("the checksum of a chunk does not match", at);
    const type = String.fromCharCode(...name);
    if ((header === undefined) !== (type === "IHDR")) reader.fail("the first chunk and no other must be IHDR", at);
    if (type === "IHDR") header = readHeader(reader, body, at);
    else if (type === "PLTE") palette = body;
    else if (type === "tRNS") transparency = body;
    else if (type === "IDAT") {
      if (parts.length === 0) dataOffset = at + 8;
      parts.push(body);
    } else if (type === "IEND") break;
    else if ((name[0] & 32) === 0) reader.fail(`the necessary chunk ${type} is unknown`, at);
  }
  return { header: header as Header, palette, transparency, data: concatenateBytes(parts), dataOffset };
}

/** Samples of a pixel by colour type: grey, colour, palette, grey and alpha, colour and alpha. */
const samplesOfType: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

function readHeader(reader: ByteReader, body: Uint8Array, at: number): Header {
  const fields = new ByteReader("PNG", body);
  if (body.length !== 13) reader.fail("the header does not have 13 bytes", at);
  const width = fields.uint32("the header", false);
  const height = fields.uint32("the header", false);
  const [depth, type, compression, filter, interlace] = fields.take(5, "the header");
  const depths = type === 0 ? [1, 2, 4, 8, 16] : type === 3 ? [1, 2, 4, 8] : [8, 16];
  const samples = samplesOfType[type];
  if (samples === undefined || !depths.includes(depth))
    reader.fail(`colour type ${type} with ${depth} bits is not allowed`, at);
  if (width < 1 || height < 1) reader.fail(`the image is ${width} x ${height}; both must be positive`, at);
  if (width * height * samples > MOST_SAMPLES) {
    const limit = `the image is ${width} x ${height} with ${samples} samples a pixel`;
    throw new UnsupportedError(`readImage: ${limit}, more than 2^28 together; cut it into parts`);
  }
  if (compression !== 0 || filter !== 0 || interlace > 1)
    reader.fail("compression, filter or interlace is unknown", at);
  return { width, height, depth, samples, indexed: type === 3, interlaced: interlace === 1 };
}

/** Which pixels a pass holds: from (x, y) in steps of (dx, dy); its own size. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
  readonly height: number;
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

function whole({ width, height }: Header): Pass {
  return { x: 0, y: 0, dx: 1, dy: 1, width, height };
}

function shrink(header: Header, [x, y, dx, dy]: (typeof ADAM7)[number]): Pass {
  const width = Math.ceil((header.width - x) / dx);
  const height = Math.ceil((header.height - y) / dy);
  return { x, y, dx, dy, width, height: width > 0 ? height : 0 };
}

function lineBytes({ depth, samples }: Header, { width }: Pass): number {
  return Math.ceil((width * samples * depth) / 8);
}

/** Every line is preceded by a byte that names its filter. */
function passBytes(header: Header, pass: Pass): number {
  return pass.width > 0 && pass.height > 0 ? (lineBytes(header, pass) + 1) * pass.height : 0;
}

/** Undoes the prediction of each byte from its neighbours, in place. */
function unfilter(reader: ByteReader, raw: Uint8Array, header: Header, pass: Pass, offset: number): void {
  const length = lineBytes(header, pass);
  const step = Math.max(1, (header.samples * header.depth) >> 3);
  for (let start = 0; start < raw.length; start += length + 1) {
    const filter = raw[start];
    if (filter > 4) reader.fail(`a line has the unknown filter ${filter}; the file is damaged`, offset);
    if (filter === 0) continue;
    for (let i = start + 1; i <= start + length; i++) {
      const inLine = i - step > start;
      const left = inLine ? raw[i - step] : 0;
      const up = start > 0 ? raw[i - length - 1] : 0;
      const corner = inLine && start > 0 ? raw[i - length - 1 - step] : 0;
      raw[i] += filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
    }
  }
}

/** The neighbour nearest to left + up - corner. */
function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** Puts the samples of a pass where they belong. */
function unpack(raw: Uint8Array, header: Header, pass: Pass, out: Uint8Array | Uint16Array): void {
  const { samples, depth } = header;
  const length = lineBytes(header, pass) + 1;
  const mask = 2 ** depth - 1;
  for (let row = 0; row < pass.height; row++) {
    const line = row * length + 1;
    for (let i = 0; i < pass.width * samples; i++) {
      const column = Math.floor(i / samples);
      const pixel = (pass.y + row * pass.dy) * header.width + pass.x + column * pass.dx;
      const at = pixel * samples + (i - column * samples);
      if (depth === 8) out[at] = raw[line + i];
      else if (depth === 16) out[at] = raw[line + 2 * i] * 256 + raw[line + 2 * i + 1];
      else out[at] = (raw[line + ((i * depth) >> 3)] >> (8 - depth - ((i * depth) & 7))) & mask;
    }
  }
}

function applyPalette(reader: ByteReader, chunks: Chunks, indices: Uint8Array | Uint16Array): Pixels {
  const { header, palette, transparency, dataOffset } = chunks;
  if (palette === undefined || palette.length % 3 !== 0 || palette.length > 768) {
    return reader.fail("the palette is missing or damaged", dataOffset);
  }
  const channels = transparency === undefined ? 3 : 4;
  const samples = new Uint8Array(indices.length * channels);
  for (let i = 0; i < indices.length; i++) {
    const entry = indices[i] * 3;
    if (entry >= palette.length) reader.fail(`a pixel has colour ${indices[i]}, which the palette lacks`, dataOffset);
    for (let c = 0; c < 3; c++) samples[i * channels + c] = palette[entry + c];
    if (transparency !== undefined) samples[i * 4 + 3] = transparency[indices[i]] ?? 255;
  }
  return { width: header.width, height: header.height, channels, largest: 255, samples };
}

function applyTransparency(reader: ByteReader, chunks: Chunks, stored: Uint8Array | Uint16Array): Pixels {
  const { header, transparency, dataOffset } = chunks;
  const { width, height, depth, samples: count } = header;
  const largest = depth === 16 ? 65535 : 255;
  const spread = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const scaled = spread === 1 ? stored : stored.map((v) => v * spread);
  if (transparency === undefined || count === 2 || count === 4)
    return { width, height, channels: count, largest, samples: scaled };
  if (transparency.length !== 2 * count) reader.fail("the transparent colour does not fit the image", dataOffset);
  const colour = Array.from({ length: count }, (_, c) => transparency[2 * c] * 256 + transparency[2 * c + 1]);
  const channels = count + 1;
  const samples = new (depth === 16 ? Uint16Array : Uint8Array)(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    let same = true;
    for (let c = 0; c < count; c++) {
      samples[i * channels + c] = scaled[i * count + c];
      same &&= stored[i * count + c] === colour[c];
    }
    samples[i * channels + count] = same ? 0 : largest;
  }
  return { width, height, channels, largest, samples };
}
