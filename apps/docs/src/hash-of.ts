import { createHash } from "node:crypto";

/** A short name for texts that is another for others. */
export function hashOf(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("base64url");
}
