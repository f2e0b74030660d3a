import { nearestWords, requireObject, ValueError } from "@offprint/tensor-core";

/** The parts that every problem has. */
const required = ["initial", "upper", "lower"];

/**
 * Throws where a problem lacks an optional part and has one like it under nearly its name, so that it is not silently missed.
 * Problems may hold what else they like.
 * @param optional The names of the parts that a problem may leave out.
 * @param isPart Whether a value is like them. Default functions, and what has parts by level, `{ upper, lower }`.
 * @throws ValueError that names both.
 * @example refuseMisspelt("maSoba", { ...problem, samples: { upper, lower } }, ["sample", "full"])
 */
export function refuseMisspelt(
  owner: string,
  problem: object,
  optional: readonly string[],
  isPart: (value: unknown) => boolean = actsByLevel,
): void {
  requireObject("refuseMisspelt", "problem", problem, "a problem");
  const held = problem as Record<string, unknown>;
  const lacking = optional.filter((name) => held[name] === undefined);
  for (const [name, value] of Object.entries(problem)) {
    if (required.includes(name) || optional.includes(name) || !isPart(value)) continue;
    const [meant] = nearestWords(name, lacking, 1);
    if (meant === undefined) continue;
    throw new ValueError(
      `${owner}: the problem has \`${name}\` and no \`${meant}\`; rename it, as it would do nothing`,
    );
  }
}

function actsByLevel(value: unknown): boolean {
  if (typeof value === "function") return true;
  return typeof value === "object" && value !== null && ("upper" in value || "lower" in value);
}
