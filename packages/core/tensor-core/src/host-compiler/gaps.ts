/** Buffers start at multiples of this, so that vectors are aligned. */
export const ALIGNMENT = 16;
/** What a buffer has behind its last element: loops read and write whole vectors. */
export const PADDING = 16;

/** `bytes` rounded up to whole vectors. */
export function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** The free ranges of a memory, by address; neighbours are one range. */
export class Gaps {
  private readonly ranges: { address: number; bytes: number }[];

  constructor(address: number, bytes: number) {
    this.ranges = [{ address, bytes }];
  }

  /** The address of `bytes` free bytes, now taken, in the first gap that holds them; undefined where none does. */
  take(bytes: number): number | undefined {
    const gap = this.ranges.find((g) => g.bytes >= bytes);
    if (gap === undefined) return undefined;
    const { address } = gap;
    gap.address += bytes;
    gap.bytes -= bytes;
    if (gap.bytes === 0) this.ranges.splice(this.ranges.indexOf(gap), 1);
    return address;
  }

  /** Makes bytes free that were taken. */
  give(address: number, bytes: number): void {
    let at = this.ranges.findIndex((g) => g.address > address);
    if (at < 0) at = this.ranges.length;
    this.ranges.splice(at, 0, { address, bytes });
    for (const i of [at, at - 1]) {
      const [left, right] = [this.ranges[i], this.ranges[i + 1]];
      if (left === undefined || right === undefined || left.address + left.bytes !== right.address) continue;
      left.bytes += right.bytes;
      this.ranges.splice(i + 1, 1);
    }
  }
}
