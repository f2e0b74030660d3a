#!/usr/bin/env node
import { describeError, exitCodes, interruptible, Terminal } from "@offprint/commands";
import { serveClaims } from "./claims-worker.js";
import { answerProbe } from "./commands/doctor.js";
import { computes, runProgram } from "./program.js";
import { ownRegistry } from "./registry.js";
import { ownRole } from "./roles.js";
import { supervise, supervised } from "./supervisor.js";

// `offprint list | head` closes the pipe early, which is no error; nor is it where messages go into the same pipe.
for (const [name, stream] of [
  ["standard output", process.stdout],
  ["standard error", process.stderr],
] as const) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.success);
    const { message, exitCode } = describeError(Object.assign(error, { path: name }));
    if (stream === process.stdout) process.stderr.write(`offprint: ${message}\n`);
    process.exit(exitCode);
  });
}

const words = process.argv.slice(2);
const registry = ownRegistry();
const role = ownRole(process.env);

async function main(): Promise<number | undefined> {
  if (role.kind === "claims") {
    serveClaims(registry);
    return undefined;
  }
  if (role.kind === "probe") return answerProbe(registry, role.device);
  if (role.kind === "work") {
    const { out, err, ...surroundings } = supervised();
    return runProgram(words, registry, { terminal: new Terminal(out, err, process.env), ...surroundings });
  }
  if (computes(words, registry)) return supervise(words);
  const terminal = new Terminal(process.stdout, process.stderr, process.env);
  return interruptible((signal) => runProgram(words, registry, { terminal, signal }));
}

const code = await main();
if (code !== undefined) process.exitCode = code;
// What was interrupted may still be computing, and would keep the process alive.
if (code === exitCodes.interrupted) process.exit(code);
