import { UnsupportedError } from "@offprint/tensor-core";
import { ascii, ByteReader, concatenateBytes } from "./byte-reader.js";
import type { Pixels } from "./image.js";

/** Reads PBM, PGM and PPM files, plain (P1 to P3) or binary (P4 to P6). @see https://netpbm.sourceforge.net/doc/pnm.html */
export function readPnmPixels(file: Uint8Array): Pixels {
  const reader = new ByteReader("PNM", file);
  const kind = reader.take(2, "the magic number")[1] - 0x30;
  if (kind < 1 || kind > 6) throw new UnsupportedError("readImage: PAM images (P7) are not supported; convert to PNG");
  const width = readInteger(reader, "the width");
  const height = readInteger(reader, "the height");
  const isBitmap = kind === 1 || kind === 4;
  const largest = isBitmap ? 1 : readInteger(reader, "the maximum");
  if (width < 1 || height < 1) reader.fail(`the image is ${width} x ${height}; both must be positive`, 2);
  if (largest < 1 || largest > 65535) reader.fail(`the maximum ${largest} is not in 1, ..., 65535`, 2);
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  if (kind > 3) reader.take(1, "the header");
  const size = checkSize(reader, kind, width, height, channels, largest);
  const samples = new (largest > 255 ? Uint16Array : Uint8Array)(size);
  if (kind === 4) unpackBits(reader, samples, width, height);
  else if (kind > 3) readBinary(reader, samples, largest);
  else readPlain(reader, samples, isBitmap, largest);
  if (isBitmap) for (let i = 0; i < size; i++) samples[i] ^= 1; // in bitmaps 1 is black
  return { width, height, channels, largest, samples };
}

/** Number of samples; the bytes for them must be there. */
function checkSize(
  reader: ByteReader,
  kind: number,
  width: number,
  height: number,
  channels: number,
  largest: number,
): number {
  const size = width * height * channels;
  const plain = kind === 1 ? size : 2 * size - 1;
  const binary = kind === 4 ? Math.ceil(width / 8) * height : size * (largest > 255 ? 2 : 1);
  const needed = kind > 3 ? binary : plain;
  if (!(needed <= reader.remaining)) {
    reader.fail(
      `an image of ${width} x ${height} needs ${needed} bytes, ${reader.remaining} are there; the file is truncated`,
    );
  }
  return size;
}

const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** Steps over white space and comments. */
function skipSpace(reader: ByteReader): void {
  while (reader.remaining > 0) {
    const byte = reader.bytes[reader.offset];
    if (byte === 0x23) while (reader.remaining > 0 && reader.uint8("a comment") !== 0x0a);
    else if (isSpace(byte)) reader.offset++;
    else return;
  }
}

function readInteger(reader: ByteReader, what: string): number {
  skipSpace(reader);
  const start = reader.offset;
  let value = 0;
  while (reader.remaining > 0) {
    const digit = reader.bytes[reader.offset] - 0x30;
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
    if (value > 1e9) reader.fail(`${what} is too large`, start);
    reader.offset++;
  }
  if (reader.offset === start) reader.fail(`${what} is missing; the file is damaged or truncated`);
  return value;
}

function readPlain(reader: ByteReader, samples: Uint8Array | Uint16Array, isBitmap: boolean, largest: number): void {
  for (let i = 0; i < samples.length; i++) {
    if (isBitmap) {
      skipSpace(reader);
      samples[i] = reader.uint8("a pixel") - 0x30;
    } else samples[i] = checkedSample(reader, readInteger(reader, "a sample"), largest);
    if (isBitmap && samples[i] > 1) reader.fail("a pixel is neither 0 nor 1; the file is damaged", reader.offset - 1);
  }
}

function readBinary(reader: ByteReader, samples: Uint8Array | Uint16Array, largest: number): void {
  const wide = largest > 255;
  for (let i = 0; i < samples.length; i++) {
    const value = wide ? reader.uint16("a sample", false) : reader.bytes[reader.offset++];
    samples[i] = checkedSample(reader, value, largest);
  }
}

function checkedSample(reader: ByteReader, value: number, largest: number): number {
  if (value > largest) reader.fail(`sample ${value} exceeds the maximum ${largest}; the file is damaged`);
  return value;
}

function unpackBits(reader: ByteReader, samples: Uint8Array | Uint16Array, width: number, height: number): void {
  const stride = Math.ceil(width / 8);
  const rows = reader.take(stride * height, "the pixels");
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) samples[y * width + x] = (rows[y * stride + (x >> 3)] >> (7 - (x & 7))) & 1;
  }
}

/** A binary PGM or PPM file. */
export function writePnmPixels({ width, height, channels, largest, samples }: Pixels): Uint8Array {
  const header = ascii(`${channels === 1 ? "P5" : "P6"}\n${width} ${height}\n${largest}\n`);
  if (samples instanceof Uint8Array) return concatenateBytes([header, samples]);
  const body = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((value, i) => {
    body.setUint16(2 * i, value);
  });
  return concatenateBytes([header, new Uint8Array(body.buffer)]);
}
