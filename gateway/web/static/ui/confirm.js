/** Asks before something is done that others will notice. */

import { byId } from "./dom.js";
import { t } from "./i18n.js";

const dialog = byId("confirm");
let answer = () => {}; // to the question that is open, or was closed and not heard of yet

dialog.addEventListener("close", () => {
  // The browser tells of a closing later: by then the next question may be open.
  if (!dialog.open) answer();
});

/** Whether the person agrees; the texts are `name.title`, `name.text` and `name.yes`. */
export function confirm(name, values = {}) {
  answer();
  byId("confirm-title").textContent = t(`${name}.title`);
  byId("confirm-text").textContent = t(`${name}.text`, values);
  byId("confirm-yes").textContent = t(`${name}.yes`);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    answer = () => resolve(dialog.returnValue === "yes");
  });
}
