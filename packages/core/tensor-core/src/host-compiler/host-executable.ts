import type { Executable } from "../compile/backend.js";
import { allocateUnwritten, byteSize, type TypedArray } from "../dtype.js";
import { UnsupportedError } from "../errors.js";
import { rowMajorStrides } from "../shape.js";
import { copyStrided } from "../strided.js";
import { isContiguous, Tensor } from "../tensor.js";
import { PADDING } from "./gaps.js";
import { describeProgram, type Location, type Program } from "./program.js";
import { type Resident, residentOf, residentTensor } from "./resident.js";
import { type Room, Rooms } from "./rooms.js";
import { runLoop, runLoopInTurns } from "./run-loop.js";
import { allocateBlock, type Block } from "./shared-memory.js";

/** Fewer elements are copied one by one. */
const FEW = 32;
/** From so many bytes on, finding out whether an argument is there already costs less than copying it. */
const LARGE = 1 << 15;

/** How an executable hands out results. */
export interface ExecutableOptions {
  /** Whether results share the program's memory, to be overwritten by the next run. */
  readonly views?: boolean;
  /** Whether large results stay in memory, and such arguments are used up. */
  readonly resident?: boolean;
}

/** An input or result with a view of where it lies. */
interface Port {
  readonly location: Location;
  readonly size: number;
  view: TypedArray;
  readonly strides: readonly number[];
  /** The rooms of its kind, where it is large. */
  readonly suite: Room[] | undefined;
  /** The one that it has in this call. */
  room: Room | undefined;
}

/** Gives the memory of programs back that nobody can run any more. */
const unreachable = new FinalizationRegistry<Block>((block) => block.memory.release(block));
/** Results that share a program's memory keep it. */
const owners = new WeakMap<TypedArray, HostExecutable>();

/** A program with its memory, ready to run. */
export class HostExecutable implements Executable {
  private readonly block: Block;
  private readonly inputs: readonly Port[];
  private readonly outputs: readonly Port[];
  private readonly rooms = new Rooms();
  /** Whether any input or result has a room. */
  private readonly roomy: boolean;
  private readonly parts: readonly { readonly loop: boolean; readonly run: (steps: number) => number }[];
  /** The addresses of movable inputs and results. */
  private readonly slots: Int32Array;
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private released = false;

  constructor(
    readonly program: Program,
    module: WebAssembly.Module,
    private readonly options: ExecutableOptions = {},
  ) {
    this.block = allocateBlock(program.bytes);
    unreachable.register(this, this.block, this);
    const { memory, address } = this.block;
    program.memory.memory = memory;
    const imports = program.module.importObject(memory.memory, address);
    const { exports } = new WebAssembly.Instance(module, imports);
    this.parts = program.parts.map(({ kind, name }) => ({
      loop: kind === "loop",
      run: exports[name] as unknown as (steps: number) => number,
    }));
    const port = (location: Location, movable: boolean): Port => {
      const { spec, size, slot, argument } = location;
      const start = (address + location.address) / byteSize(spec.dtype);
      const view = memory.views[spec.dtype].subarray(start, start + size);
      const roomy = movable && slot !== undefined && argument === undefined && view.byteLength >= LARGE;
      const suite = roomy ? this.rooms.add(spec.dtype, address + location.address, view) : undefined;
      return { location, size, view, strides: rowMajorStrides(spec.shape), suite, room: undefined };
    };
    this.inputs = program.inputs.map((location) => port(location, true));
    // Results that are seen by others, or leave, have places of their own.
    const copied = !options.views && !options.resident;
    this.outputs = program.outputs.map((location) => port(location, copied));
    this.roomy = [...this.inputs, ...this.outputs].some(({ suite }) => suite !== undefined);
    if (options.views) for (const { view } of this.outputs) owners.set(view, this);
    const table = (address + program.slotTable) / 4;
    this.slots = memory.views.int32.subarray(table, table + program.slotCount) as Int32Array;
    for (const { location } of [...this.outputs, ...this.inputs]) {
      if (location.slot !== undefined) this.slots[location.slot] = address + location.address;
    }
    for (const constant of program.constants) {
      const bytes = new Uint8Array(constant.data.buffer, constant.data.byteOffset, constant.data.byteLength);
      memory.views.bool.set(bytes, address + constant.address);
    }
  }

  /** Runs without giving way to anything else. */
  runSync(inputs: readonly Tensor[]): Tensor[] {
    if (this.waiting > 0) {
      throw new UnsupportedError(
        "jit: the compiled function is called synchronously while a promised call of it is running; await that one first",
      );
    }
    this.requireMemory();
    const kept = this.begin(inputs);
    try {
      for (const part of this.parts) {
        if (part.loop) runLoop(part.run);
        else part.run(0);
      }
    } catch (error) {
      throw failed(error, kept);
    }
    return this.end(inputs, kept);
  }

