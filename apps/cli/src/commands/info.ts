import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { padText, wrapText } from "@offprint/claims";
import { exitCodes } from "../failure.js";
import { loadClaims, type Method, type Registry } from "../registry.js";
import type { Terminal } from "../terminal.js";

/** First code block of the section on usage. */
export function usageOf(readme: string): string | undefined {
  const section = readme.split(/^## /m).find((part) => /^.*\bus(age|e|ing)\b/i.test(part.split("\n")[0]!));
  return section?.match(/^```\w*[^\n]*\n(.*?)^```/ms)?.[1]?.trimEnd();
}

function readReadme({ directory }: Method): string {
  const path = join(directory, "README.md");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** Prints what a method is: paper, links, claims, how to install and use it. */
export async function info(registry: Registry, method: Method, terminal: Terminal): Promise<number> {
  const indented = (text: string, indent: number) =>
    wrapText(text, Math.max(20, terminal.width - indent)).map((line) => " ".repeat(indent) + line);
  terminal.print(`${method.name} ${method.version}  ·  ${method.area}`);
  for (const line of indented(method.title, 0)) terminal.print(line);
  for (const line of indented(`${method.authors} (${method.year})`, 0)) terminal.print(line);

  const links: [string, string | undefined][] = [
    ["paper", method.arxiv && `https://arxiv.org/abs/${method.arxiv}`],
    ["package", `https://www.npmjs.com/package/${method.packageName}`],
    ["source", method.homepage],
    ["install", `npm install ${method.packageName}`],
  ];
  terminal.print();
  for (const [name, value] of links) if (value) terminal.print(`  ${padText(name, 9)}${value}`);

  const { claims } = await loadClaims(registry, method);
  terminal.print("\nClaims");
  for (const { id, statement, source } of claims) {
    terminal.print(`  ${id}`);
    for (const line of indented(`${statement} (${source})`, 4)) terminal.print(line);
  }
  const commands = Object.entries(method.commands);
  if (commands.length > 0) terminal.print("\nCommands");
  for (const [name, summary] of commands) terminal.print(`  offprint ${name}  ${summary}`);

  const usage = usageOf(readReadme(method));
  if (usage) terminal.print(`\nUsage\n${usage.replace(/^(?=.)/gm, "  ")}`);
  return exitCodes.success;
}
