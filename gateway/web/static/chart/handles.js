/** Lines that can be moved, those with an `id`: which one is chosen, and where it is dragged to. */

const REACH = { mouse: 5, touch: 14 }; // pixels from a line at which it is met; a pen is a mouse

export class Handles {
  #chosen = null; // the id of a line
  #price = NaN; // where that is, while it is dragged

  /** The lines as they are shown: the chosen one is marked. */
  dress(lines) {
    const price = Number.isFinite(this.#price) && { price: this.#price };
    return lines.map((line) => (line.id === this.#chosen ? { ...line, ...price, isChosen: true } : line));
  }

  /** Choose a line; null: none. */
  choose(id) {
    this.#chosen = id;
    this.#price = NaN;
  }

  /** Drag the chosen line to `price`. */
  drag(price) {
    this.#price = price;
  }

  /** Of `lines`, as they are shown, the chosen one, with `at` in pixels; null where it is out of view. */
  static chosen(lines, g) {
    const line = lines.find(({ isChosen }) => isChosen);
    const isSeen = line && line.price >= g.from && line.price <= g.to;
    return isSeen ? { ...line, at: g.y(line.price) } : null;
  }

  /** Of `lines`, as they are shown, the one that a `pointer`, such as "touch", meets at `y` pixels. */
  static meet(lines, g, y, pointer) {
    const reach = REACH[pointer] ?? REACH.mouse;
    const met = lines.filter(({ id, price }) => id && Math.abs(g.y(price) - y) <= reach);
    return met.find(({ isChosen }) => isChosen) ?? met[0];
  }

  /** The line above (1) or below (-1) the chosen one; while none is, the lowest or the highest. */
  static next(lines, way) {
    const all = lines.filter(({ id }) => id).sort((a, b) => way * (a.price - b.price));
    const at = all.findIndex(({ isChosen }) => isChosen);
    return all[Math.min(at + 1, all.length - 1)];
  }
}
