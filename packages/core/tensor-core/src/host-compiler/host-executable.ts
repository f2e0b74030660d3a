import type { Executable } from "../compile/backend.js";
import { byteSize, type TypedArray } from "../dtype.js";
import { UnsupportedError } from "../errors.js";
import { rowMajorStrides } from "../shape.js";
import { copyStrided } from "../strided.js";
import { isContiguous, Tensor } from "../tensor.js";
import { describeProgram, type Location, type Program } from "./program.js";
import { allocateBlock, type Block } from "./shared-memory.js";

/** Fewer elements are copied one by one. */
const FEW = 32;
/** Milliseconds that loops run before timers and events get their turn. */
const TURN = 12;
/** Steps that the first call of a loop takes. */
const FIRST_STEPS = 64;
const MOST_STEPS = 1 << 24;

/** How an executable hands out results. */
export interface ExecutableOptions {
  /** Whether results share the program's memory, to be overwritten by the next run. */
  readonly views?: boolean;
}

/** An input or result with a view of where it lies. */
interface Port {
  readonly location: Location;
  readonly view: TypedArray;
  readonly strides: readonly number[];
}

/** A program with its memory, ready to run. */
export class HostExecutable implements Executable {
  private readonly block: Block;
  private readonly inputs: readonly Port[];
  private readonly outputs: readonly Port[];
  private readonly parts: readonly { readonly loop: boolean; readonly run: (steps: number) => number }[];
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private released = false;

  constructor(
    readonly program: Program,
    module: WebAssembly.Module,
    private readonly options: ExecutableOptions = {},
  ) {
    this.block = allocateBlock(program.bytes);
    const { memory, address } = this.block;
    program.memory.memory = memory;
    const imports = program.module.importObject(memory.memory, address);
    const { exports } = new WebAssembly.Instance(module, imports);
    this.parts = program.parts.map(({ kind, name }) => ({
      loop: kind === "loop",
      run: exports[name] as unknown as (steps: number) => number,
    }));
    const port = (location: Location): Port => {
      const { spec, size } = location;
      const start = (address + location.address) / byteSize(spec.dtype);
      const view = memory.views[spec.dtype].subarray(start, start + size);
      return { location, view, strides: rowMajorStrides(spec.shape) };
    };
    this.inputs = program.inputs.map(port);
    this.outputs = program.outputs.map(port);
    for (const { location } of [...this.inputs, ...this.outputs]) {
      if (location.slot === undefined) continue;
      memory.views.int32[(address + program.slotTable) / 4 + location.slot] = address + location.address;
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
    this.takeInputs(inputs);
    for (const part of this.parts) {
      if (part.loop) runLoop(part.run);
      else part.run(0);
    }
    return this.results();
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

  private async runInTurn(inputs: readonly Tensor[]): Promise<Tensor[]> {
    this.requireMemory();
    const onHost = inputs.some((x) => x.storage.kind === "device")
      ? await Promise.all(inputs.map((x) => x.host()))
      : inputs;
    this.takeInputs(onHost);
    for (const part of this.parts) {
      if (part.loop) await runLoopInTurns(part.run);
      else part.run(0);
    }
    return this.results();
  }

  private results(): Tensor[] {
    const { views } = this.options;
    return this.outputs.map((output) => tensorOf(output, views ? output.view : output.view.slice()));
  }

  /** The loops and calls of the program, and its memory. */
  describe(): string {
    return describeProgram(this.program);
  }

  async release(): Promise<void> {
    await this.queue;
    if (this.released) return;
    this.released = true;
    this.block.memory.release(this.block);
  }

  private requireMemory(): void {
    if (this.released) throw new UnsupportedError("jit: the compiled function was released; compile it again");
  }

  private takeInputs(inputs: readonly Tensor[]): void {
    for (let i = 0; i < this.inputs.length; i++) writePort(this.inputs[i], inputs[i]);
  }
}

function writePort({ location, view }: Port, x: Tensor): void {
  const { storage, shape } = x;
  if (storage.kind !== "host") {
    throw new UnsupportedError(
      `jit: an argument is on a device ("${storage.kind}"); download it with "await x.host()" before a synchronous call`,
    );
  }
  const { data, offset, strides } = storage;
  const { size } = location;
  if (!isContiguous(shape, strides)) copyStrided(data, offset, strides, shape, view);
  else if (size < FEW) for (let i = 0; i < size; i++) view[i] = data[offset + i];
  else view.set(offset === 0 && data.length === size ? data : data.subarray(offset, offset + size));
}

function tensorOf({ location, strides }: Port, data: TypedArray): Tensor {
  const { spec } = location;
  return new Tensor(spec.shape, spec.dtype, { kind: "host", data, strides, offset: 0 });
}

/** Runs a loop to its end; it returns now and then, so that the engine can put faster code in its place. */
function runLoop(loop: (steps: number) => number): void {
  let steps = FIRST_STEPS;
  while (loop(steps) !== 0) steps = Math.min(2 * steps, MOST_STEPS);
}

/** The same, with turns for timers and events in between. */
async function runLoopInTurns(loop: (steps: number) => number): Promise<void> {
  let steps = FIRST_STEPS;
  let began = performance.now();
  for (;;) {
    const before = performance.now();
    if (loop(steps) === 0) return;
    const now = performance.now();
    if (now - before < TURN / 4) steps = Math.min(2 * steps, MOST_STEPS);
    else if (now - before > TURN) steps = Math.max(1, steps >> 1);
    if (now - began < TURN) continue;
    await new Promise((resume) => setTimeout(resume));
    began = performance.now();
  }
}
