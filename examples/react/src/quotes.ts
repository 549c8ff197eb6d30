// 行情的 React hook。 A hook for the feed.
import { useEffect, useState } from "react";
import { io, type Socket } from "socket.io-client";
// 您的專案請複製這個檔案。 Copy this file into a project of your own.
import type {
  Auth,
  ClientToServerEvents,
  MarketContract,
  MarketTick,
  ServerToClientEvents,
} from "../../../docs/events";

export interface Quote {
  code: string;
  name: string;
  tick: MarketTick;
}

export interface Quotes {
  /** "connected", or why not */
  state: string;
  /** by code */
  quotes: Quote[];
  /** a demonstration, a replay or a rehearsal */
  isMadeUp: boolean;
}

/**
 * The newest trade of each code; without `codes` of all.  Ticks are collected, and React hears of
 * them once a frame.  `codes` must stay the same array as long as it means the same.
 */
export function useQuotes(url: string, codes?: string[]): Quotes {
  const [shown, setShown] = useState<Quotes>({ state: "…", quotes: [], isMadeUp: false });

  useEffect(() => {
    const ticks = new Map<string, MarketTick>();
    const names = new Map<string, string>();
    let state = "…";
    let isMadeUp = false;
    let frame = 0;

    function change(): void {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        const sorted = [...ticks.values()].sort((one, other) => (one.code < other.code ? -1 : 1));
        const quotes = sorted.map((tick) => ({ code: tick.code, name: names.get(tick.code) ?? "", tick }));
        setShown({ state, quotes, isMadeUp });
      });
    }

    function say(text: string): void {
      state = text;
      change();
    }

    function learn({ code, target_code, name }: MarketContract): void {
      // 近月的成交以當月合約的代碼送來。 Ticks of TXFR1 come under the code of its month.
      names.set(target_code || code, name ?? "");
      change();
    }

    const events = ["market_tick", "market_contract", "python_status"];
    const auth: Auth = { events, snapshot: true, ...(codes && { codes }) };
    const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url, { auth });
    socket.on("connect", () => say("connected"));
    socket.on("connect_error", (error) => say(error.message));
    socket.on("disconnect", (reason) => {
      say(reason);
      // After a word of the server the library does not come back by itself.
      if (reason === "io server disconnect") socket.connect();
    });
    // 示範、重播、演練都有標記。 A demonstration, a replay and a rehearsal say so.
    socket.on("python_status", ({ demo, replay, rehearsal }) => {
      isMadeUp = Boolean(demo || replay || rehearsal);
      change();
    });
    socket.on("market_contract", learn);
    socket.on("market_tick", (tick) => {
      ticks.set(tick.code, tick);
      change();
    });
    return () => {
      socket.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [url, codes]);

  return shown;
}
