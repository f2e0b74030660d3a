import { isTensor, type JitOptions, type Jitted, jit, tree } from "@offprint/tensor-core";

/** Functions for validation and prediction, compiled where that is asked for; results are in memory. */
export class CompiledFunctions {
  private readonly known = new Map<string, { release(): Promise<void> }>();

  /** @param how undefined to run functions as they are */
  constructor(private readonly how: JitOptions | undefined) {}

  /**
   * Runs a pure function of trees of tensors.
   * @param key functions with the same key must be the same
   */
  async run<A extends unknown[], R>(key: string, f: (...args: A) => R, ...args: A): Promise<R> {
    if (this.how === undefined) return f(...args);
    const compiled = (this.known.get(key) as Jitted<typeof f> | undefined) ?? jit(f, this.how);
    this.known.set(key, compiled);
    const flat = tree.flatten(await compiled(...args));
    const leaves = await Promise.all(flat.leaves.map((leaf) => (isTensor(leaf) ? leaf.host() : leaf)));
    return tree.unflatten<R>(flat.structure, leaves);
  }

  /** Frees what was compiled. */
  async release(): Promise<void> {
    for (const compiled of this.known.values()) await compiled.release();
    this.known.clear();
  }
}
