/** The form for the worker's credentials; it never knows what was set before. */

import { ApiError, change } from "../net/api.js";
import { byId, mark } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { problem } from "./problem.js";

const REQUIRED = ["apiKey", "secretKey"];
const CERTIFICATE = ["caCertPath", "caPassword"]; // both or neither: quotes need none
const FIELDS = [...REQUIRED, ...CERTIFICATE];
// A field of one line can't hold CR and LF; this is the last of what the gateway refuses.
const NUL = "\u0000";

export class Credentials {
  #dialog = byId("credentials");
  #form = byId("credentials-form");
  #message = byId("credentials-message");
  #changed;

  /** `changed()` is called when the gateway has taken them, or not. */
  constructor(changed) {
    this.#changed = changed;
    byId("open-credentials").addEventListener("click", () => this.open());
    byId("credentials-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#form.reset());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    for (const name of FIELDS) {
      this.#input(name).addEventListener("input", () => this.#complain(name, ""));
    }
  }

  open() {
    for (const name of FIELDS) this.#complain(name, "");
    this.#say("", "");
    this.#dialog.showModal();
  }

  #input(name) {
    return this.#form.elements[name];
  }

  #check() {
    let first = null;
    const signs = CERTIFICATE.some((name) => this.#input(name).value);
    for (const name of FIELDS) {
      const input = this.#input(name);
      const wrong = input.value.includes(NUL) ? "character"
        : input.value ? ""
        : REQUIRED.includes(name) ? "needed"
        : signs ? "both" : "";
      this.#complain(name, wrong && t(`credentials.${wrong}`));
      if (wrong) first ??= input;
    }
    first?.focus();
    return !first;
  }

  #complain(name, text) {
    byId(`${name}-error`).textContent = text;
    if (text) this.#input(name).setAttribute("aria-invalid", "true");
    else this.#input(name).removeAttribute("aria-invalid");
  }

  async #submit() {
    if (!this.#check()) return;
    const posted = Object.fromEntries(FIELDS.map((name) => [name, this.#input(name).value]));
    this.#say(t("credentials.waiting"), "");
    this.#busy(true);
    try {
      const { warning } = await change("set-sj-key?wait=ready", posted);
      this.#form.reset();
      if (warning) this.#say(t("credentials.overridden"), "bad");
      else this.#say(t("credentials.done"), "good");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(problem(error), "bad");
    } finally {
      this.#busy(false);
      this.#changed();
    }
  }

  #busy(yes) {
    byId("credentials-submit").disabled = yes;
    this.#form.setAttribute("aria-busy", String(yes));
  }

  #say(text, kind) {
    this.#message.textContent = text;
    mark(this.#message, "kind", kind);
  }
}
