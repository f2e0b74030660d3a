// Jobs that wait for each other, run in as many lanes as the machine has processors.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {import("./suite.mjs").Outcome} Outcome
 *
 * @typedef {object} Job
 * @property {string} stage name of the stage it belongs to
 * @property {string} title what it looks at, `""` for all
 * @property {string} file of the stage
 * @property {string[]} packages names of those it looks at
 * @property {string[]} needs names of stages that must have ended
 * @property {string} [part] the part of its stage that it is
 * @property {string} [key] hash of what its outcome depends on
 * @property {(reads: string[]) => string} [digest] hash of files that only its run tells, on which it depends besides
 * @property {number} [together] how many jobs of its stage one process may do
 * @property {boolean} [waits] whether it mostly waits for what it has started: one such job runs beside the lanes
 *
 * @typedef {Job & Outcome & { seconds: number, cpu: number, quiet: number, cached: boolean, output: string }} Result
 * `cpu` are seconds of processor time, `quiet` what they were on the machine that budgets are meant for
 */

const stageProcess = fileURLToPath(new URL("stage-process.mjs", import.meta.url));
const cpuHook = new URL("cpu.mjs", import.meta.url).href;

/**
 * Runs jobs, in their order as far as their needs allow. A stage that failed does not stop those that need it: what it
 * left is what they find.
 *
 * @param {Job[]} jobs
 * @param {{ lanes: number, cache: string, filtered: boolean, environment: NodeJS.ProcessEnv, pace?: { between(from: number, to: number): number }, onResult: (result: Result) => void }} options
 * @returns {Promise<Result[]>}
 */
export async function runLanes(jobs, { lanes, cache, filtered, environment, pace, onResult }) {
  const waiting = [...jobs];
  /** @type {Map<string, number>} */
  const unfinished = new Map();
  for (const { stage } of jobs) unfinished.set(stage, (unfinished.get(stage) ?? 0) + 1);
  /** @type {Result[]} */
  const results = [];
  /** @type {Set<import("node:child_process").ChildProcess>} */
  const children = new Set();
  const endAll = () => {
    for (const child of children) endGroup(child);
  };
  const interrupted = () => {
    endAll();
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);

  const mayBegin = (/** @type {Job} */ { needs }) => needs.every((stage) => (unfinished.get(stage) ?? 0) === 0);
  /** The next job of a lane; one beside them takes only what waits, which is the last that they take themselves. */
  const ready = (/** @type {boolean} */ beside) => {
    const next = waiting.findIndex((job) => Boolean(job.waits) === beside && mayBegin(job));
    return next >= 0 || beside ? next : waiting.findIndex(mayBegin);
  };
  /**
   * Jobs that the process of a job does as well: a part of those that wait, so that no lane is left without, or all where
   * the stage says so.
   */
  const companions = (/** @type {Job} */ { stage, needs, together = 1 }) => {
    const alike = waiting.filter(
      (job) => job.stage === stage && job.needs.join() === needs.join() && (job.together ?? 1) === together,
    );
    const fresh = alike.filter((job) => !recall(cache, job));
    const share = together === Number.POSITIVE_INFINITY ? together : Math.ceil((fresh.length + 1) / lanes);
    const taken = fresh.slice(0, Math.min(together, share) - 1);
    for (const job of taken) waiting.splice(waiting.indexOf(job), 1);
    return taken;
  };
  /** @type {Array<() => void>} */
  let idle = [];
  const lane = async (beside = false) => {
    while (waiting.some(({ waits }) => waits || !beside)) {
      const next = ready(beside);
      if (next < 0) {
        await new Promise((resolve) => idle.push(() => resolve(undefined)));
        continue;
      }
      const [job] = waiting.splice(next, 1);
      const known = recall(cache, job);
      const fresh = known ? [] : [job, ...companions(job)];
      const ended = known ? [known] : await runJobs(fresh, { cache, filtered, environment, pace, children });
      for (const result of ended) {
        keep(cache, result);
        results.push(result);
        onResult(result);
        unfinished.set(result.stage, (unfinished.get(result.stage) ?? 1) - 1);
      }
      for (const wake of idle) wake();
      idle = [];
    }
    for (const wake of idle) wake();
  };
  await Promise.all([...Array.from({ length: lanes }, () => lane()), lane(true)]);
  process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  return results;
}

