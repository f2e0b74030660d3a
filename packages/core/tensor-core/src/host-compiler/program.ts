import { byteSize } from "../dtype.js";
import type { Variable } from "../graph/builder.js";
import type { Graph } from "../graph/graph.js";
import type { Spec } from "../primitive.js";
import { rowMajorStrides, sizeOf } from "../shape.js";
import { isContiguous } from "../tensor.js";
import type { MemoryReference } from "./call-out.js";
import { type ArenaConstant, Compilation, MOVABLE_BYTES, type Part } from "./compilation.js";
import { expandGraph } from "./expand.js";
import { PADDING, roundUp } from "./gaps.js";
import { copyInto } from "./groups.js";
import type { ModuleWriter } from "./module-writer.js";
import { Value, type View } from "./values.js";

/** Where an input or a result lies: in the arena, or where each call says. */
export interface Location {
  readonly spec: Spec;
  readonly size: number;
  /** Bytes from the start of the program's memory; for movable ones where they lie unless a call says otherwise. */
  readonly address: number;
  /** The number of a movable one. */
  readonly slot: number | undefined;
  /** For a large result that is an argument as it is: the number of that argument. */
  readonly argument?: number;
  /** For a movable result: the numbers of arguments in whose place it may be written where these are used up. */
  readonly replaces?: readonly number[];
}

/** A graph as a WebAssembly module, and what its memory holds. */
export interface Program {
  readonly module: ModuleWriter;
  readonly inputs: readonly Location[];
  readonly outputs: readonly Location[];
  readonly constants: readonly ArenaConstant[];
  readonly parts: readonly Part[];
  /** Bytes of memory: the arena, then the places of movable inputs and results. */
  readonly bytes: number;
  /** Bytes that it would be if no buffer lay where another lay before. */
  readonly asked: number;
  /** Where the addresses of movable inputs and results are in the arena. */
  readonly slotTable: number;
  readonly slotCount: number;
  readonly memory: MemoryReference;
  /** What was compiled, line by line. */
  readonly notes: readonly string[];
}

/** Compiles a graph whose custom gradients are inlined. */
export function compileProgram(traced: Graph, small?: number): Program {
  const graph = expandGraph(traced);
  const movable = (v: Variable) => sizeOf(v.shape) * byteSize(v.dtype) >= MOVABLE_BYTES;
  const ends = [...graph.inputs, ...graph.outputs];
  const slots = ends.map(() => undefined) as (number | undefined)[];
  let slotCount = 0;
  ends.forEach((v, i) => {
    if (movable(v)) slots[i] = slotCount++;
  });
  const c = new Compilation(slotCount, small);
  c.reserve(graph);
  c.enter(graph);
  const inputs = graph.inputs.map((v, i) => defineInput(c, v, slots[i]));
  const outputSlots = slots.slice(inputs.length);
  const placed = new Set<Variable>(graph.inputs);
  for (const { variable } of graph.constants) placed.add(variable);
  graph.outputs.forEach((v, i) => {
    const slot = outputSlots[i];
    if (slot === undefined || placed.has(v)) return;
    placed.add(v);
    c.placeResult(v, slot);
  });
  c.writeGraph(graph);
  c.groups.writeAll();
  const outputs = graph.outputs.map((v, i): Location => {
    const argument = outputSlots[i] === undefined ? -1 : graph.inputs.indexOf(v);
    if (argument < 0) return leaveOutput(c, v, outputSlots[i]);
    return { ...location(v, 0, outputSlots[i]), argument };
  });
  c.closeFunction("code");
  const replaces = (slot: number): number[] => {
    const certain = !c.mayFail && c.parts.every(({ kind }) => kind === "code");
    return certain ? (c.replaceable.get(slot) ?? []).map((argument) => slots.indexOf(argument)) : [];
  };
  let bytes = roundUp(c.arena.bytes);
  const lay = ({ spec, size, address, slot, argument }: Location): Location => {
    if (slot === undefined || argument !== undefined) return { spec, size, address, slot, argument };
    const at = bytes;
    bytes += roundUp(size * byteSize(spec.dtype)) + PADDING;
    return { spec, size, address: at, slot, replaces: replaces(slot) };
  };
  const laid = { inputs: inputs.map(lay), outputs: outputs.map(lay) };
  const { module, constants, parts, memory, notes } = c;
  const asked = bytes - roundUp(c.arena.bytes) + c.arena.asked;
  return { module, ...laid, constants, parts, bytes, asked, slotTable: c.slotTable.address, slotCount, memory, notes };
}

