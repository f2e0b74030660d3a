/** The bytes of a WebAssembly binary, written one after the other. */
export class Bytes {
  #data = new Uint8Array(256);
  #view = new DataView(this.#data.buffer);
  /** How many bytes are written. */
  length = 0;

  #reserve(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.#data.length) {
      const data = new Uint8Array(2 * this.length);
      data.set(this.#data);
      this.#data = data;
      this.#view = new DataView(data.buffer);
    }
    return at;
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#data[at] = value;
  }

  /** A number below 2^32 in as many groups of seven bits as it needs. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A number below 2^28 in four bytes whatever it is, so that it can be replaced. */
  padded(value: number): void {
    this.setPadded(this.#reserve(4), value);
  }

  setPadded(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.#data[at + i] = ((value >>> (7 * i)) & 0x7f) | (i < 3 ? 0x80 : 0);
  }

  /** A 32-bit integer with sign. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  float32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setFloat32(at, value, true);
  }

  float64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  /** A 64-bit pattern. */
  bits64(value: bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
  }

  append(other: Bytes): void {
    const at = this.#reserve(other.length);
    this.#data.set(other.#data.subarray(0, other.length), at);
  }

  /** Bytes preceded by their number. */
  sized(other: Bytes): void {
    this.unsigned(other.length);
    this.append(other);
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.unsigned(bytes.length);
    for (const byte of bytes) this.byte(byte);
  }

  /** What is written. */
  toArray(): Uint8Array<ArrayBuffer> {
    return this.#data.slice(0, this.length);
  }
}
