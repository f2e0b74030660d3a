import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { compare } from "@offprint/bench";
import { type Cluster, cluster, joinCluster } from "@offprint/cluster";

/* What does a job cost besides its own work, on threads and through NATS, and do eight workers keep the processors busy? */

const jobs = `
export const nothing = (x) => x;
export const count = ({ steps }) => { let s = 0; for (let k = 0; k < steps; k++) s = (s * 1103515245 + k) | 0; return s; };
`;

/** A program with a package of jobs installed. */
function install(): string {
  const folder = mkdtempSync(join(tmpdir(), "offprint-bench-"));
  const inPackage = join(folder, "node_modules", "jobs");
  mkdirSync(inPackage, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies: { jobs: "*" } }));
  const declared = { nothing: ".", count: "." };
  const manifest = {
    name: "jobs",
    version: "1.0.0",
    type: "module",
    exports: "./jobs.js",
    offprint: { jobs: declared },
  };
  writeFileSync(join(inPackage, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(inPackage, "jobs.js"), jobs);
  return folder;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function all(where: Cluster, job: string, list: Iterable<unknown>, inFlight?: number): Promise<void> {
  for await (const { error } of where.map(job, list, inFlight === undefined ? {} : { inFlight }))
    if (error) throw error;
}

/** Counts in this thread: what the processors give here and now, without any cluster. */
function alone(steps: number): number {
  let s = 0;
  for (let k = 0; k < steps; k++) s = (s * 1103515245 + k) | 0;
  return s;
}

async function measure(name: string, where: Cluster): Promise<void> {
  const few = Array.from({ length: 50 }, (_, k) => k);
  const many = Array.from({ length: 1000 }, (_, k) => k);
  await all(where, "jobs#nothing", many);
  await compare({
    name: `${name}: 50 empty jobs, one after the other`,
    ours: () => all(where, "jobs#nothing", few, 1),
    work: { amount: few.length, unit: "jobs" },
    maxSeconds: few.length * (name === "threads" ? 0.001 : 0.003),
    repetitions: 9,
  });
  await compare({
    name: `${name}: 1000 empty jobs`,
    ours: () => all(where, "jobs#nothing", many),
    work: { amount: many.length, unit: "jobs" },
    repetitions: 3,
  });
  // Busy processors: eight workers and some ten ms of counting a job, against the same counting without a cluster.
  const steps = 1e7;
  // Equal jobs are the same job and are run once: these differ.
  const list = Array.from({ length: 16 }, (_, k) => ({ steps: steps + k }));
  await all(where, "jobs#count", list);
  await compare({
    name: `${name}: 16 jobs on 8 workers, against one of the ${availableParallelism()} processors alone`,
    ours: () => all(where, "jobs#count", list),
    peers: { alone: () => list.forEach(() => void alone(steps)) },
    maxRatio: 1 / (0.9 * Math.min(8, availableParallelism())),
    repetitions: 3,
  });
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const folder = install();
  const manifest = join(folder, "package.json");
  const threads = await cluster({ kind: "threads", workers: 8, manifest });
  await measure("threads", threads);
  await threads.close();
  const program = ["/usr/sbin/nats-server", "/usr/bin/nats-server"].find((path) => existsSync(path));
  if (program === undefined) {
    console.log("NATS: needs nats-server: install Debian's nats-server");
    return;
  }
  const port = await freePort();
  const server = spawn(program, ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", join(folder, "store")], {
    stdio: "ignore",
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const servers = `nats://127.0.0.1:${port}`;
  const worker = await joinCluster({ servers, workers: 8, manifest });
  const machines = await cluster({ kind: "nats", servers, manifest });
  await measure("NATS", machines);
  await machines.close();
  await worker.close();
  server.kill();
  await new Promise((resolve) => server.on("close", resolve));
  rmSync(folder, { recursive: true, force: true });
}
