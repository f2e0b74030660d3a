import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { wrapText } from "@offprint/claims";
import { alignedRows, defineCommand, option } from "@offprint/commands";
import { findMethod, loadClaims, type Method, type Registry } from "../registry.js";

/** First code block of the section on usage. */
export function usageOf(readme: string): string | undefined {
  const section = readme.split(/^## /m).find((part) => /^.*\bus(age|e|ing)\b/i.test(part.split("\n")[0]!));
  return section?.match(/^```\w*[^\n]*\n(.*?)^```/ms)?.[1]?.trimEnd();
}

function readReadme({ directory }: Method): string {
  const path = join(directory, "README.md");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** `offprint info <method>`: paper, links, claims, how to install and use it. */
export function infoCommand(registry: Registry) {
  return defineCommand({
    name: "info",
    summary: "show a method's paper, claims and usage",
    arguments: { method: option.text("name from the list", { required: true }) },
    async run({ arguments: named, print, width }) {
      const method = findMethod(registry, named.method);
      const indented = (text: string, indent: number) => {
        for (const line of wrapText(text, Math.max(20, width - indent))) print(" ".repeat(indent) + line);
      };
      print(`${method.name} ${method.version}  ·  ${method.area}`);
      indented(method.purpose, 0);
      print();
      indented(method.title, 0);
      indented(`${method.authors} (${method.year})`, 0);

      const links: [string, string | undefined][] = [
        ["paper", method.arxiv && `https://arxiv.org/abs/${method.arxiv}`],
        ["package", `https://www.npmjs.com/package/${method.packageName}`],
        ["source", method.homepage],
        ["install", `npm install ${method.packageName}`],
      ];
      print();
      for (const line of alignedRows(links.flatMap(([name, value]) => (value ? [[name, value]] : [])))) {
        print(`  ${line}`);
      }

      const { claims } = await loadClaims(registry, method);
      print("\nClaims");
      for (const { id, statement, source } of claims) {
        print(`  ${id}`);
        indented(`${statement} (${source})`, 4);
      }
      const commands = Object.entries(method.commands).map(([name, summary]) => [`offprint ${name}`, summary]);
      if (commands.length > 0) print("\nCommands");
      for (const line of alignedRows(commands)) print(`  ${line}`);

      const usage = usageOf(readReadme(method));
      if (usage) print(`\nUsage\n${usage.replace(/^(?=.)/gm, "  ")}`);
    },
  });
}
