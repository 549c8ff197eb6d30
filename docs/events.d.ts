// The events of sjgateway; `python -m gateway.market.schemas.reference` writes this file.
//
//   import { io, type Socket } from "socket.io-client";
//   import type { Auth, ClientToServerEvents, ServerToClientEvents } from "./events";
//
//   const auth: Auth = { events: ["market_tick"], codes: ["TXFR1"] };
//   const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url, { auth });
//
// The fields are those of main.py; for a worker of your own, extend these by what it adds.
// `offset` is there only for clients that connect with `recover: true`.

/** What every event of a worker or of the gateway may have. */
export interface Marked {
  /** when it was sent, ISO 8601 */
  timestamp?: string;
  /** true: in the demonstration; in `shioaji_ready` also the broker's simulation */
  simulation?: boolean;
  /** true: the demonstration made it up */
  demo?: boolean;
  /** true: in a replay; the gateway's own events say so, those of the recording do not */
  replay?: boolean;
  /** true: in a rehearsal; the gateway's own events say so, the worker's do not */
  rehearsal?: boolean;
}

/** The worker has logged in, and market data is coming. */
export interface ShioajiReady extends Marked {
  /** `ready` */
  status: string;
  /** the version of shioaji; `demo` in the demonstration */
  version?: string;
  /** `market_data` */
  service_type?: string;
}

/** To which contracts the worker has subscribed. */
export interface ContractsLoaded extends Marked {
  /** how many */
  count: number;
  /** the first three, for people */
  sample: string;
}

/** One contract: sent when the worker becomes ready, and when the contract changes. */
export interface MarketContract extends Marked {
  /** the code, such as the continuous `TXFR1` */
  code: string;
  /** the code under which it trades now, such as `TXFL6`; empty or null: `code` itself */
  target_code?: string | null;
  /** its name */
  name?: string;
  /** as in `market_tick` */
  exchange?: string;
  /** the group of contracts, such as `TXF` */
  category?: string;
  /** the price from which the day's changes count */
  reference?: number;
  /** the highest price that is allowed today */
  limit_up?: number;
  /** the lowest price that is allowed today */
  limit_down?: number;
  /** shares of a lot, or money of one point of a contract */
  unit?: number;
  /** the day of delivery, `2026-12-16` */
  delivery_date?: string;
  /** of an option */
  strike_price?: number;
  /** of an option: how many strikes the exchange has on its day of delivery */
  listed_strikes?: number;
  /** of an option: `C` a call, `P` a put */
  option_right?: string;
  /** of a future on a stock or a fund: its code */
  underlying_code?: string;
  /** the step of its prices; it wins over the gateway's own table */
  tick_size?: number;
}

/** What ticks and bid/ask have in common. */
export interface Quote extends Marked {
  /** the code under which it trades; of `TXFR1` that of its month, such as `TXFL6` */
  code: string;
  /** the exchange's time, ISO 8601 with its zone */
  datetime: string;
  /** `TSE`, `OTC`, `TAIFEX` and the like */
  exchange?: string;
  /** true: a trial match, which trades nothing */
  simtrade?: boolean;
  /** true: trading is suspended */
  suspend?: boolean;
  /** true: of the market of odd lots */
  intraday_odd?: boolean;
  /** the price of what the contract is on */
  underlying_price?: number;
}

/** One trade. */
export interface MarketTick extends Quote {
  /** the price of the trade */
  price: number;
  /** the same as `price` */
  close: number;
  /** the first price of the session */
  open?: number;
  /** the highest price of the session */
  high?: number;
  /** the lowest price of the session */
  low?: number;
  /** how much was traded: contracts, or lots of 1,000 shares */
  volume: number;
  /** the volume of the session so far */
  total_volume: number;
  /** the change from the reference price */
  price_chg?: number;
  /** the same in per cent */
  pct_chg?: number;
  /** the average price of the session */
  avg_price?: number;
  /** price times volume of the trade */
  amount?: number;
  /** the amount of the session so far */
  total_amount?: number;
  /** 1: at the ask (bought), 2: at the bid (sold), 0: unknown */
  tick_type?: number;
  /** 1: limit up, 2: up, 3: unchanged, 4: down, 5: limit down */
  chg_type?: number;
  /** the volume of the buyers' side so far */
  bid_side_total_vol?: number;
  /** the volume of the sellers' side so far */
  ask_side_total_vol?: number;
}

