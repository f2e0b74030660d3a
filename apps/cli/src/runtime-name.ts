/** What really runs this program, and its version: Bun and Deno answer as Node where they are asked for Node. */
export function runtimeName(
  versions: Readonly<Record<string, string | undefined>> = process.versions,
): readonly [name: "Bun" | "Deno" | "Node", version: string] {
  if (versions.bun) return ["Bun", versions.bun];
  if (versions.deno) return ["Deno", versions.deno];
  return ["Node", versions.node ?? "unknown"];
}
