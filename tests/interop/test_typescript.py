"""docs/events.d.ts, as a front end in TypeScript uses it with the stock client's own types."""

import json
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.node import node_modules, require_node

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "strict": True,
    "noEmit": True,
    "target": "es2022",
    "module": "esnext",
    "moduleResolution": "bundler",
    "lib": ["es2022", "dom"],
    "types": [],
    "skipLibCheck": True,  # what others declare is not ours
}
PAGE = """
import { io, type Socket } from "socket.io-client";
import type { Auth, ClientToServerEvents, ServerToClientEvents } from "./events";

const auth: Auth = { events: ["market_tick"], codes: ["TXFR1"], recover: true };
const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io("", { auth });
socket.on("market_tick", (tick, offset) => {
  const line: string = `${tick.code} ${tick.price.toFixed(2)} ${offset ?? ""}`;
  const change: number | undefined = tick.price_chg;
  console.log(line, change, tick.demo ?? false);
});
socket.on("market_bidask", ({ bid_price: [best] }) => console.log(best));
socket.on("market_contract", ({ limit_up, name }) => console.log(limit_up ?? 0, name));
socket.on("python_status", ({ exitCode, budget }) => console.log(exitCode, budget?.used));
socket.on("feed_status", ({ status }) => console.log(status === "live"));
socket.emit("sjgateway:bars", { code: "TXFR1", interval: "5m", from: 1764466200 }, (answer) => {
  console.log("error" in answer ? answer.error : answer.bars.close[0]);
});
socket.emit("sjgateway:subscribe", { codes: [] }, (done) => console.log(done.ok || done.error));
"""
MISTAKES = """
// @ts-expect-error: a key of auth
const wrong: Auth = { code: ["TXFR1"] };
// @ts-expect-error: the name of an event
socket.on("market_ticks", () => {});
// @ts-expect-error: a field
socket.on("market_tick", (tick) => console.log(tick.pirce));
// @ts-expect-error: a field that may be missing
socket.on("market_tick", (tick) => tick.price_chg.toFixed(2));
// @ts-expect-error: a word
socket.on("feed_status", ({ status }) => console.log(status === "dead"));
// @ts-expect-error: an interval
socket.emit("sjgateway:bars", { code: "TXFR1", interval: "2m" }, () => {});
// @ts-expect-error: an answer that may be a refusal
socket.emit("sjgateway:bars", { code: "TXFR1" }, (answer) => console.log(answer.bars));
"""


class TypeScriptTests(SynchronousTestCase):
    def test_what_is_right_compiles_and_each_mistake_does_not(self) -> None:
        """tsc complains of a mistake that it does not find, too."""
        node = require_node()
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "node_modules").symlink_to(node_modules())
        shutil.copy(ROOT / "docs" / "events.d.ts", folder)
        (folder / "page.ts").write_text(PAGE + MISTAKES)
        (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": SETTINGS}))
        compiler = folder / "node_modules" / "typescript" / "bin" / "tsc"
        compiled = subprocess.run(
            [node, str(compiler.absolute()), "--project", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(compiled.stdout, "")
        self.assertEqual(compiled.returncode, 0, compiled.stderr)
