/**
 * Lets several runs go one round each in turn, so that a disturbance of the machine falls on all of them; who is first
 * rotates.
 */
export class Turns {
  private readonly names: readonly string[];
  private readonly finished = new Set<string>();
  private readonly waiting = new Map<string, () => void>();
  private queue: string[] = [];
  private cycle = 0;
  private holder: string | undefined;

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** Resolves when it is this run's turn. */
  take(name: string): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.set(name, resolve);
      this.pass();
    });
  }

  /** Ends this run's turn. */
  give(name: string): void {
    if (this.holder === name) this.holder = undefined;
    this.pass();
  }

  /** This run is over. */
  leave(name: string): void {
    this.finished.add(name);
    this.give(name);
  }

  private pass(): void {
    if (this.holder !== undefined) return;
    this.queue = this.queue.filter((name) => !this.finished.has(name));
    if (this.queue.length === 0) {
      const first = this.cycle++ % this.names.length;
      const rotated = [...this.names.slice(first), ...this.names.slice(0, first)];
      this.queue = rotated.filter((name) => !this.finished.has(name));
    }
    const [next] = this.queue;
    const resolve = next === undefined ? undefined : this.waiting.get(next);
    if (resolve === undefined) return;
    this.queue.shift();
    this.waiting.delete(next);
    this.holder = next;
    resolve();
  }
}
