/** Which codes are in the list, and in which order; kept on this device. */

const ORDERS = ["", "descending", "ascending"]; // what a head does next; "" is the group's own
const MOST_CODES = 2000, MOST_OWN = 20, LONGEST = 40; // of a list; own lists; characters of a name

/** The groups that are kinds of contracts. */
export const KINDS = ["futures", "options", "stocks", "other"];

/** What there is without anybody's doing, in the order of the chips; own ones follow. */
const GROUPS = ["mine", "all", ...KINDS];

/** What the list is sorted by, other than codes. */
const KEYS = {
  price: ({ shown }) => shown,
  change: ({ percent, change }) => (Number.isFinite(percent) ? percent : change),
  volume: ({ volume }) => volume,
};

export class Groups {
  #store;
  #chosen;
  #lists; // [{id, name, codes}], the first is "mine"
  #sorts;

  /** `store` has `get(name)` and `set(name, text)`. */
  constructor(store) {
    this.#store = store;
    this.#lists = readLists(store.get("groups")) ?? [{ id: "mine", name: "", codes: [] }];
    const sorts = parsed(store.get("sorts"));
    this.#sorts = sorts && typeof sorts === "object" ? sorts : {};
    const chosen = store.get("group");
    this.#chosen = this.ids.includes(chosen) ? chosen : "all";
  }

  /** All groups, in the order of their chips. */
  get ids() {
    return [...GROUPS, ...this.own.map(({ id }) => id)];
  }

  /** Those that somebody made: `{id, name, codes}`. */
  get own() {
    return this.#lists.slice(1);
  }

  get chosen() {
    return this.#chosen;
  }

  set chosen(id) {
    this.#chosen = id;
    this.#store.set("group", id);
  }

  // -- codes ----------------------------------------------------------------------------

  /** The list that a star puts a code into: the chosen one if it is somebody's, else "mine". */
  get list() {
    return this.#lists.find(({ id }) => id === this.#chosen) ?? this.#lists[0];
  }

  isStarred({ code }) {
    return this.list.codes.includes(code);
  }

  star({ code }) {
    const { list } = this;
    if (list.codes.includes(code)) list.codes = list.codes.filter((each) => each !== code);
    else if (list.codes.length < MOST_CODES) list.codes = [...list.codes, code];
    this.#keep();
  }

  /** Whether codes may take other places: in a list of somebody's, as it is. */
  get isFree() {
    return this.list.id === this.#chosen && !this.sort[1];
  }

  /** Move a code to the place of another one in their list; whether it has moved. */
  move({ code }, other) {
    const { codes } = this.list;
    const from = codes.indexOf(code), to = codes.indexOf(other?.code);
    if (!this.isFree || from < 0 || to < 0) return false;
    codes.splice(to, 0, ...codes.splice(from, 1));
    this.#keep();
    return true;
  }

  /** Whether `instrument` is in a group. */
  isIn(id, instrument) {
    if (id === "all") return true;
    const list = this.#lists.find((each) => each.id === id);
    return list ? list.codes.includes(instrument.code) : instrument.kind === id;
  }

  // -- own groups -----------------------------------------------------------------------

  /** Make one; its id, or "" where there are enough. */
  add(name) {
    if (this.own.length >= MOST_OWN) return "";
    const numbers = this.own.map(({ id }) => Number(id.slice(4)));
    const id = `own-${Math.max(0, ...numbers) + 1}`;
    this.#lists.push({ id, name: name.slice(0, LONGEST), codes: [] });
    this.#keep();
    return id;
  }

  rename(id, name) {
    const list = this.own.find((each) => each.id === id);
    if (list) list.name = name.slice(0, LONGEST);
    this.#keep();
  }

  remove(id) {
    this.#lists = this.#lists.filter((each) => each.id !== id || id === "mine");
    if (this.#chosen === id) this.chosen = "all";
    this.#keep();
  }

  /** All lists as text, for another device. */
  get text() {
    return JSON.stringify(this.#lists.map(({ name, codes }) => ({ name, codes })));
  }

  /** Take lists from such a text; whether it was one. */
  read(text) {
    const lists = readLists(text);
    if (!lists) return false;
    this.#lists = lists;
    if (!this.ids.includes(this.#chosen)) this.chosen = "all";
    this.#keep();
    return true;
  }

  #keep() {
    this.#store.set("groups", this.text);
  }

  // -- order ----------------------------------------------------------------------------

  /** How the chosen group is sorted: `[column, "ascending" or "descending"]`; ["", ""]: as it is. */
  get sort() {
    const told = this.#sorts[this.#chosen];
    const [column, order] = Array.isArray(told) ? told : [];
    return ORDERS.includes(order) && (column === "code" || Object.hasOwn(KEYS, column))
      ? [column, order]
      : ["", ""];
  }

  /** Sort by `column`: first one way, then the other, then not at all. */
  sortBy(column) {
    const [before, order] = this.sort;
    const ways = column === "code" ? ["", "ascending", "descending"] : ORDERS;
    const next = before === column ? ways[(ways.indexOf(order) + 1) % ways.length] : ways[1];
    this.#sorts = { ...this.#sorts, [this.#chosen]: next ? [column, next] : ["", ""] };
    this.#store.set("sorts", JSON.stringify(this.#sorts));
  }

  /** Of two instruments which comes first: negative for `a`. */
  compare(a, b) {
    const [column, order] = this.sort;
    const way = order === "descending" ? -1 : 1;
    if (column === "code") return way * compareCodes(a, b);
    const key = KEYS[column];
    if (key) {
      const [x, y] = [key(a), key(b)];
      const [isX, isY] = [Number.isFinite(x), Number.isFinite(y)];
      if (isX !== isY) return isX ? -1 : 1; // what nobody knows is last, whichever way
      if (isX && x !== y) return way * (x - y);
    }
    const { id, codes } = this.list;
    if (id === this.#chosen && !key) return codes.indexOf(a.code) - codes.indexOf(b.code);
    return byKind(a) - byKind(b) || compareCodes(a, b);
  }
}

const FIRST = ["TXF", "MXF", "TMF"]; // of the futures
const byKind = ({ kind, code }) => {
  const place = kind === "futures" ? FIRST.indexOf(code.slice(0, 3)) : -1;
  return KINDS.indexOf(kind) + (kind === "futures" && (place < 0 || code.includes("/")) ? 0.5 : 0) + Math.max(0, place) / 10;
};
const compareCodes = (a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Lists of a text as `Groups.text` makes it; null for anything else. */
function readLists(text) {
  const told = parsed(text);
  const isList = (each) => typeof each?.name === "string" && Array.isArray(each.codes) &&
    each.codes.every((code) => typeof code === "string");
  if (!Array.isArray(told) || !told.length || !told.every(isList)) return null;
  return told.slice(0, MOST_OWN + 1).map(({ name, codes }, i) => ({
    id: i ? `own-${i}` : "mine", name: name.slice(0, LONGEST), codes: [...new Set(codes)].slice(0, MOST_CODES),
  }));
}
