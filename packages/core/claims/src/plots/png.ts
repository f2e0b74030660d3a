/**
 * A PNG file (ISO/IEC 15948) of 8-bit pixels. The pixel data is stored, not compressed: the images in plots are small,
 * and a compressor would be most of the package.
 */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = crcTable[(value ^ byte) & 255]! ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return ((high << 16) | low) >>> 0;
}

function bigEndian(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const body = new Uint8Array(4 + content.length);
  for (let index = 0; index < 4; index++) body[index] = type.charCodeAt(index);
  body.set(content, 4);
  return concatenated([Uint8Array.from(bigEndian(content.length)), body, Uint8Array.from(bigEndian(crc32(body)))]);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** A zlib stream (RFC 1950) of stored blocks, which hold up to 65535 bytes each. */
function stored(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x78, 0x01)];
  for (let start = 0; start < bytes.length; start += 65535) {
    const block = bytes.subarray(start, start + 65535);
    const last = start + 65535 >= bytes.length ? 1 : 0;
    const length = block.length;
    parts.push(Uint8Array.of(last, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255), block);
  }
  return concatenated([...parts, Uint8Array.from(bigEndian(adler32(bytes)))]);
}

/**
 * Encodes an image.
 *
 * @param pixels bytes row by row, channels last: 1 (grey), 3 (red, green, blue) or 4 (with alpha) per pixel
 */
export function encodePng(width: number, height: number, channels: 1 | 3 | 4, pixels: Uint8Array): Uint8Array {
  const stride = width * channels;
  const rows = new Uint8Array(height * (stride + 1));
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1);
  }
  const colourType = { 1: 0, 3: 2, 4: 6 }[channels];
  const header = Uint8Array.from([...bigEndian(width), ...bigEndian(height), 8, colourType, 0, 0, 0]);
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  const empty = new Uint8Array(0);
  return concatenated([signature, chunk("IHDR", header), chunk("IDAT", stored(rows)), chunk("IEND", empty)]);
}

/** The image as a `data:` address. */
export function pngAddress(width: number, height: number, channels: 1 | 3 | 4, pixels: Uint8Array): string {
  let binary = "";
  for (const byte of encodePng(width, height, channels, pixels)) binary += String.fromCharCode(byte);
  return `data:image/png;base64,${btoa(binary)}`;
}