/** The five best prices on both sides, the best one first. */
export interface MarketBidAsk extends Quote {
  /** the prices of buyers */
  bid_price: number[];
  /** what is wanted at each */
  bid_volume: number[];
  /** the prices of sellers */
  ask_price: number[];
  /** what is offered at each */
  ask_volume: number[];
  /** the best price of buyers that follows from combined orders */
  first_derived_bid_price?: number;
  /** the same of sellers */
  first_derived_ask_price?: number;
  /** what is wanted there */
  first_derived_bid_vol?: number;
  /** what is offered there */
  first_derived_ask_vol?: number;
}

/** How a contract stands, every 10 s; it may come under the code that was subscribed to. */
export interface MarketSnapshot extends Marked {
  /** the code, such as `TXFR1` */
  code: string;
  /** its name; may be empty */
  name: string;
  /** the first price of the session */
  open: number;
  /** the highest one */
  high: number;
  /** the lowest one */
  low: number;
  /** the newest one */
  close: number;
  /** of the newest trade */
  volume: number;
  /** of the newest trade */
  amount: number;
  /** of the session so far */
  total_volume: number;
  /** of the session so far */
  total_amount?: number;
  /** the volume of the day before */
  yesterday_volume?: number;
  /** as in `market_tick` */
  exchange?: string;
  /** the side of the newest trade, in the broker's words */
  tick_type?: string | number;
  /** the change from the reference price */
  change_price?: number;
  /** the same in per cent */
  change_rate?: number;
  /** the direction of the change, in the broker's words */
  change_type?: string | number;
  /** the average price of the session */
  average_price?: number;
  /** the best price of buyers */
  buy_price?: number;
  /** what is wanted there */
  buy_volume?: number;
  /** the best price of sellers */
  sell_price?: number;
  /** what is offered there */
  sell_volume?: number;
  /** as in `market_contract` */
  reference?: number;
  /** as in `market_contract` */
  limit_up?: number;
  /** as in `market_contract` */
  limit_down?: number;
}

/** Bars of one minute that the broker has, which fill in what was not heard. */
export interface MarketKbars extends Marked {
  /** the code; a continuous one means the contract that it stood for */
  code: string;
  /** the end of each minute, as Shioaji's kbars have it: nanoseconds since 1970, of Taipei's time written as if it were UTC */
  ts: number[];
  /** of each minute */
  Open: number[];
  /** of each minute */
  High: number[];
  /** of each minute */
  Low: number[];
  /** of each minute */
  Close: number[];
  /** of each minute */
  Volume: number[];
}

/** The worker lives; about every 10 s. */
export interface Heartbeat extends Marked {
  /** `running`; `waiting`: it has no session with the broker */
  status: string;
  /** whether it has a session with the broker */
  shioaji_connected: boolean;
  /** the newest price of the first contract */
  current_price?: number | null;
  /** how many */
  subscribed_contracts?: number;
  /** true */
  gateway_connected?: boolean;
}

/** Something failed in the worker. */
export interface PythonError extends Marked {
  /** kind and text of the error, without secrets, up to 500 characters */
  error: string;
  /** where: `shioaji`, `main`, `demo`, `certificate`, `callbacks`, `subscribe`, `contracts`, `snapshots`, `bars`, `rule` */
  service: string;
  /** the broker's status code, such as 451 */
  code?: number;
}

/** The starts of the trading day. */
export interface Budget {
  /** the trading day */
  day: string;
  /** starts so far */
  used: number;
  /** how many are allowed */
  limit: number;
  /** how many are left */
  remaining: number;
  /** workers that were taken over and had not to log in */
  saved: number;
}

/** The state of the worker. */
export interface PythonStatus extends Marked {
  /** of the gateway: `stopped`, `starting`, `running`, `stopping`, `exited`, `backoff`, `fatal`, `unready`, `ready`, `unconnected`, `connected`; main.py's: `connected`, `logging in`, `no credentials`, `ready`, `stopped` */
  status: string;
  /** one sentence for people */
  message?: string;
  /** the worker's process id */
  pid?: number | null;
  /** the number of the start, from 1 on */
  generation?: number;
  /** how it ended: its exit status */
  exitCode?: number | null;
  /** or the signal it died of, such as `SIGSEGV` */
  signal?: string | null;
  /** whether the end was asked for */
  asked?: boolean | null;
  /** why it ended, such as `network`, `authentication`, `native-crash`, `planned` */
  class?: string | null;
  /** what to do about that */
  advice?: string | null;
  /** its last lines, redacted, up to 500 characters each */
  stderr?: string[];
  /** when the next start is planned, ISO 8601 */
  nextStartAt?: string | null;
  /** the same in seconds from now */
  nextStartIn?: number | null;
  /** starts after the first */
  restarts?: number;
  /** the starts of the trading day */
  budget?: Budget;
  /** of main.py with `stopped`: its exit status */
  exit_status?: number;
}

