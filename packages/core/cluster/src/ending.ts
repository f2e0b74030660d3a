/**
 * One end for many pieces of work, each of which has a signal of its own: runtimes take many listeners on one signal for
 * a leak, and warn.
 */
export class Ending {
  private readonly open = new Set<AbortController>();
  private over = false;

  /** Whether the end has come. */
  get ended(): boolean {
    return this.over;
  }

  /** Does a piece of work, whose signal fires when the end comes. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    if (this.over) controller.abort();
    this.open.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      this.open.delete(controller);
    }
  }

  /** Ends all that is under way, and all that is yet to come. */
  end(): void {
    this.over = true;
    for (const controller of this.open) controller.abort();
  }
}