  async run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    this.waiting++;
    const turn = this.queue.then(() => this.runInTurn(inputs));
    this.queue = turn.then(
      () => {},
      () => {},
    );
    try {
      return await turn;
    } finally {
      this.waiting--;
    }
  }

  private async runInTurn(given: readonly Tensor[]): Promise<Tensor[]> {
    this.requireMemory();
    const foreign = given.some((x) => x.storage.kind === "device" && residentOf(x) === undefined);
    const inputs = foreign ? await Promise.all(given.map((x) => (residentOf(x) === undefined ? x.host() : x))) : given;
    const kept = this.begin(inputs);
    try {
      for (const part of this.parts) {
        if (part.loop) await runLoopInTurns(part.run);
        else part.run(0);
      }
    } catch (error) {
      throw failed(error, kept);
    }
    return this.end(inputs, kept);
  }

  /** Bytes of the arena and of the places of inputs and results. */
  memory(): number {
    return this.program.bytes;
  }

  /** The loops and calls of the program, and its memory. */
  describe(): string {
    return describeProgram(this.program);
  }

  async release(): Promise<void> {
    await this.queue;
    if (this.released) return;
    this.released = true;
    unreachable.unregister(this);
    this.block.memory.release(this.block);
  }

  private requireMemory(): void {
    if (this.released) throw new UnsupportedError("jit: the compiled function was released; compile it again");
  }

  /** Takes the inputs, and makes room for results that stay in memory. */
  private begin(inputs: readonly Tensor[]): (Block | undefined)[] | undefined {
    if (this.roomy) this.assignRooms(inputs);
    for (let i = 0; i < this.inputs.length; i++) this.take(this.inputs[i], inputs[i]);
    if (!this.options.resident) return undefined;
    const residents = inputs.map(residentOf);
    return this.outputs.map(({ location, view }) => {
      if (location.slot === undefined || location.argument !== undefined) return undefined;
      const { memory, address } = this.block;
      const replaced = location.replaces?.map((i) => residents[i]).find((r) => this.isReplaceable(r, residents));
      const block = replaced?.handOver() ?? memory.allocate(view.byteLength + PADDING);
      this.slots[location.slot] = block?.address ?? address + location.address;
      return block;
    });
  }

  /** Whether a result may lie where an argument lies now: each element is written when it was read. */
  private isReplaceable(resident: Resident | undefined, all: readonly (Resident | undefined)[]): boolean {
    if (resident === undefined || resident.isFree || resident.block.memory !== this.block.memory) return false;
    return all.indexOf(resident) === all.lastIndexOf(resident);
  }

  /** Finds the arguments that lie in rooms, then gives rooms to the others and to the results. */
  private assignRooms(inputs: readonly Tensor[]): void {
    const { rooms } = this;
    rooms.open();
    this.inputs.forEach((port, i) => {
      if (port.suite !== undefined) port.room = rooms.find(port.suite, inputs[i]);
    });
    for (const port of this.inputs) if (port.suite !== undefined) port.room ??= rooms.take(port.suite);
    for (const port of this.outputs) if (port.suite !== undefined) port.room = rooms.take(port.suite);
    for (const port of [...this.inputs, ...this.outputs]) {
      if (port.room === undefined) continue;
      port.view = port.room.view;
      this.slots[port.location.slot as number] = port.room.address;
    }
  }

  private end(inputs: readonly Tensor[], kept: readonly (Block | undefined)[] | undefined): Tensor[] {
    const { outputs, options } = this;
    const results = new Array<Tensor>(outputs.length);
    for (let i = 0; i < outputs.length; i++) {
      const { spec, argument } = outputs[i].location;
      const block = kept?.[i];
      if (argument !== undefined) results[i] = this.argument(inputs[argument]);
      else
        results[i] =
          block === undefined
            ? tensorOf(outputs[i], options.views ? outputs[i].view : copied(outputs[i]))
            : residentTensor(block, spec.shape, spec.dtype);
      const { room } = outputs[i];
      if (room !== undefined) this.rooms.note(room, results[i]);
    }
    if (kept !== undefined) for (const x of inputs) residentOf(x)?.dispose();
    return results;
  }

  /** An argument that is a result as it is; one that would be used up goes on as a new tensor, one for all such results. */
  private argument(x: Tensor): Tensor {
    const resident = residentOf(x);
    if (resident === undefined || !this.options.resident) return x;
    resident.successor ??= residentTensor(resident.handOver(), x.shape, x.dtype);
    return resident.successor;
  }

  private take(port: Port, x: Tensor): void {
    const { location, view, size, room } = port;
    const { storage } = x;
    const { slot } = location;
    if (room === undefined && slot !== undefined) this.slots[slot] = this.block.address + location.address;
    if (storage.kind !== "host") this.takeResident(port, x);
    else if (room === undefined || room.ticket === 0) {
      const { data, offset, strides } = storage;
      // Results that are views change with every call.
      if (room !== undefined && !owners.has(data)) this.rooms.note(room, x);
      if (!isContiguous(x.shape, strides)) copyStrided(data, offset, strides, x.shape, view);
      else if (size < FEW) for (let i = 0; i < size; i++) view[i] = data[offset + i];
      else view.set(offset === 0 && data.length === size ? data : data.subarray(offset, offset + size));
    }
  }

  private takeResident({ location: { slot }, view }: Port, x: Tensor): void {
    const resident = residentOf(x);
    if (resident === undefined) {
      throw new UnsupportedError(
        `jit: an argument is on a device ("${x.storage.kind}"); download it with "await x.host()" before a synchronous call`,
      );
    }
    const { memory, address } = resident.block;
    if (slot !== undefined && memory === this.block.memory) this.slots[slot] = address;
    else view.set(resident.view());
  }
}

/** Gives back the room that was made for results. */
function failed(error: unknown, kept: readonly (Block | undefined)[] | undefined): unknown {
  for (const block of kept ?? []) block?.memory.release(block);
  return error;
}

function copied({ size, view, location }: Port): TypedArray {
  if (size < FEW) return view.slice();
  const out = allocateUnwritten(location.spec.dtype, size);
  out.set(view);
  return out;
}

function tensorOf({ location, strides }: Port, data: TypedArray): Tensor {
  const { spec } = location;
  return new Tensor(spec.shape, spec.dtype, { kind: "host", data, strides, offset: 0 });
}
