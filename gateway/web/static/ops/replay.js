/** The bar of a replay: which time of the recording it is, and what it can be told. */

import { hm } from "../model/clock.js";
import { session } from "../model/sessions.js";
import { ApiError, change } from "../net/api.js";
import { confirm } from "../ui/confirm.js";
import { byId, mark, Text } from "../ui/dom.js";
import { stamp } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";
import { onKey } from "../ui/keys.js";
import { problem } from "./problem.js";

const BAR = 60_000; // milliseconds that a key goes on or back
const DOWN = new Set(["stopping", "stopped", "exited", "backoff", "fatal"]); // states of the player

export class Replay {
  #told = null; // `replaying` of `/status`
  #at = 0; // when it was told
  #isDown = false; // the player does not run
  #mayControl = false;
  #isHeld = false; // somebody holds the slider
  #busy = false;
  #changed;
  #went;
  #files = new Text(byId("replay-files"));
  #time = new Text(byId("replay-time"));
  #begins = new Text(byId("replay-begins"));
  #ends = new Text(byId("replay-ends"));
  #pause = new Text(byId("replay-pause"));
  #stop = new Text(byId("replay-stop"));
  #message = new Text(byId("replay-message"));

  /** `changed()`: it was told something; `went()`: what comes is of another place of it. */
  constructor(changed, went) {
    this.#changed = changed;
    this.#went = went;
    byId("replay-pause").addEventListener("click", () => this.#toggle());
    byId("replay-stop").addEventListener("click", () => this.#endOrBegin());
    byId("replay-speed").addEventListener("change", ({ target }) =>
      this.#tell({ speed: target.value, paused: false }),
    );
    byId("replay-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const to = byId("replay-to").value;
      if (to) this.#tell({ to });
    });
    byId("replay-at").addEventListener("input", () => this.#hold());
    byId("replay-at").addEventListener("change", () => this.#release());
    onKey(" ", () => this.#works() && this.#toggle());
    onKey(",", () => this.#works() && this.#go(-BAR));
    onKey(".", () => this.#works() && this.#go(BAR));
    onKey("<", () => this.#works() && this.#hasten(-1));
    onKey(">", () => this.#works() && this.#hasten(1));
    onLanguage(() => this.#write());
    setInterval(() => this.#write(), 1000);
  }

  /**
   * What `/status` tells of the replay, null: nothing is replayed; and in which state the player is.
   * Who only looks sees no buttons.
   */
  update(told, mayControl, player) {
    const before = this.#told;
    this.#mayControl = mayControl;
    this.#isDown = DOWN.has(player);
    this.#told = told;
    this.#at = Date.now();
    if (told && document.activeElement !== byId("replay-speed")) choose(String(told.speed));
    this.#write();
    if (before && told && before.round !== told.round && before.round) this.#went();
  }

  /** The time of the recording, in seconds since 1970; null: nothing is replayed, or not yet. */
  get time() {
    return this.#told?.time ? this.#now() / 1000 : null;
  }

  #write() {
    const told = this.#told;
    byId("replay").hidden = !told;
    if (!told) return;
    this.#files.set(told.files.join(", "));
    if (!this.#isHeld) this.#time.set(told.time ? t(`replay.${this.#state}`, this.#values()) : t("replay.waiting"));
    this.#pause.set(told.ended ? t("replay.again") : told.paused ? t("replay.play") : t("replay.pause"));
    this.#stop.set(this.#isDown ? t("replay.start") : t("replay.stop"));
    for (const id of ["pause", "speed", "to", "go", "at"]) byId(`replay-${id}`).disabled = this.#busy || this.#isDown;
    byId("replay-stop").disabled = this.#busy;
    byId("replay-form").hidden = !this.#mayControl;
    byId("replay-slide").hidden = !this.#mayControl || !told.time;
    if (told.time) this.#slide();
  }

  /** The slider goes from the first event to the end of the session that is played. */
  #slide() {
    const begins = Date.parse(this.#told.begins), passed = this.#now();
    const ends = Math.max(session("futures", passed / 1000).close * 1000, passed);
    const slider = byId("replay-at");
    slider.min = Math.floor(begins / 1000);
    slider.max = Math.ceil(ends / 1000);
    if (!this.#isHeld) slider.value = Math.round(passed / 1000);
    slider.setAttribute("aria-valuetext", stamp(slider.value * 1000));
    this.#begins.set(hm(begins / 1000));
    this.#ends.set(hm(ends / 1000));
  }

  #hold() {
    this.#isHeld = true;
    this.#time.set(stamp(byId("replay-at").value * 1000));
  }

  async #release() {
    await this.#tell({ to: new Date(byId("replay-at").value * 1000).toISOString() });
    this.#isHeld = false;
  }

  /** Whether a key has something to do here. */
  #works() {
    return Boolean(this.#told?.time) && this.#mayControl && !this.#busy && !this.#isDown;
  }

  #go(milliseconds) {
    const to = Math.max(Date.parse(this.#told.begins), this.#now() + milliseconds);
    return this.#tell({ to: new Date(to).toISOString() });
  }

  /** The next speed of the list, or the one before. */
  #hasten(step) {
    const list = byId("replay-speed");
    const next = list.options[list.selectedIndex + step];
    if (next) this.#tell({ speed: next.value, paused: false });
  }

  /** The time of the recording, in milliseconds since 1970. */
  #now() {
    const { time, speed } = this.#told;
    const passed = this.#state === "playing" ? (Date.now() - this.#at) * speed : 0;
    return Date.parse(time) + passed;
  }

  get #state() {
    if (this.#isDown) return "stopped";
    const { ended, paused, speed } = this.#told;
    if (ended) return "ended";
    if (paused) return "paused";
    return speed === "max" ? "fastest" : "playing";
  }

  #values() {
    return { time: stamp(this.#now()), speed: this.#told.speed };
  }

  #toggle() {
    const { ended, paused, begins } = this.#told;
    this.#tell(ended ? { to: begins, paused: false } : { paused: !paused });
  }

  /** End the player, or start it again. */
  async #endOrBegin() {
    if (this.#isDown) await this.#ask("start-python");
    else if (await confirm("confirm.endReplay")) await this.#ask("stop-python");
  }

  #tell(wish) {
    return this.#ask("replay", wish);
  }

  async #ask(path, body) {
    this.#busy = true;
    this.#write();
    this.#say("");
    try {
      await change(path, body);
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
