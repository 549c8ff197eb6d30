/**
 * The address and what is in view: `#/TXFR1/5m` is a code and the length of its bars, `#/ops/log`
 * a panel of Operations.  A code that is really called ops is `#//ops`.
 */

const OPS = "ops";

/** `{view: "market", code, interval}` or `{view: "ops", panel}` of an address; missing parts are "". */
function read(hash) {
  const parts = hash.replace(/^#?\/?/, "").split("/").map(decoded);
  if (parts[0] === OPS) return { view: "ops", panel: parts[1] ?? "" };
  if (parts[0] === "" && parts.length > 1) parts.shift();
  return { view: "market", code: parts[0], interval: parts[1] ?? "" };
}

/** The address of a place as `read` gives it. */
function write({ view, code = "", interval = "", panel = "" }) {
  const parts = view === "ops" ? [OPS, panel] : [code, interval];
  while (parts.length && !parts.at(-1)) parts.pop();
  const path = parts.map(encodeURIComponent).join("/");
  return `#/${view === "market" && code === OPS ? "/" : ""}${path}`;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export class Router {
  place = read(location.hash);
  #changed;

  /** `changed(place)` is called when another place is in view, however that came. */
  constructor(changed) {
    this.#changed = changed;
    window.addEventListener("hashchange", () => this.#arrive(read(location.hash)));
  }

  /** Go to a place; `isSmall`: a step that the way back leaves out. */
  go(place, isSmall = false) {
    const address = write(place);
    if (address === write(this.place)) return;
    history[isSmall ? "replaceState" : "pushState"](null, "", address);
    this.#arrive(place);
  }

  #arrive(place) {
    this.place = place;
    this.#changed(place);
  }
}
