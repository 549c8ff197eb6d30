/** The gateways of a cluster: who is there, who has the worker, and for how long at least. */

import { byId, Content, element, mark, Text } from "../ui/dom.js";
import { age, duration, number } from "../ui/format.js";
import { onLanguage, t } from "../ui/i18n.js";

export class Cluster {
  #cluster = null; // of `/status`
  #version = "";
  #name = new Text(byId("cluster-name"));
  #members = new Content(byId("cluster-body"));
  #lease = new Text(byId("cluster-lease"));
  #lost = new Text(byId("cluster-lost"));

  constructor() {
    onLanguage(() => this.#write());
  }

  /** What `/status` tells: the part is there only where the gateway is one of a cluster. */
  update({ cluster = null, version }) {
    this.#cluster = cluster;
    this.#version = version;
    this.#write();
  }

  #write() {
    const told = this.#cluster;
    byId("cluster").hidden = !told;
    if (!told) return;
    this.#name.set(told.cluster);
    this.#members.set(told.members.map((each) => this.#facts(each)), member);
    this.#lease.set(lease(told));
    mark(byId("cluster-lease"), "level", isShort(told.lease) ? "warn" : "");
    const lost = told.dropped + told.passedOver;
    this.#lost.set(lost ? t("cluster.lost", { n: number(lost) }) : "");
  }

  /** What is shown of a member. */
  #facts({ name, version, clients }) {
    const { gateway, worker } = this.#cluster;
    const roles = [name === gateway && "here", name === worker && "worker"].filter(Boolean);
    return { name, version, clients, roles, isOther: version !== this.#version };
  }
}

function member({ name, version, clients, roles, isOther }) {
  const line = element("tr", {},
    element("th", { scope: "row" }, name, ...roles.map((role) =>
      element("span", { className: "role", textContent: t(`cluster.${role}`) }))),
    element("td", { textContent: version }),
    element("td", { textContent: number(clients) }));
  mark(line, "version", isOther ? "other" : "");
  return line;
}

/** Who has the worker, and how old and how long that right is. */
function lease({ worker, lease: told }) {
  const who = worker ? t("cluster.at", { name: worker }) : t("cluster.nobody");
  if (!Number.isFinite(told?.renewed)) return who;
  const { renewed, left } = told;
  return `${who} · ${t("cluster.lease", { age: age(renewed), left: duration(left) })}`;
}

/** Whether less than half of the lease is left: renewing it has failed for a while. */
const isShort = (told) => Number.isFinite(told?.left) && told.left < told.seconds / 2;
