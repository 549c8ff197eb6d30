/** The bar of a replay: which time of the recording it is, and what it can be told. */

import { ApiError, change } from "../net/api.js";
import { byId, mark, Text } from "../ui/dom.js";
import { stamp } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { problem } from "./problem.js";

export class Replay {
  #told = null; // `replaying` of `/status`
  #at = 0; // when it was told
  #busy = false;
  #changed;
  #went;
  #files = new Text(byId("replay-files"));
  #time = new Text(byId("replay-time"));
  #pause = new Text(byId("replay-pause"));
  #message = new Text(byId("replay-message"));

  /** `changed()`: it was told something; `went()`: what comes is of another place of it. */
  constructor(changed, went) {
    this.#changed = changed;
    this.#went = went;
    byId("replay-pause").addEventListener("click", () => this.#toggle());
    byId("replay-speed").addEventListener("change", ({ target }) =>
      this.#tell({ speed: target.value, paused: false }),
    );
    byId("replay-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const to = byId("replay-to").value;
      if (to) this.#tell({ to });
    });
    onLanguage(() => this.#write());
    setInterval(() => this.#write(), 1000);
  }

  /** What `/status` tells of the replay; null: nothing is replayed. */
  update(told) {
    const before = this.#told;
    this.#told = told;
    this.#at = Date.now();
    if (told && document.activeElement !== byId("replay-speed")) choose(String(told.speed));
    this.#write();
    if (before && told && before.round !== told.round && before.round) this.#went();
  }

  #write() {
    const told = this.#told;
    byId("replay").hidden = !told;
    if (!told) return;
    this.#files.set(told.files.join(", "));
    this.#time.set(told.time ? t(`replay.${state(told)}`, this.#values()) : t("replay.waiting"));
    this.#pause.set(told.ended ? t("replay.again") : told.paused ? t("replay.play") : t("replay.pause"));
    for (const id of ["pause", "speed", "go"]) byId(`replay-${id}`).disabled = this.#busy;
  }

  #values() {
    const { time, speed } = this.#told;
    const passed = state(this.#told) === "playing" ? (Date.now() - this.#at) * speed : 0;
    return { time: stamp(Date.parse(time) + passed), speed };
  }

  #toggle() {
    const { ended, paused, begins } = this.#told;
    this.#tell(ended ? { to: begins, paused: false } : { paused: !paused });
  }

  async #tell(wish) {
    this.#busy = true;
    this.#write();
    this.#say("");
    try {
      await change("replay", wish);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(problem(error));
      if (error.status === 401) byId("open-token").click();
    } finally {
      this.#busy = false;
      this.#write();
      this.#changed();
    }
  }

  #say(text) {
    this.#message.set(text);
    mark(byId("replay-message"), "kind", text && "bad");
  }
}

/** Show a speed; one that an option or a request asked for need not be in the list. */
function choose(speed) {
  const list = byId("replay-speed");
  if (![...list.options].some(({ value }) => value === speed)) {
    list.add(new Option(`${speed}×`, speed), list.options[0]);
  }
  list.value = speed;
}

function state({ ended, paused, speed }) {
  if (ended) return "ended";
  if (paused) return "paused";
  return speed === "max" ? "fastest" : "playing";
}