/** A worker in an endless loop does not notice that its parent is gone. */
function endGroup(/** @type {import("node:child_process").ChildProcess} */ child) {
  try {
    if (child.pid && process.platform !== "win32") process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {
    // All have ended already.
  }
}

let count = 0;

/**
 * @param {Job[]} jobs of one stage, for one process
 * @param {{ cache: string, filtered: boolean, environment: NodeJS.ProcessEnv, pace?: { between(from: number, to: number): number }, children: Set<import("node:child_process").ChildProcess> }} options
 * @returns {Promise<Result[]>}
 */
async function runJobs(jobs, { cache, filtered, environment, pace, children }) {
  const folder = join(cache, "jobs", `${process.pid}-${count++}`);
  mkdirSync(folder, { recursive: true });
  const outcomePath = join(folder, "outcome.json");
  const start = performance.now();
  const words = {
    stage: jobs[0].file,
    packages: jobs.flatMap(({ packages }) => packages),
    parts: jobs.flatMap(({ part }) => part ?? []),
    filtered,
    folder,
  };
  const child = spawn(process.execPath, [stageProcess, JSON.stringify(words)], {
    env: {
      ...environment,
      OFFPRINT_CPU_TIME: folder,
      NODE_OPTIONS: [environment.NODE_OPTIONS, `--import=${cpuHook}`].filter(Boolean).join(" "),
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  children.add(child);
  /** @type {Buffer[]} */
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part) => output.push(part));
  const [code, signal] = await once(child, "close");
  endGroup(child);
  children.delete(child);
  const text = Buffer.concat(output).toString("utf8").trim();
  /** @type {import("./suite.mjs").Outcomes} */
  const outcomes = existsSync(outcomePath) ? JSON.parse(readFileSync(outcomePath, "utf8")) : {};
  const ended = existsSync(outcomePath) ? "" : `\nended with ${signal ?? `exit code ${code}`}`;
  const told = (/** @type {string} */ name) => Number(readFileSync(join(folder, name), "utf8"));
  const each = readdirSync(folder).filter((name) => name.startsWith("cpu-"));
  // Programs that are not Node are seen by who waited for them.
  const waited = existsSync(join(folder, "waited")) ? told("waited") : 0;
  const microseconds = Math.max(
    waited,
    each.reduce((sum, name) => sum + told(name), 0),
  );
  // A process that has just been killed may still write its time.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  const end = performance.now();
  const slowness = pace?.between(start, end) ?? 1;
  return jobs.map((job) => {
    const own = job.together ? outcomes.each?.[job.part ?? job.packages[0]] : undefined;
    const { share = 1 / jobs.length, ...outcome } = own ?? outcomes.all ?? { passed: 0, failed: 1 };
    const seconds = ((end - start) / 1000) * share;
    const cpu = (microseconds / 1e6) * share;
    const quiet = cpu / slowness;
    const output = [...(own?.failures ?? []), text + ended].join("\n").trim();
    return { ...job, ...outcome, seconds, cpu, quiet, cached: false, output };
  });
}

/** @param {string} cache @param {string} key */
const pathOf = (cache, key) => join(cache, "passed", `${key}.json`);

/**
 * @param {string} cache
 * @param {Job} job
 * @returns {Result | undefined} what the same job gave before
 */
function recall(cache, job) {
  if (job.key === undefined || !existsSync(pathOf(cache, job.key))) return undefined;
  try {
    const { passed, cpu, quiet, reads, digest } = JSON.parse(readFileSync(pathOf(cache, job.key), "utf8"));
    if (job.digest?.(reads) !== digest) return undefined;
    return { ...job, passed, failed: 0, cpu, quiet, seconds: 0, cached: true, output: "" };
  } catch {
    return undefined;
  }
}

/** Only what passed whole is kept: failures and absent devices are looked at anew. */
function keep(/** @type {string} */ cache, /** @type {Result} */ result) {
  const { key, cached, passed, failed, notRun, cpu, quiet, reads, digest } = result;
  if (key === undefined || cached || failed > 0 || (notRun ?? []).length > 0 || (digest && !reads)) return;
  mkdirSync(join(cache, "passed"), { recursive: true });
  const read = digest && reads ? { reads, digest: digest(reads) } : {};
  writeFileSync(pathOf(cache, key), JSON.stringify({ passed, cpu, quiet, ...read }));
}
