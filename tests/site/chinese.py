"""The page of REST routes in Traditional Chinese: each of its texts, by the English one.

Names of fields, types and routes stay as they are.
"""

from typing import Final

TEXTS: Final = {
    # the page
    "REST reference": "REST 參考",
    "What `GET /openapi.json` says, as a page. *open* routes answer everybody; *view* and *control* need such a token where one is set.": "這一頁是 `GET /openapi.json` 的內容。*open* 的路徑回應任何人；*view* 與 *control* 在設定了 token 時需要該種 token。",
    "| Parameter | Type | Meaning |": "| 參數 | 型別 | 說明 |",
    "| Status | Answer |": "| 狀態碼 | 回應 |",
    "| Field | Type |": "| 欄位 | 型別 |",
    "Body: {kind} as {forms}.": "內容：{kind}，格式為 {forms}。",
    " or ": " 或 ",
    "nothing": "空的",
    "list: {kinds}": "清單：{kinds}",
    "anything": "任何值",
    # routes
    "The gateway lives; does the worker?": "gateway 在執行；worker 是否也在執行？",
    "The gateway lives.": "gateway 在執行。",
    "The worker runs.": "worker 在執行。",
    "The worker is ready.": "worker 已就緒。",
    "All about the worker.": "worker 的一切。",
    "The last lines of the worker, or of the gateway's own log.": "worker 最後幾行輸出，或 gateway 本身記錄的最後幾行。",
    "Bars of one code; 304 where `If-None-Match` has the answer's `ETag`.": "一個代碼的 K 線；`If-None-Match` 與回應的 `ETag` 相同時回 304。",
    "What is known of each code: its contract, its steps of prices, its newest tick.": "每個代碼已知的資料：合約、升降單位、最新一筆成交。",
    "Give the worker other credentials and restart it.": "給 worker 其他金鑰並重新啟動。",
    "Stop the worker and start it.": "停止 worker 再啟動。",
    "Start the worker.": "啟動 worker。",
    "Stop the worker.": "停止 worker。",
    "Check the gateway's code on disk, and let it take over; the worker stays.": "檢查磁碟上的程式碼，再由它接手；worker 不中斷。",
    "Send a test to every receiver of alerts, and say whether each took it.": "對每個警示接收者送出測試，並說明是否收到。",
    "Pause a replay, let it go on, change its speed, or go to a time of it.": "讓重播暫停、繼續、改變速度，或跳到某個時間。",
    "This document.": "這份文件。",
    # parameters
    "`true`: age and rate by code, too, up to 2,000 of them.": "`true`：也列出每個代碼的資料時間與速率，最多 2,000 個。",
    "The number of lines, 1 to 10000.": "行數，1 到 10000。",
    "A position, `next` of an earlier answer for the same source: the oldest lines from there on. 0: the newest lines.": "位置，即先前對同一來源的回應中的 `next`：從那裡開始最舊的幾行。0：最新的幾行。",
    "Whose lines: what the worker printed, or the gateway's own log.": "誰的內容：worker 的輸出，或 gateway 本身的記錄。",
    "The code, such as `TXFR1` or `2330`.": "代碼，例如 `TXFR1` 或 `2330`。",
    "The length of a bar; `1s` only for the last hour.": "K 線的週期；`1s` 只有最近一小時。",
    "The time of the first bar: seconds since 1970, or ISO 8601, such as `2026-11-30T09:00`, which is Taipei's without a zone.": "第一根 K 線的時間：1970 年起的秒數，或 ISO 8601，例如 `2026-11-30T09:00`，沒有時區時為台北時間。",
    "The time before which the last bar begins; as `from`.": "最後一根 K 線在此時間之前開始；格式同 `from`。",
    "`day` or `night`; without it both.": "`day` 或 `night`；省略時兩者都有。",
    "`ready`: answer when the new worker is ready, or has failed.": "`ready`：新的 worker 就緒或失敗時才回應。",
    "`true`: start even in a pause that the broker imposed.": "`true`：在券商要求的暫停期間也啟動。",
    # types
    "Bars of one code.": "一個代碼的 K 線。",
    "From a time on, in seconds since 1970, the code stands for this one.": "從某個時間（1970 年起的秒數）開始，該代碼代表的合約。",
    "Bars, the oldest first: the same place in each list is one bar.": "K 線，由舊到新：各清單中相同位置為同一根。",
    "The codes of which quotes or contracts are known, 2,000 at most.": "已知報價或合約的代碼，最多 2,000 個。",
    'When the sessions of a market begin and end, such as `["08:45", "13:45"]`, in Taipei.': '一個市場各時段的開始與結束，台北時間，例如 `["08:45", "13:45"]`。',
    "What is known of one code: also the fields of `market_contract`, of which any may be missing.\n\n`tick`, if it is known: the steps of prices as pairs, the last of which has no bound.": "一個代碼已知的資料；也包括 `market_contract` 的欄位，其中任何一個都可能沒有。\n\n`tick`（已知時）：成對的升降單位，最後一對沒有上限。",
    "The broker's keys.  Certificate and password are for orders; there are both or neither.": "券商的金鑰。憑證與密碼供下單使用，兩者都有或都沒有。",
    "It is done; more keys say what happened.": "已完成；其他欄位說明做了什麼。",
    "The gateway lives; more keys may follow.": "gateway 在執行；可能有其他欄位。",
    "Lines, redacted, oldest first; at most 256 KiB of them.\n\nEach begins with its time and, in brackets, who says it; warnings and errors of the gateway have\ntheir level before that, and its tracebacks are indented.": "各行內容，已遮蔽機密，由舊到新；最多 256 KiB。\n\n每行開頭是時間，接著在方括號中說明是誰說的；gateway 的警告與錯誤在方括號前標示等級，其 traceback 會縮排。",
    "What the worker is; an empty text: not known, or none.": "worker 是什麼；空字串表示不知道或沒有。",
    "An OpenAPI document.": "OpenAPI 文件。",
    "What went wrong, and what to do.": "出了什麼問題，以及怎麼辦。",
    "Whether the worker runs, or is ready; `reason` may say why.": "worker 是否在執行或就緒；`reason` 可能說明原因。",
    "The worker's state; more keys follow.": "worker 的狀態；還有其他欄位。",
    "Who asks: the name of the token, empty without one; for control also the other tokens.": "查詢者：token 的名稱，沒有 token 時為空；有 control 權限時還有其他 token。",
    "What is to change; whatever is absent stays as it is.": "要改變的內容；省略的維持不變。",
}
