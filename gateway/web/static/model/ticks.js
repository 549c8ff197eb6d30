/** Sizes of price steps, and how many decimals a price needs. */

const MOST = 4; // decimals

/** How many decimals it takes to write `value`, at most 4. */
export function decimals(value) {
  for (let digits = 0, power = 1; digits < MOST; digits++, power *= 10) {
    if (Math.abs(value * power - Math.round(value * power)) < 1e-6 * power) return digits;
  }
  return MOST;
}

/**
 * A table of steps as the gateway tells it: pairs `[below, step]`, the last with null; a number
 * is one step for all prices.  Null for anything else.
 */
export function readTicks(told) {
  if (told > 0) return [[Infinity, told]];
  if (!Array.isArray(told)) return null;
  const table = told
    .filter((pair) => Array.isArray(pair) && pair[1] > 0)
    .map(([below, step]) => [below === null ? Infinity : Number(below), Number(step)]);
  return table.length && table.length === told.length ? table : null;
}

/** The step at `price`; 0: the table does not say. */
export function tickAt(table, price) {
  const size = Math.abs(price);
  return table?.find(([below]) => size < below)?.[1] ?? 0;
}
