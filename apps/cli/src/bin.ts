#!/usr/bin/env node
import { exitCodes } from "./failure.js";
import { runProgram } from "./program.js";
import { ownRegistry } from "./registry.js";
import { Terminal } from "./terminal.js";

// `offprint list | head` closes the pipe early, which is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.success);
  throw error;
});

const terminal = new Terminal(process.stdout, process.stderr, process.env);
const code = await runProgram(process.argv.slice(2), ownRegistry(), terminal);
process.exitCode = code;
// A claim that was interrupted may still be computing, and would keep the process alive.
if (code === exitCodes.interrupted) process.exit(code);
