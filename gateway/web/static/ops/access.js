/** Who this tab is, who else may come in, which version runs, and whether alerts arrive. */

import { ApiError, change } from "../net/api.js";
import { byId, Content, element, mark, Text } from "../ui/dom.js";
import { age, bytes, clock } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { isKept } from "../ui/token.js";
import { problem } from "./problem.js";

const ROOMY = "(width >= 760px) and (height >= 800px)"; // elsewhere it is folded

export class Access {
  #status = null;
  #busy = false;
  #channels = new Content(byId("access-channels"));
  #changed;
  #texts = new Map(
    ["self", "others", "version", "recording", "message"].map((id) => [id, new Text(byId(`access-${id}`))]),
  );

  /** `changed()` is called when something was done. */
  constructor(changed) {
    this.#changed = changed;
    byId("access-fold").open = window.matchMedia(ROOMY).matches;
    byId("access-test").addEventListener("click", () => this.#test());
    onLanguage(() => this.#write());
  }

  /** What `/status` tells. */
  update(status) {
    this.#status = status;
    this.#write();
  }

  #write() {
    const status = this.#status;
    if (!status) return;
    const { access, recording } = status;
    this.#set("self", self(access));
    this.#set("others", (access.others ?? []).map(named).join(" · "));
    this.#set("version", running(status));
    this.#set("recording", recording ? recorded(recording) : t("access.unrecorded"));
    byId("access-others").parentElement.hidden = !access.others?.length;
    this.#writeChannels(status.alerting ?? [], access.role === "control");
  }

  #set(id, text) {
    this.#texts.get(id).set(text);
  }

  #writeChannels(channels, mayControl) {
    this.#channels.set(channels, channel);
    byId("access-none").hidden = channels.length > 0;
    byId("access-test").hidden = !channels.length;
    byId("access-test").disabled = this.#busy || !mayControl;
  }

  async #test() {
    this.#busy = true;
    this.#say(t("channel.testing"), "");
    this.#write();
    try {
      await change("alerts/test");
      this.#say(t("channel.tested"), "good");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const isPart = error.code === "failed" && error.details;
      this.#say(isPart ? t("channel.notAll", { detail: error.details }) : problem(error), "bad");
    } finally {
      this.#busy = false;
      this.#write();
      this.#changed();
    }
  }

  #say(text, kind) {
    this.#set("message", text);
    mark(byId("access-message"), "kind", kind);
  }
}

/** Where alerts go, and what became of the last one. */
function channel({ kind, host, at, error }) {
  const when = at ? clock(at) : "";
  const became = !at ? t("channel.untried") : error
    ? t("channel.failed", { time: when, error })
    : t("channel.arrived", { time: when });
  const line = element("li", {},
    element("b", { textContent: t(`channel.${kind}`) || `${kind} ${host}` }),
    element("small", { textContent: became }));
  mark(line, "level", error ? "bad" : "");
  return line;
}

/** desk-2 (may control), remembered */
function self({ name, role }) {
  const who = named({ name: name || t("who.here"), role });
  if (!name) return who;
  return `${who} · ${isKept() ? t("access.kept") : t("access.thisTab")}`;
}

const named = ({ name, role }) => t("access.named", { name, role: t(`role.${role}`) });

/** sjgateway 2.0.0 · running for 6 d */
const running = ({ version, startedAt, time }) =>
  t("access.running", { version, age: age(time - Date.parse(startedAt) / 1000) });

/** 2026-11-30-day.jsonl.zst, 214 MB */
function recorded({ file, bytes: size, trouble }) {
  if (trouble) return trouble;
  const name = String(file ?? "").split("/").at(-1);
  return [name, Number.isFinite(size) ? bytes(size) : ""].filter(Boolean).join(" · ");
}
