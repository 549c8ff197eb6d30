import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { useQuotes } from "./quotes";

// http://localhost:5173/?gateway=http://localhost:3001&codes=TXFR1,2330
const asked = new URLSearchParams(location.search);
const gateway = asked.get("gateway") ?? "http://localhost:3001";
const codes = asked.get("codes")?.split(",");

function Page() {
  const { state, quotes, isMadeUp } = useQuotes(gateway, codes);
  return (
    <main>
      <p role="status">{state}</p>
      {isMadeUp && <p>不是真實報價 not the market's prices</p>}
      <table>
        <thead>
          <tr><th>代碼 Code</th><th>名稱 Name</th><th>成交 Price</th><th>單量 Volume</th><th>時間 Time</th></tr>
        </thead>
        <tbody>
          {quotes.map(({ code, name, tick }) => (
            <tr key={code}>
              <td>{code}</td>
              <td>{name}</td>
              <td>{tick.price}</td>
              <td>{tick.volume}</td>
              <td>{tick.datetime.slice(11, 19)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>
  );
}

createRoot(document.getElementById("root")!).render(<StrictMode><Page /></StrictMode>);
