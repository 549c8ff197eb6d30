/** The header's buttons: language, theme; and which color is up. */

import { byId } from "./dom.js";
import { inTurn } from "./frame.js";
import { language, onLanguage, speak, t } from "./i18n.js";
import { color, dress, isGreenUp, theme } from "./theme.js";

const THEMES = ["auto", "light", "dark"];

/** Make them work. */
export function preferences() {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => inTurn(speak(button.dataset.language)));
  }
  byId("theme").addEventListener("click", () => {
    dress(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
    label();
  });
  byId("green-up").checked = isGreenUp();
  byId("green-up").addEventListener("change", ({ target }) => color(target.checked));
  onLanguage(label);
  label();
}

function label() {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.hidden = button.dataset.language === language();
  }
  const text = t(`theme.${theme()}`);
  byId("theme").setAttribute("aria-label", text);
  byId("theme").title = text;
}
