import type { DType } from "../dtype.js";
import type { Shape } from "../shape.js";
import { sizeOf } from "../shape.js";
import { Gaps, PADDING, roundUp } from "./gaps.js";

/** How an element is held in a local: booleans are 0 and 1 in an i32. */
export type ElementType = "f32" | "f64" | "i32";

/** The type that holds elements of a dtype. */
export const elementTypes: Readonly<Record<DType, ElementType>> = {
  float32: "f32",
  float64: "f64",
  int32: "i32",
  bool: "i32",
};

/** A number that is known when compiling, or a local that is set once and holds it. */
export interface Element {
  readonly type: ElementType;
  readonly constant?: number;
  readonly local?: number;
  /** What the number in the local is the negative of, where that is known. */
  readonly negated?: Element;
}

/** From where the addresses of a buffer count: the arena, an address given at each call, or one in a local. */
export type Base =
  | { readonly kind: "arena" }
  | { readonly kind: "slot"; readonly slot: number }
  | { readonly kind: "register"; readonly local: number };

/** A range of memory. */
export interface Buffer {
  readonly base: Base;
  /** Bytes from the base. */
  readonly address: number;
  readonly bytes: number;
  /** How many values lie in it; free at 0. */
  references: number;
  /** How many loops that are being written keep a part of their state here: references that do not mind overwriting. */
  loops: number;
}

/** A strided window over a buffer, counted in elements. */
export interface View {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Offsets of all elements in row-major order. */
export function offsets(shape: Shape, strides: readonly number[]): number[] {
  let all = [0];
  for (let axis = 0; axis < shape.length; axis++) {
    const steps = Array.from({ length: shape[axis] }, (_, i) => i * strides[axis]);
    all = all.flatMap((offset) => steps.map((step) => offset + step));
  }
  return all;
}

/** What is known of a variable of the graph: where its elements are; each place that is set holds all of them. */
export class Value {
  /** One by one, in row-major order; kept for small tensors. */
  elements?: readonly Element[];
  /** The one that all of them equal. */
  uniform?: Element;
  /** In memory. */
  view?: View;

  constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    places: { elements?: readonly Element[]; uniform?: Element; view?: View },
  ) {
    this.elements = places.elements;
    this.uniform = places.uniform;
    this.view = places.view;
  }

  get size(): number {
    return sizeOf(this.shape);
  }
}

/** Plans where buffers lie in one block of memory, by when they are needed. */
export class Arena {
  private readonly gaps = new Gaps(0, Number.MAX_SAFE_INTEGER);
  /** Bytes that the block needs. */
  bytes = 0;
  /** Bytes of all buffers together, which lie in turn where others lay. */
  asked = 0;

  allocate(bytes: number): Buffer {
    const size = roundUp(bytes) + PADDING;
    const address = this.gaps.take(size) as number;
    this.bytes = Math.max(this.bytes, address + size);
    this.asked += size;
    return { base: { kind: "arena" }, address, bytes: size, references: 1, loops: 0 };
  }

  /** Drops one reference; at none left the room is free. */
  release(buffer: Buffer): void {
    buffer.references--;
    if (buffer.references === 0 && buffer.base.kind === "arena") this.gaps.give(buffer.address, buffer.bytes);
  }
}
