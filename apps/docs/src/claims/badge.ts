import type { ClaimRun } from "@offprint/claims";

/** Width of a text in the badge's font, from the mean width of its characters. */
const widthOf = (text: string) => Math.round(text.length * 6.6) + 12;

/** A badge that says how many of a method's claims hold. */
export function badge({ records }: Pick<ClaimRun, "records">): string {
  const held = records.filter(({ holds }) => holds).length;
  const [label, value] = ["claims", `${held} of ${records.length} hold`];
  const [left, right] = [widthOf(label), widthOf(value)];
  const colour = held === records.length ? "#1f7a4d" : "#a33b2e";
  const text = (x: number, content: string) => `<text x="${x}" y="14">${content}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${label}: ${value}">`,
    `<title>${label}: ${value}</title>`,
    `<rect width="${left + right}" height="20" rx="3" fill="#3a4048"/>`,
    `<path d="M${left} 0h${right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-${right - 3}z" fill="${colour}"/>`,
    `<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">`,
    `${text(left / 2, label)}${text(left + right / 2, value)}</g></svg>\n`,
  ].join("");
}

const badgeLine = "![How many of the claims hold](claims/badge.svg)";

/** A README with its badge below the title; as it is where it shows it. */
export function withBadge(readme: string): string {
  return readme.includes("](claims/badge.svg)")
    ? readme
    : readme.replace(/^# .*$/m, (title) => `${title}\n\n${badgeLine}`);
}
