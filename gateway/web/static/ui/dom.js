/** Small helpers around the document. */

/** The element with that id. */
export const byId = (id) => document.getElementById(id);

/** A new element; `properties` are set on it, attributes have a name with a hyphen or `role`. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "scope") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** The text of an element, written only when it is another one. */
export class Text {
  #node = new window.Text("");

  constructor(parent) {
    parent.replaceChildren(this.#node);
  }

  set(text) {
    if (this.#node.data !== text) this.#node.data = text;
  }

  get text() {
    return this.#node.data;
  }
}

/** What is in an element, made anew only when what it tells is something else: who selects a text keeps it. */
export class Content {
  #parent;
  #told = "";

  constructor(parent) {
    this.#parent = parent;
  }

  /** `make(each)` is the element for each of `told`, a list of JSON values. */
  set(told, make) {
    const text = JSON.stringify([document.documentElement.lang, told]);
    if (text === this.#told) return;
    this.#told = text;
    this.#parent.replaceChildren(...told.map(make));
  }
}

/** Sets `data-name`, or takes it away for an empty value, only when that changes something. */
export function mark(target, name, value) {
  if ((target.dataset[name] ?? "") === value) return;
  if (value) target.dataset[name] = value;
  else delete target.dataset[name];
}
