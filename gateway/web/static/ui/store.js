/** What is remembered: in this browser, or (the token) for as long as this tab is open. */

class Store {
  #storage;

  constructor(find) {
    try {
      this.#storage = find();
    } catch {
      this.#storage = null; // the browser forbids it: nothing is remembered
    }
  }

  get(name) {
    return this.#storage?.getItem(`sjgateway.${name}`) ?? "";
  }

  set(name, value) {
    try {
      if (value) this.#storage?.setItem(`sjgateway.${name}`, value);
      else this.#storage?.removeItem(`sjgateway.${name}`);
    } catch {
      // It is full: what was chosen holds until the page is closed.
    }
  }
}

export const browser = new Store(() => window.localStorage);
export const tab = new Store(() => window.sessionStorage);
