// Does a program that calls compiled functions for days keep its memory? Heap over a million calls, address space over
// thousands of functions that are compiled and dropped.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { jitSync, random, type Tensor } from "@offprint/tensor-core";
import { perceptron } from "./compiled-programs.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Finalizers run in turns of their own. */
async function collected(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resume) => setTimeout(resume, 5));
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function report(name: string, figures: string, goal: string, met: boolean): void {
  console.log(`${name.padEnd(44)}  ${figures}  goal ${goal}: ${met ? "met" : "MISSED"}`);
}

/** JavaScript's heap, and what lies outside of it, before and after calls. */
async function heapOver(name: string, calls: number, call: () => unknown): Promise<void> {
  for (let i = 0; i < 1000; i++) call();
  await collected();
  const before = process.memoryUsage();
  for (let i = 0; i < calls; i++) {
    call();
    if (i % 10_000 === 0) await new Promise((resume) => setImmediate(resume));
  }
  await collected();
  const after = process.memoryUsage();
  const grown = after.heapUsed - before.heapUsed + (after.arrayBuffers - before.arrayBuffers);
  const figures = `heap ${megabytes(before.heapUsed)}, then ${megabytes(after.heapUsed)}; arrays ${megabytes(before.arrayBuffers)}, then ${megabytes(after.arrayBuffers)}`;
  report(`${name}, ${calls} calls`, figures, "grows by less than 1 MB", grown < 1e6);
}

/** Bytes of address space and of memory that are really used; Linux says. */
function spaces(): { readonly addresses: number; readonly resident: number } | undefined {
  try {
    const [addresses, resident] = readFileSync("/proc/self/statm", "utf8").split(" ").map(Number);
    return { addresses: addresses * 4096, resident: resident * 4096 };
  } catch {
    return undefined;
  }
}

async function functions(count: number, dropped: boolean): Promise<void> {
  const name = `${count} functions, ${dropped ? "dropped" : "all kept"}`;
  if (spaces() === undefined) {
    console.log(`${name.padEnd(44)}  not measured: /proc is not here`);
    return;
  }
  const x = random.rng(0).normal([8]);
  const kept: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const f = jitSync((v: Tensor) => v.mul(i).add(1).tanh());
    f(x);
    if (!dropped) kept.push(f);
    if (i % 100 === 0) await new Promise((resume) => setImmediate(resume));
  }
  await collected();
  const { addresses, resident } = spaces()!;
  const figures = `address space ${(addresses / 1e9).toFixed(1)} GB, resident ${megabytes(resident)}`;
  report(name, figures, "< 100 GB", addresses < 100e9);
}

export async function run(): Promise<void> {
  const scalar = random.rng(0).normal([]);
  const small = jitSync((v: Tensor) => v.mul(2).add(1));
  await heapOver("scalar in, scalar out", 1e6, () => small(scalar));
  const { params, data, step } = perceptron([2, 64, 3], 32);
  const compiled = jitSync(step);
  let p = params;
  await heapOver("SGD step of an MLP 2-64-3", 1e5, () => {
    p = compiled(p, ...data);
  });
  const large = random.rng(0).normal([20_000], { dtype: "float64" });
  const damp = jitSync((v: Tensor) => v.mul(0.999));
  let state = large;
  await heapOver("20,000 float64 around a loop", 1e4, () => {
    state = damp(state);
  });
  await functions(3000, true);
  await functions(3000, false);
}
