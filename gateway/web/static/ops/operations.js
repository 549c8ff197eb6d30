/** The Operations view: the worker and its day, where quotes come from, who is there, what was printed and done. */

import { feeds } from "../model/events.js";
import { Rates, total } from "../model/rates.js";
import { Access } from "./access.js";
import { Clients } from "./clients.js";
import { Cluster } from "./cluster.js";
import { Credentials } from "./credentials.js";
import { Day } from "./day.js";
import { Events } from "./events.js";
import { Log } from "./log.js";
import { Record } from "./record.js";
import { Sources } from "./sources.js";
import { Worker } from "./worker.js";

export class Operations {
  record = new Record();
  log = new Log();
  events;
  #worker;
  #access;
  #sources;
  #day = new Day();
  #clients = new Clients();
  #cluster = new Cluster();
  #rates = new Rates();

  /**
   * `refresh()`: something was done that the status tells of; `inspect(wants)` begins or ends listening
   * for the inspector, see `Events`; `instruments()` are all codes that are known.
   */
  constructor({ refresh, inspect, instruments }) {
    this.events = new Events(inspect);
    this.#worker = new Worker(refresh);
    this.#access = new Access(refresh);
    this.#sources = new Sources(instruments);
    new Credentials(refresh);
  }

  /** What `/status` tells; `isOrdinary`: of the market, and not of a replay or the like.  Returns events a second. */
  told(answer, isOrdinary) {
    const { events: counted } = answer.freshness;
    const rated = this.#rates.update(counted, performance.now());
    this.events.told(rated);
    this.#worker.update(answer);
    this.#day.update(answer);
    this.#sources.update(answer, feeds(counted).length, isOrdinary);
    this.#access.update(answer);
    this.#clients.update(answer.clients, answer.relay);
    this.#cluster.update(answer);
    this.record.exits(answer.exits);
    this.record.actions(answer.actions);
    this.log.ended(answer.lastExit);
    return total(rated);
  }

  /** The gateway does not answer. */
  lost() {
    this.#worker.update(null);
  }

  /** The hours of markets, as `/codes` tells them. */
  learn(markets) {
    this.#day.learn(markets);
  }
}
