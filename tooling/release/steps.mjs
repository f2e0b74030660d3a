// The steps of a rehearsal: each is timed, may fail without ending the others, and has a line in the table.

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {number} seconds
 * @property {string} [detail] what was found, in a few words
 * @property {string} [error]
 * @property {string} [absent] what the machine lacks, with the remedy
 */

/** What this machine lacks; the step is named as not run, and fails where everything is required. */
export class Absent extends Error {}

/** Runs steps and keeps what became of them. */
export class Steps {
  /** @type {Step[]} */
  done = [];

  /**
   * @template T
   * @param {string} name
   * @param {() => T | Promise<T>} work a text that it returns becomes the detail
   * @returns {Promise<T | undefined>} nothing when it failed
   */
  async run(name, work) {
    const start = performance.now();
    /** @type {Step} */
    const step = { name, seconds: 0 };
    try {
      const value = await work();
      if (typeof value === "string") step.detail = value;
      return value;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof Absent) step.absent = message;
      else step.error = message;
      return undefined;
    } finally {
      step.seconds = (performance.now() - start) / 1000;
      this.done.push(step);
      const mark = step.error ? "failed" : step.absent ? "not run" : "ok";
      console.log(`${mark.padEnd(8)}${`${step.seconds.toFixed(1)} s`.padStart(8)}  ${name}`);
      if (step.error) console.log(step.error.replace(/^/gm, "    "));
    }
  }

  /**
   * @param {boolean} requireAll whether what could not run counts as failed
   * @returns {{ text: string, passed: number, failed: number, notRun: Array<{ what: string, count: number }> }}
   */
  summary(requireAll) {
    const width = Math.max(4, ...this.done.map(({ name }) => name.length));
    const rows = this.done.map(({ name, seconds, detail, error, absent }) => {
      const outcome = error ? `FAILED: ${error.split("\n")[0]}` : absent ? `not run: ${absent}` : (detail ?? "ok");
      return `${name.padEnd(width)}  ${`${seconds.toFixed(1)} s`.padStart(8)}  ${outcome}`;
    });
    const absentees = this.done.flatMap(({ absent }) => (absent ? [{ what: absent, count: 1 }] : []));
    const failed = this.done.filter(({ error }) => error).length + (requireAll ? absentees.length : 0);
    const passed = this.done.filter(({ error, absent }) => !error && !absent).length;
    const head = `${"step".padEnd(width)}  ${"time".padStart(8)}  outcome`;
    return { text: [head, ...rows].join("\n"), passed, failed, notRun: absentees };
  }
}

/**
 * Works through a list, at most `width` at a time.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {number} width
 * @param {(item: T) => Promise<unknown>} work must not throw
 */
export async function inParallel(items, width, work) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
