import type { Variable } from "../graph/builder.js";
import type { Spec } from "../primitive.js";
import { sizeOf } from "../shape.js";
import type { Compilation } from "./compilation.js";
import { copyInto } from "./groups.js";
import { elementTypes, Value, type View } from "./values.js";

/** One tensor of a loop's state: a small one in locals, a large one in a buffer. */
interface StatePart {
  readonly spec: Spec;
  /** Empty for large ones. */
  locals: number[];
  /** Where it lies; small ones lie there between the calls of a loop that is a function of its own. */
  readonly home: View | undefined;
  /** Whether the first state lies there already. */
  readonly moved: boolean;
}

/** The state of a loop of the program. */
export class LoopState {
  private readonly parts: readonly StatePart[];

  /**
   * @param initial what the state is at first; memory that nothing else needs is taken over.
   * @param saved whether small parts need a place in memory too.
   */
  constructor(
    private readonly c: Compilation,
    initial: readonly Variable[],
    saved: boolean,
  ) {
    this.parts = initial.map((variable) => {
      const { shape, dtype } = variable;
      const large = sizeOf(shape) > c.small;
      const own = large ? c.takePlace(variable) : undefined;
      const home = own ?? (large || saved ? c.allocateFor(shape, dtype) : undefined);
      if (large) (home as View).buffer.loops++;
      return { spec: { shape, dtype }, locals: [], home, moved: own !== undefined };
    });
  }

  /** Says that the loop is written: its state is from now on what other values are. */
  end(): void {
    for (const part of this.parts) if (this.isLarge(part)) (part.home as View).buffer.loops--;
  }

  private isLarge({ spec }: StatePart): boolean {
    return sizeOf(spec.shape) > this.c.small;
  }

  private openLocals(part: StatePart): void {
    const type = elementTypes[part.spec.dtype];
    part.locals = Array.from({ length: sizeOf(part.spec.shape) }, () => this.c.writer.local(type));
  }

  /** Writes the first state to memory. */
  save(values: readonly Value[]): void {
    this.parts.forEach((part, i) => {
      const home = part.home as View;
      if (part.moved) return;
      if (this.isLarge(part)) copyInto(this.c, values[i], home, true);
      else this.c.store(home, part.spec.dtype, this.c.elements(values[i]));
    });
  }

  /** Takes the first state into locals and buffers. */
  start(values: readonly Value[]): void {
    this.parts.forEach((part, i) => {
      if (part.moved) return;
      if (this.isLarge(part)) copyInto(this.c, values[i], part.home as View, true);
      else {
        const elements = this.c.elements(values[i]);
        this.openLocals(part);
        part.locals.forEach((local, k) => {
          this.c.push(elements[k]);
          this.c.writer.set(local);
        });
      }
    });
  }

  /** Reads the small parts from memory. */
  resume(): void {
    for (const part of this.parts) {
      if (this.isLarge(part)) continue;
      const { spec } = part;
      const elements = this.c.elements(new Value(spec.shape, spec.dtype, { view: part.home as View }));
      this.openLocals(part);
      part.locals.forEach((local, k) => {
        this.c.push(elements[k]);
        this.c.writer.set(local);
      });
    }
  }

  /** Writes the small parts to memory. */
  suspend(): void {
    for (const part of this.parts) {
      if (this.isLarge(part)) continue;
      this.c.store(part.home as View, part.spec.dtype, this.elementsOf(part));
    }
  }

  private elementsOf({ spec, locals }: StatePart) {
    return locals.map((local) => ({ type: elementTypes[spec.dtype], local }));
  }

  /** Where the parts of the state lie that are kept in memory. */
  homes(): (View | undefined)[] {
    return this.parts.map((part) => (this.isLarge(part) ? part.home : undefined));
  }

  /** The state as it is now. */
  values(): Value[] {
    return this.parts.map((part) => {
      const { shape, dtype } = part.spec;
      if (!this.isLarge(part)) return new Value(shape, dtype, { elements: this.elementsOf(part) });
      return new Value(shape, dtype, { view: part.home as View });
    });
  }

  /** The state after a loop that is a function of its own. */
  savedValues(): Value[] {
    return this.parts.map(({ spec, home }) => new Value(spec.shape, spec.dtype, { view: home as View }));
  }

  /** Replaces the state, all parts at once: each may be made of the old others. */
  replace(next: readonly Value[]): void {
    const { c } = this;
    const small: { local: number; push: () => void }[] = [];
    const copies: { from: Value; to: View }[] = [];
    const homes = new Set(this.parts.filter((p) => this.isLarge(p)).map((p) => (p.home as View).buffer));
    const temporaries: View[] = [];
    this.parts.forEach((part, i) => {
      const value = next[i];
      if (!this.isLarge(part)) {
        c.elements(value).forEach((element, k) => {
          if (element.local !== part.locals[k]) small.push({ local: part.locals[k], push: () => c.push(element) });
        });
        return;
      }
      const home = part.home as View;
      const view = value.view;
      if (view === undefined || !homes.has(view.buffer)) {
        copies.push({ from: value, to: home });
        return;
      }
      const stays = view.buffer === home.buffer && view.offset === 0 && view.strides.join() === home.strides.join();
      if (stays) return;
      const temporary = c.allocateFor(value.shape, value.dtype);
      temporaries.push(temporary);
      copyInto(c, value, temporary, true);
      copies.push({ from: new Value(value.shape, value.dtype, { view: temporary }), to: home });
    });
    for (const { push } of small) push();
    for (const { local } of small.reverse()) c.writer.set(local);
    for (const { from, to } of copies) copyInto(c, from, to, true);
    for (const { buffer } of temporaries) c.arena.release(buffer);
  }
}
