import type { ConeBlock } from "../cones.js";
import type { ConeScaling } from "./cone-scaling.js";
import { OrthantScaling } from "./orthant-scaling.js";
import { SecondOrderScaling } from "./second-order-scaling.js";
import { SemidefiniteScaling } from "./semidefinite-scaling.js";

/** @internal The scalings of all cones; rows of the zero cone are left as they are, and 0 in what is new. */
export class ProductScaling implements ConeScaling {
  readonly degree: number;
  readonly orthants: { readonly block: ConeBlock; readonly scaling: OrthantScaling }[] = [];
  readonly secondOrder: { readonly block: ConeBlock; readonly scaling: SecondOrderScaling }[] = [];
  /** Blocks of one order share a scaling. */
  readonly semidefinite: SemidefiniteScaling[] = [];
  private readonly parts: readonly ConeScaling[];

  constructor(blocks: readonly ConeBlock[]) {
    const byOrder = new Map<number, number[]>();
    for (const block of blocks) {
      const { kind, start, length, order } = block;
      if (kind === "nonnegative") this.orthants.push({ block, scaling: new OrthantScaling(start, length) });
      else if (kind === "secondOrder") this.secondOrder.push({ block, scaling: new SecondOrderScaling(start, length) });
      else if (kind === "semidefinite") byOrder.set(order, [...(byOrder.get(order) ?? []), start]);
    }
    for (const [order, starts] of byOrder) this.semidefinite.push(new SemidefiniteScaling(starts, order));
    const vectors = [...this.orthants, ...this.secondOrder].map(({ scaling }) => scaling);
    this.parts = [...vectors, ...this.semidefinite];
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

  unscaleTwice(from: Float64Array, to: Float64Array): void {
    for (const part of this.parts) part.unscaleTwice(from, to);
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
}
