// `npm start`: sets up, builds and runs the `offprint` command.
// Without arguments it does the main job: list the methods, then reproduce a paper's claims with a report.
// `npm start -- docs` builds and serves the documentation site instead.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { chosenPort, isFree } from "../../apps/docs/serve.mjs";
import { build, buildSite, quietEnvironment, root, SetupError, setUp } from "./setup.mjs";

const mainJob = [["list"], ["reproduce", "diffgrad", "--report", "offprint-report"]];

const docsHelp = `
Of this repository:
  docs      build and serve the documentation site: npm start -- docs [--port <n>]`;

/**
 * Runs a script of an app. What ends this process ends the script.
 *
 * @param {string} script
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
function runApp(script, args) {
  const child = spawn(process.execPath, [join(root, "apps", script), ...args], {
    // File names on the command line are meant from where the user stands, also with `npm --prefix`.
    cwd: process.env.INIT_CWD ?? root,
    env: quietEnvironment,
    stdio: "inherit",
  });
  const onInterrupt = () => undefined; // the terminal sends Ctrl-C to the script too
  const onEnd = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  process.on("SIGINT", onInterrupt);
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"])) process.on(signal, onEnd);
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new SetupError(`apps/${script} could not be started: ${error.message}.`)));
    child.on("close", (code, signal) => {
      process.off("SIGINT", onInterrupt);
      for (const each of /** @type {const} */ (["SIGTERM", "SIGHUP"])) process.off(each, onEnd);
      resolve(code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)]);
    });
  });
}

/**
 * Builds and serves the site; whatever can be known to be wrong is said before the build.
 *
 * @param {string[]} words
 */
async function docs(words) {
  const chosen = chosenPort(words);
  if ("text" in chosen) {
    (chosen.code === 0 ? console.log : console.error)(chosen.text);
    return chosen.code;
  }
  if (chosen.port !== 0 && !(await isFree(chosen.port))) {
    console.error(`Port ${chosen.port} is in use; choose another with --port.`);
    return 1;
  }
  setUp();
  buildSite();
  return runApp("docs/serve.mjs", words);
}

/** @param {string[]} args */
async function command(args) {
  setUp();
  build(["offprint"]);
  for (const job of args.length > 0 ? [args] : mainJob) {
    const code = await runApp("cli/dist/bin.js", job);
    if (code !== 0) return code;
  }
  if (["help", "-h", "--help"].includes(args[0] ?? "") && args.length === 1) console.log(docsHelp);
  return 0;
}

try {
  const [first, ...rest] = process.argv.slice(2);
  process.exitCode = first === "docs" ? await docs(rest) : await command(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