/** The quotes of a market stopped, or came again. */
export interface FeedStatus extends Marked {
  /** `live`: quotes come again; `stale`: none come while the market trades; `closed`: it was stale, and none are expected any more */
  status: "closed" | "live" | "stale";
  /** which market */
  market: "futures" | "stocks";
  /** one sentence; empty with `live` */
  reason: string;
  /** the markets that are stale now, sorted */
  stale: string[];
}

/** This client may not publish; where the event asked for an acknowledgment, that has this. */
export interface PublishRefused {
  /** false */
  ok: false;
  /** why, and what to do */
  error: string;
  /** the name of the event */
  event: string;
}

/** Which events a client wants. */
export interface Filter {
  /** only events with these names */
  events?: string[];
  /** of events with a `code` only those of these codes */
  codes?: string[];
  /** true: only events of the worker and of the gateway */
  trusted?: boolean;
}

/** What a client sends when it connects. */
export interface Auth extends Filter {
  /** the token, where one is needed */
  token?: string;
  /** true: the newest quote of each code first */
  snapshot?: boolean;
  /** true: what is missed while away is sent later */
  recover?: boolean;
  /** socket.io-client adds it when it comes back */
  pid?: string;
  /** the same */
  offset?: string;
}

/** It is done. */
export interface Done {
  /** true */
  ok: true;
}

/** Nothing has changed. */
export interface NotDone {
  /** false */
  ok: false;
  /** what is wrong */
  error: string;
}

/** Which bars a client asks for. */
export interface BarsQuestion {
  /** the code, such as `TXFR1` or `2330` */
  code: string;
  /** how long a bar is; `1m` if missing, `1s` only of the last hour */
  interval?: "15m" | "1d" | "1h" | "1m" | "1s" | "30m" | "5m" | "60m";
  /** the time of the first bar: seconds since 1970, or ISO 8601, which is Taipei's without a zone */
  from?: string | number;
  /** the time before which the last bar begins */
  to?: string | number;
  /** `day` or `night`; both if missing */
  session?: "" | "day" | "night";
}

/** For which contract a continuous code stood. */
export interface ContractSince {
  /** from when on, in seconds since 1970 */
  from: number;
  /** the code of that contract */
  code: string;
}

/** Bars, the oldest first: the same place in each list is one bar. */
export interface Columns {
  /** when each begins, in seconds since 1970 */
  time: number[];
  /** a list with one value a bar */
  open: number[];
  /** a list with one value a bar */
  high: number[];
  /** a list with one value a bar */
  low: number[];
  /** a list with one value a bar */
  close: number[];
  /** a list with one value a bar */
  volume: number[];
}

/** Bars of one code. */
export interface Bars {
  /** as asked */
  code: string;
  /** as asked */
  interval: string;
  /** as asked */
  session: string;
  /** true: bars of the demonstration, no market data */
  demo: boolean;
  /** true: there are earlier bars: ask again, with `to` being the first time here */
  cut: boolean;
  /** the contracts that a continuous code stood for; nothing is adjusted where they change */
  contracts: ContractSince[];
  /** the times of bars of which a part was not heard */
  partial: number[];
  /** the bars */
  bars: Columns;
  /** the time of the newest tick of the code; null: none has come */
  newest: number | null;
}

/** There is no other answer. */
export interface Problem {
  /** what is wrong */
  error: string;
}

/** What a client hears. */
export interface ServerToClientEvents {
  "shioaji_ready": (told: ShioajiReady, offset?: string) => void;
  "contracts_loaded": (told: ContractsLoaded, offset?: string) => void;
  "market_contract": (told: MarketContract, offset?: string) => void;
  "market_tick": (told: MarketTick, offset?: string) => void;
  "market_bidask": (told: MarketBidAsk, offset?: string) => void;
  "market_snapshot": (told: MarketSnapshot, offset?: string) => void;
  "market_kbars": (told: MarketKbars, offset?: string) => void;
  "heartbeat": (told: Heartbeat, offset?: string) => void;
  "python_error": (told: PythonError, offset?: string) => void;
  "python_status": (told: PythonStatus, offset?: string) => void;
  "feed_status": (told: FeedStatus, offset?: string) => void;
  "publish_refused": (told: PublishRefused, offset?: string) => void;
}

/** What a client may ask. */
export interface ClientToServerEvents {
  "sjgateway:subscribe": (asked: Filter, answer: (answer: Done | NotDone) => void) => void;
  "sjgateway:bars": (asked: BarsQuestion, answer: (answer: Bars | Problem) => void) => void;
}
