/** How far the search for a peak goes beyond its first five places, on either side. */
const MOST_EXTENSIONS = 12;

/**
 * The next place of a search on a grid of half octaves around 0 that grows while its best is at an edge (part H), or
 * nothing where the search is over. A run that diverges ends the search on its side.
 *
 * @param tried the places tried so far, in order, with their scores; the lowest is best, of equal ones the first
 */
export function nextPlace(tried: readonly { readonly place: number; readonly score: number }[]): number | undefined {
  if (tried.length < 5) return tried.length - 2;
  const best = tried.reduce((a, b) => (b.score < a.score ? b : a)).place;
  const places = tried.map(({ place }) => place);
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const next = best === first ? first - 1 : best === last ? last + 1 : undefined;
  return next === undefined || Math.abs(next) > 2 + MOST_EXTENSIONS ? undefined : next;
}