function location({ shape, dtype }: Spec, address: number, slot: number | undefined): Location {
  return { spec: { shape, dtype }, size: sizeOf(shape), address, slot };
}

function defineInput(c: Compilation, v: Variable, slot: number | undefined): Location {
  const strides = rowMajorStrides(v.shape);
  if (slot !== undefined) {
    const bytes = sizeOf(v.shape) * byteSize(v.dtype);
    const buffer = { base: { kind: "slot" as const, slot }, address: 0, bytes, references: 1, loops: 0 };
    c.define(v, new Value(v.shape, v.dtype, { view: { buffer, offset: 0, strides } }));
    return location(v, 0, slot);
  }
  const view = c.allocateFor(v.shape, v.dtype);
  const { address } = view.buffer;
  c.define(v, new Value(v.shape, v.dtype, { view }));
  return location(v, address, undefined);
}

/** Makes sure that a result lies row-major where it is looked for. */
function leaveOutput(c: Compilation, v: Variable, slot: number | undefined): Location {
  const value = c.find(v);
  if (slot !== undefined) {
    if (!liesInSlot(value.view, slot)) {
      const buffer = { base: { kind: "slot" as const, slot }, address: 0, bytes: 0, references: 1, loops: 0 };
      copyInto(c, value, { buffer, offset: 0, strides: rowMajorStrides(v.shape) }, true);
    }
    return location(v, 0, slot);
  }
  const { view } = value;
  if (view !== undefined && view.buffer.base.kind === "arena" && isContiguous(v.shape, view.strides)) {
    return location(v, view.buffer.address + view.offset * byteSize(v.dtype), undefined);
  }
  const to = c.allocateFor(v.shape, v.dtype);
  if (value.elements !== undefined) c.store(to, v.dtype, value.elements);
  else copyInto(c, value, to, true);
  return location(v, to.buffer.address, undefined);
}

function liesInSlot(view: View | undefined, slot: number): boolean {
  return view?.buffer.base.kind === "slot" && view.buffer.base.slot === slot && view.offset === 0;
}

/**
 * A program as text: what it does in order, and where inputs, what is between and results lie, as bytes from the start
 * of its memory; movable ones lie where each call finds or leaves them.
 */
export function describeProgram({ notes, inputs, outputs, bytes, asked, parts }: Program): string {
  const typed = ({ spec }: Location) => `${spec.dtype}[${spec.shape.join(", ")}]`;
  const placed = (l: Location) => `${typed(l)} at ${l.slot === undefined ? l.address : `movable ${l.slot}`}`;
  const passed = (l: Location) => {
    if (l.argument !== undefined) return `${typed(l)}, argument ${l.argument} as it is`;
    return `${placed(l)}${l.replaces?.length ? `, or in the place of argument ${l.replaces.join(", ")}` : ""}`;
  };
  const loops = parts.filter((p) => p.kind === "loop").length;
  const counted = parts.length === 1 ? "1 part" : `${parts.length} parts, ${loops} of them loops`;
  return [
    `program of ${counted}; ${bytes} bytes of memory (${asked} without using any twice)`,
    ...inputs.map((l) => `  input ${placed(l)}`),
    ...notes.map((line) => `  ${line}`),
    ...outputs.map((l) => `  result ${passed(l)}`),
  ].join("\n");
}
