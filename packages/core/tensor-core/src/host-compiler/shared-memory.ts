import type { DType, TypedArray } from "../dtype.js";
import { ALIGNMENT, Gaps, roundUp } from "./gaps.js";

const PAGE = 65536;
const FIRST_BYTES = 1 << 26;
const LAST_BYTES = 1 << 30;

/** A part of a shared memory. */
export interface Block {
  readonly memory: SharedMemory;
  readonly address: number;
  readonly bytes: number;
}

/**
 * A memory that many compiled functions share, since each one takes gigabytes of address space whatever its size. It
 * never grows, so that views of it stay valid; pages that are not touched take no room.
 */
export class SharedMemory {
  readonly memory: WebAssembly.Memory;
  readonly views: Readonly<Record<DType, TypedArray>>;
  private readonly gaps: Gaps;

  constructor(bytes: number) {
    const pages = Math.ceil(bytes / PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    this.views = {
      float32: new Float32Array(buffer),
      float64: new Float64Array(buffer),
      int32: new Int32Array(buffer),
      bool: new Uint8Array(buffer),
    };
    // Nothing lies at address 0, so that pointers may step below their buffers.
    this.gaps = new Gaps(PAGE, (pages - 1) * PAGE);
  }

  /** Room for `bytes`; undefined where there is none left. */
  allocate(bytes: number): Block | undefined {
    const size = Math.max(ALIGNMENT, roundUp(bytes));
    const address = this.gaps.take(size);
    return address === undefined ? undefined : { memory: this, address, bytes: size };
  }

  /** Gives a block back. */
  release({ address, bytes }: Block): void {
    this.gaps.give(address, bytes);
  }
}

const memories: SharedMemory[] = [];

/** Room in one of the shared memories; a further memory is larger than those before. */
export function allocateBlock(bytes: number): Block {
  for (const memory of memories) {
    const block = memory.allocate(bytes);
    if (block !== undefined) return block;
  }
  const usual = Math.min(LAST_BYTES, FIRST_BYTES * 2 ** memories.length);
  const memory = new SharedMemory(Math.max(usual, bytes + 2 * PAGE));
  memories.push(memory);
  return memory.allocate(bytes) as Block;
}

/** How many memories there are: for tests. */
export function memoryCount(): number {
  return memories.length;
}
