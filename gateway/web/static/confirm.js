/** Asks before something is done that others will notice. */

import { byId } from "./dom.js";
import { t } from "./i18n.js";

/** Whether the person agrees; the texts are `name.title`, `name.text` and `name.yes`. */
export function confirm(name, values = {}) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = t(`${name}.title`);
  byId("confirm-text").textContent = t(`${name}.text`, values);
  byId("confirm-yes").textContent = t(`${name}.yes`);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
