/** Environment variable that tells a process of this program what another one has started it for. */
export const roleVariable = "OFFPRINT_ROLE";

/**
 * What this process is: started by the user; the one that computes for it; one that runs claims; one that probes a
 * device.
 */
export type Role =
  | { readonly kind: "user" }
  | { readonly kind: "work" }
  | { readonly kind: "claims" }
  | { readonly kind: "probe"; readonly device: string };

/** Reads the role of this process. */
export function ownRole(environment: NodeJS.ProcessEnv): Role {
  const [kind, device = ""] = (environment[roleVariable] ?? "").split(":");
  if (kind === "work" || kind === "claims") return { kind };
  return kind === "probe" ? { kind, device } : { kind: "user" };
}
