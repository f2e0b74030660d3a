/** Carries out asynchronous tasks one after the other, in the order in which they come. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  /** Starts the task when all before it have ended, well or badly. */
  take<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.last.then(task, task);
    this.last = turn.catch(() => {});
    return turn;
  }
}
