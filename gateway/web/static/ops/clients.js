/** Who is connected, by which transport, and how far behind. */

import { byId, element, mark, Text } from "../ui/dom.js";
import { bytes, NONE, number } from "../ui/format.js";
import { t } from "../ui/i18n.js";

export class Clients {
  #rows = [];
  #summary = new Text(byId("clients-summary"));
  #note = new Text(byId("clients-note"));

  /** `clients` is the list, `relay` the totals, of `/status`. */
  update(clients, relay) {
    const { websocket, polling } = relay.clients;
    this.#summary.set(t("clients.summary", { websocket, polling }));
    while (this.#rows.length < clients.length) this.#rows.push(new Line());
    for (const [i, client] of clients.entries()) this.#rows[i].update(client);
    const shown = this.#rows.slice(0, clients.length).map(({ row }) => row);
    const body = byId("clients-body");
    if (body.children.length !== shown.length) body.replaceChildren(...shown);
    this.#note.set(note(clients, relay));
  }
}

class Line {
  row;
  #address;
  #name;
  #lag;

  constructor() {
    const address = element("th", { scope: "row" });
    const cells = [element("td"), element("td")];
    this.row = element("tr", {}, address, ...cells);
    this.#address = new Text(address);
    [this.#name, this.#lag] = cells.map((cell) => new Text(cell));
  }

  update({ address, name, transport, namespace, lag, worker }) {
    this.#address.set(namespace === "/" ? address : `${address} ${namespace}`);
    const who = worker ? t("clients.worker") : name ?? "";
    const way = transport === "polling" ? t("transport.polling") : "";
    this.#name.set([who, way].filter(Boolean).join(" · ") || NONE);
    this.#lag.set(lag ? bytes(lag) : "0");
    mark(this.row, "lag", lag > 65536 ? "yes" : "");
    mark(this.row, "worker", worker ? "yes" : "");
  }
}

/** What was done about slow clients, and how many are not in the list. */
function note(clients, { clients: counts, skipped, evicted, refused }) {
  const more = counts.websocket + counts.polling - clients.length;
  const parts = [["more", more], ["skipped", skipped], ["evicted", evicted], ["refused", refused]];
  return parts
    .filter(([, n]) => n > 0)
    .map(([name, n]) => t(`clients.${name}`, { n: number(n) }))
    .join(" · ");
}
