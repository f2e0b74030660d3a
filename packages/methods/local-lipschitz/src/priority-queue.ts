/** @internal Adds to a binary heap whose largest value is in front. */
export function pushHeap<T extends { readonly value: number }>(heap: T[], item: T): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent].value >= heap[at].value) return;
    [heap[parent], heap[at]] = [heap[at], heap[parent]];
    at = parent;
  }
}

/** @internal Takes the largest from a heap. */
export function popHeap<T extends { readonly value: number }>(heap: T[]): T | undefined {
  const [top] = heap;
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return top;
  heap[0] = last;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) return top;
    const right = left + 1;
    const child = right < heap.length && heap[right].value > heap[left].value ? right : left;
    if (heap[at].value >= heap[child].value) return top;
    [heap[at], heap[child]] = [heap[child], heap[at]];
    at = child;
  }
}
