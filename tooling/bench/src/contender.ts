/** Work to be timed: called many times; a returned promise is awaited. */
export type Subject = () => unknown;

/** Something that can be timed beside others. */
export interface Contender {
  /** Runs the work `loops` times and gives the seconds of one. */
  time(loops: number): Promise<number>;
  /** Why it cannot be timed here, or nothing; known after the first `time`. */
  absent?(): Promise<string | undefined>;
}

/** Makes a contender of a function. Whether it is asynchronous is seen from its first result, so that no await is timed in vain. */
export function contender(subject: Subject): Contender {
  return {
    async time(loops) {
      const start = performance.now();
      const first = subject();
      if (first instanceof Promise) {
        await first;
        for (let i = 1; i < loops; i++) await subject();
      } else {
        for (let i = 1; i < loops; i++) subject();
      }
      return (performance.now() - start) / 1000 / loops;
    },
  };
}
