import type { Parts } from "@offprint/solvers";
import type { ConeBlock } from "../cones.js";
import type { ConeScaling } from "./cone-scaling.js";
import { OrthantScaling } from "./orthant-scaling.js";
import { SecondOrderScaling } from "./second-order-scaling.js";
import { SemidefiniteScaling } from "./semidefinite-scaling.js";

/** Cubes of the orders of blocks that share a scaling add up to this at most: a decomposition of them takes about 10 ms. */
const MOST_TOGETHER = 2 ** 20;

/** @internal The scalings of all cones; rows of the zero cone are left as they are, and 0 in what is new. */
export class ProductScaling implements ConeScaling {
  readonly degree: number;
  readonly orthants: { readonly block: ConeBlock; readonly scaling: OrthantScaling }[] = [];
  readonly secondOrder: { readonly block: ConeBlock; readonly scaling: SecondOrderScaling }[] = [];
  /** Blocks of one order share a scaling, as many as are over in a blink. */
  readonly semidefinite: SemidefiniteScaling[] = [];
  private readonly parts: readonly ConeScaling[];
  /** The same, in groups that are over in a blink. */
  private readonly groups: readonly (readonly ConeScaling[])[];

  constructor(blocks: readonly ConeBlock[]) {
    const byOrder = new Map<number, number[]>();
    for (const block of blocks) {
      const { kind, start, length, order } = block;
      if (kind === "nonnegative") this.orthants.push({ block, scaling: new OrthantScaling(start, length) });
      else if (kind === "secondOrder") this.secondOrder.push({ block, scaling: new SecondOrderScaling(start, length) });
      else if (kind === "semidefinite") byOrder.set(order, [...(byOrder.get(order) ?? []), start]);
    }
    for (const [order, starts] of byOrder) {
      const together = Math.max(1, Math.floor(MOST_TOGETHER / order ** 3));
      for (let k = 0; k < starts.length; k += together) {
        this.semidefinite.push(new SemidefiniteScaling(starts.slice(k, k + together), order));
      }
    }
    const vectors = [...this.orthants, ...this.secondOrder];
    this.parts = [...vectors.map(({ scaling }) => scaling), ...this.semidefinite];
    this.groups = grouped(this.parts, [
      ...vectors.map(({ block }) => block.length),
      ...this.semidefinite.map(({ starts, order }) => starts.length * order ** 3),
    ]);
    this.degree = this.parts.reduce((sum, { degree }) => sum + degree, 0);
  }

  addIdentity(factor: number, to: Float64Array): void {
    for (const part of this.parts) part.addIdentity(factor, to);
  }

  distanceToCone(v: Float64Array): number {
    return this.parts.reduce((distance, part) => Math.max(distance, part.distanceToCone(v)), -Infinity);
  }

  update(s: Float64Array, y: Float64Array, lambda: Float64Array): boolean {
    return this.parts.every((part) => part.update(s, y, lambda));
  }

  /** `update` in parts. */
  *updating(s: Float64Array, y: Float64Array, lambda: Float64Array): Parts<boolean> {
    for (const group of this.groups) {
      if (!group.every((part) => part.update(s, y, lambda))) return false;
      yield;
    }
    return true;
  }

  /** Any other of the methods in parts. */
  *each(work: (cone: ConeScaling) => void): Parts<void> {
    for (const group of this.groups) {
      for (const part of group) work(part);
      yield;
    }
  }

  scale(from: Float64Array, to: Float64Array): void {
    for (const part of this.parts) part.scale(from, to);
  }

  scaleTransposed(from: Float64Array, to: Float64Array): void {
    for (const part of this.parts) part.scaleTransposed(from, to);
  }

  unscale(from: Float64Array, to: Float64Array): void {
    for (const part of this.parts) part.unscale(from, to);
  }

  unscaleTransposed(from: Float64Array, to: Float64Array): void {
    for (const part of this.parts) part.unscaleTransposed(from, to);
  }

  product(u: Float64Array, v: Float64Array, to: Float64Array): void {
    for (const part of this.parts) part.product(u, v, to);
  }

  divide(v: Float64Array, to: Float64Array): void {
    for (const part of this.parts) part.divide(v, to);
  }

  longestStep(v: Float64Array): number {
    return this.parts.reduce((step, part) => Math.min(step, part.longestStep(v)), Infinity);
  }

  /** `longestStep` in parts. */
  *steppingTo(v: Float64Array): Parts<number> {
    let step = Infinity;
    yield* this.each((part) => {
      step = Math.min(step, part.longestStep(v));
    });
    return step;
  }
}

/** Neighbours together as long as their costs are within {@link MOST_TOGETHER}. */
function grouped(parts: readonly ConeScaling[], costs: readonly number[]): ConeScaling[][] {
  const groups: ConeScaling[][] = [];
  let total = Infinity;
  for (const [k, part] of parts.entries()) {
    total += costs[k];
    if (total > MOST_TOGETHER) {
      groups.push([]);
      total = costs[k];
    }
    groups[groups.length - 1].push(part);
  }
  return groups;
}
