import { zlibSync } from "fflate";
import { ascii, concatenateBytes } from "./byte-reader.js";
import type { Pixels } from "./image.js";
import { crc32 } from "./inflate.js";
import { PNG_SIGNATURE } from "./png-reader.js";

const typeOfChannels = [0, 0, 4, 2, 6];

/** A PNG file of 8 or 16 bits a sample, every line predicted from the one above. */
export function writePngPixels({ width, height, channels, samples }: Pixels): Uint8Array {
  const wide = samples instanceof Uint16Array;
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, wide ? 16 : 8);
  header.setUint8(9, typeOfChannels[channels]);
  const length = width * channels * (wide ? 2 : 1);
  const bytes = wide ? bigEndian(samples) : samples;
  const raw = new Uint8Array((length + 1) * height);
  for (let y = 0; y < height; y++) {
    const to = y * (length + 1);
    raw[to] = 2;
    for (let i = 0; i < length; i++)
      raw[to + 1 + i] = bytes[y * length + i] - (y > 0 ? bytes[(y - 1) * length + i] : 0);
  }
  return concatenateBytes([
    Uint8Array.from(PNG_SIGNATURE),
    ...chunk("IHDR", new Uint8Array(header.buffer)),
    ...chunk("IDAT", zlibSync(raw)),
    ...chunk("IEND", new Uint8Array(0)),
  ]);
}

function bigEndian(samples: Uint16Array): Uint8Array {
  const out = new Uint8Array(samples.length * 2);
  samples.forEach((value, i) => {
    out[2 * i] = value >>> 8;
    out[2 * i + 1] = value & 255;
  });
  return out;
}

function chunk(type: string, body: Uint8Array): Uint8Array[] {
  const name = ascii(type);
  return [word(body.length), name, body, word(crc32(name, body))];
}

function word(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
