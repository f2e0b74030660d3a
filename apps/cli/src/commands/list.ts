import { defineCommand, describedNames } from "@offprint/commands";
import type { Registry } from "../registry.js";

/** What a method is for, as a sentence without its own name in front, which the list has, and without the full stop. */
function shortPurpose(purpose: string, name: string): string {
  const [first = "", ...rest] = purpose.split(": ");
  const letters = (text: string) => text.toLowerCase().replace(/[^a-z]/g, "");
  const own = rest.length > 0 && letters(name).startsWith(letters(first).slice(0, 4));
  const said = own ? rest.join(": ") : purpose;
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}`.replace(/\.$/, "");
}

/** `offprint list`: the methods by area, with what one can do with each. */
export function listCommand(registry: Registry) {
  return defineCommand({
    name: "list",
    summary: "list the methods by area",
    async run({ print, width }) {
      if (registry.methods.length === 0) return print("No methods are installed.");
      const rows = registry.methods.map(({ name, task, purpose }) => {
        const said = shortPurpose(purpose, name);
        return [name, task ? `${task}. ${said}` : said] as const;
      });
      const widest = Math.max(...rows.map(([name]) => name.length));
      let area: string | undefined;
      for (const [place, method] of registry.methods.entries()) {
        if (method.area !== area) print(`${area === undefined ? "" : "\n"}${method.area}`);
        area = method.area;
        const [name, purpose] = rows[place]!;
        for (const line of describedNames([[name.padEnd(widest), purpose]], width)) print(line);
      }
    },
  });
}
