/** The header's buttons: language, theme, token. */

import { byId } from "./dom.js";
import { language, onLanguage, speak, t } from "./i18n.js";
import { tab } from "./store.js";
import { dress, theme } from "./theme.js";

const THEMES = ["auto", "light", "dark"];

/** Make them work; `reconnect()` is called when the token is another one. */
export function preferences(reconnect) {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => speak(button.dataset.language));
  }
  byId("theme").addEventListener("click", () => {
    dress(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
    label();
  });
  onLanguage(label);
  label();
  tokenDialog(reconnect);
}

function label() {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.hidden = button.dataset.language === language();
  }
  const text = t(`theme.${theme()}`);
  byId("theme").setAttribute("aria-label", text);
  byId("theme").title = text;
}

function tokenDialog(reconnect) {
  const dialog = byId("token");
  const input = byId("token-input");
  byId("open-token").addEventListener("click", () => {
    byId("token-forget").hidden = !tab.get("token");
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    const { returnValue } = dialog;
    dialog.returnValue = "";
    const token = input.value.trim();
    input.value = "";
    if (returnValue === "save" && token) tab.set("token", token);
    else if (returnValue === "forget") tab.set("token", "");
    else return;
    reconnect();
  });
}
