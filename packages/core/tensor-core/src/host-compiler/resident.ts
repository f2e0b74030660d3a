import { byteSize, type DType, type TypedArray } from "../dtype.js";
import { UnsupportedError } from "../errors.js";
import type { Shape } from "../shape.js";
import { sizeOf } from "../shape.js";
import { deviceTensor, type Tensor } from "../tensor.js";
import type { Block } from "./shared-memory.js";

/** A value that stays in the memory of compiled functions. */
export class Resident {
  /** What the value goes on as, where a function gave it back. */
  successor?: Tensor;
  private free = false;

  constructor(
    private readonly owned: Block,
    private readonly dtype: DType,
    private readonly size: number,
  ) {}

  /** Where the value lies. @throws UnsupportedError when it was freed or used up. */
  get block(): Block {
    if (this.free) {
      throw new UnsupportedError(
        "jit: a resident tensor was disposed of or given to a function that uses its arguments up; keep the results " +
          'of that function instead, or copy with "await x.host()" before',
      );
    }
    return this.owned;
  }

  /** Whether it was freed or used up. */
  get isFree(): boolean {
    return this.free;
  }

  /** The values, in the memory itself. */
  view(): TypedArray {
    const start = this.block.address / byteSize(this.dtype);
    return this.block.memory.views[this.dtype].subarray(start, start + this.size);
  }

  /** The block for another owner. */
  handOver(): Block {
    const { block } = this;
    this.free = true;
    return block;
  }

  dispose(): void {
    if (this.free) return;
    this.free = true;
    this.owned.memory.release(this.owned);
  }
}

/** Frees what nobody can reach any more. */
const unreachable = new FinalizationRegistry<Resident>((resident) => resident.dispose());

/** A tensor over a block of a shared memory, on a device as it were. */
export function residentTensor(block: Block, shape: Shape, dtype: DType): Tensor {
  const resident = new Resident(block, dtype, sizeOf(shape));
  const tensor = deviceTensor(shape, dtype, {
    kind: "device",
    handle: resident,
    device: "the memory of compiled functions",
    download: async () => resident.view().slice(),
    dispose: () => resident.dispose(),
  });
  unreachable.register(tensor, resident);
  return tensor;
}

/** The resident value behind a tensor, if it is one. */
export function residentOf({ storage }: Tensor): Resident | undefined {
  return storage.kind === "device" && storage.handle instanceof Resident ? storage.handle : undefined;
}
