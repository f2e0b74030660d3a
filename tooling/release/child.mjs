// Child processes of the rehearsal: started, watched and ended by their id.
import { spawn } from "node:child_process";

const hidden = /^(?:npm|pnpm)_|^INIT_CWD$|_TOKEN$/i;

/**
 * What a child gets to see of our environment. A package manager that started us leaves its settings in `npm_*`;
 * a user's plain npm would not have them. No rehearsal needs a real token.
 *
 * @param {Record<string, string>} [more]
 * @returns {NodeJS.ProcessEnv}
 */
export function plainEnvironment(more = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !hidden.test(name));
  return { ...Object.fromEntries(kept), NO_UPDATE_NOTIFIER: "1", NODE_NO_WARNINGS: "1", ...more };
}

/**
 * @typedef {object} Finished
 * @property {number} code exit code; 1 when a signal ended it
 * @property {string} stdout
 * @property {string} stderr
 * @property {string} results what it wrote to descriptor 3
 */

/**
 * Runs a program to its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, seconds?: number }} options `seconds`: after these it is ended
 * @returns {Promise<Finished>}
 */
export function run(command, args, { cwd, env, seconds = 300 }) {
  return new Promise((resolve, reject) => {
    const shell = process.platform === "win32" && command !== process.execPath;
    const child = spawn(command, args, { cwd, env, shell, stdio: ["ignore", "pipe", "pipe", "pipe"] });
    const text = ["", "", "", ""];
    for (const place of [1, 2, 3]) {
      child.stdio[place]?.on("data", (/** @type {Buffer} */ bytes) => (text[place] += bytes));
    }
    const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const stderr = signal ? `${text[2]}\nended by ${signal} (limit: ${seconds} s)` : text[2];
      resolve({ code: code ?? 1, stdout: text[1], stderr, results: text[3] });
    });
  });
}

/**
 * Runs a program that must succeed.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, seconds?: number }} options
 */
export async function succeed(command, args, options) {
  const finished = await run(command, args, options);
  if (finished.code === 0) return finished;
  const lines = `${finished.stdout}\n${finished.stderr}`.trim().split("\n").slice(-25).join("\n");
  throw new Error(`${command} ${args.join(" ")}: exit code ${finished.code}\n${lines}`);
}
