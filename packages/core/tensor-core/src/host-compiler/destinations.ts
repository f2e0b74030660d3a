import type { Variable } from "../graph/builder.js";
import type { Buffer, View } from "./values.js";

/** What a place is asked about a variable: where it lies, and how often it is still used. */
interface Places {
  readonly viewOf: (variable: Variable) => View | undefined;
  readonly usesOf: (variable: Variable) => number;
}

/**
 * Where the results of the bodies of loops belong: the new state where the old one lies, stacked results in the row of
 * the step. What is computed there need not be copied there.
 */
export class Destinations {
  private readonly homes = new Map<Variable, View>();
  private readonly rows = new Map<Variable, View[]>();

  constructor(private readonly places: Places) {}

  /** Where the next state belongs: undefined for a part that does not lie in memory. */
  setHomes(next: readonly Variable[], homes: readonly (View | undefined)[]): void {
    next.forEach((variable, i) => {
      const home = homes[i];
      if (home !== undefined && !this.homes.has(variable)) this.homes.set(variable, home);
    });
  }

  /** Says that the next state is there. */
  clearHomes(next: readonly Variable[]): void {
    for (const variable of next) this.homes.delete(variable);
  }

  /** Adds a row that a result belongs in. */
  addRow(variable: Variable, row: View): void {
    this.rows.set(variable, [...(this.rows.get(variable) ?? []), row]);
  }

  /** The rows that a result is still to be written to, by who asks. */
  takeRows(variable: Variable): readonly View[] {
    const rows = this.rows.get(variable) ?? [];
    this.rows.delete(variable);
    return rows;
  }

  /** The place of the old state, where no value lies there any more. */
  freeHome(variable: Variable): View | undefined {
    const home = this.homes.get(variable);
    return home !== undefined && lying(home.buffer) === 0 ? home : undefined;
  }

  /**
   * The place of the old state for a result of elementwise operations, where nothing lies there but what these read for
   * the last time: each element is read before it is overwritten.
   * @param reads how often the operations read each variable
   */
  home(variable: Variable, reads: ReadonlyMap<Variable, number>): View | undefined {
    const home = this.homes.get(variable);
    if (home === undefined) return undefined;
    let others = lying(home.buffer);
    for (const [read, times] of reads) {
      const view = this.places.viewOf(read);
      if (view?.buffer !== home.buffer) continue;
      const same = view.offset === home.offset && view.strides.join() === home.strides.join();
      if (!same || this.places.usesOf(read) !== times) return undefined;
      others--;
    }
    return others === 0 ? home : undefined;
  }
}

/** How many values lie in a buffer beside the states of loops. */
function lying({ references, loops }: Buffer): number {
  return references - loops;
}
