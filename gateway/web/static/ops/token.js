/** The dialog for the token. */

import { byId } from "../ui/dom.js";
import { isKept, keep, token } from "../ui/token.js";

/** Make it work; `changed()` is called when the token is another one. */
export function tokenDialog(changed) {
  const dialog = byId("token");
  const input = byId("token-input");
  const lasting = byId("token-lasting");
  byId("open-token").addEventListener("click", () => {
    byId("token-forget").hidden = !token();
    lasting.checked = isKept();
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    const { returnValue } = dialog;
    dialog.returnValue = "";
    const given = input.value.trim() || token();
    input.value = "";
    if (returnValue === "save" && given) keep(given, lasting.checked);
    else if (returnValue === "forget") keep("", false);
    else return;
    changed();
  });
}
