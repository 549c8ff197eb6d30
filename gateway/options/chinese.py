"""The help of each option in Traditional Chinese, by field, for docs/options.zh-TW.md."""

from typing import Final

TEXTS: Final = {
    "port": "用戶端與 worker 使用的 TCP 連接埠；0 表示任一空閒的連接埠。",
    "host": "監聽的 IP 位址，取代 127.0.0.1 與 ::1。0.0.0.0 讓其他電腦以 IPv4 連線，:: 則為 IPv6。",
    "listen": "監聽的 Twisted endpoint，例如 ssl:3443:privateKey=key.pem 或 unix:/run/sj.sock；用戶端改用它，"
    "不再使用 --host 與 --port。可重複。",
    "max_connections": "同時的 TCP 連線數上限，也是 Socket.IO session 數的上限；超過的會被拒絕。",
    "max_connections_per_address": "其他電腦每個位址同時的連線數與 session 數上限；超過的會被拒絕。"
    "本機不受此限。",
    "allowed_hosts": "用戶端連到 gateway 時可用的主機名稱。localhost 與 IP 位址一律可用；"
    "其他名稱會得到 403。",
    "allowed_origins": "可以使用 gateway 的網頁與 app 的來源（origin），例如 https://app.example.com 或"
    " app://name；* 表示全部。localhost 的網頁一律可用。",
    "trusted_proxies": "gateway 前方代理伺服器的 IP 網段，例如 10.0.0.0/8；經由 UNIX socket 的寫 unix。"
    "用戶端的位址取自它們的 X-Forwarded-For。",
    "token_file": "存放 token 的檔案：一個擁有全部權限的 token，或每行一個 NAME TOKEN ROLE；角色（ROLE）有"
    " view、publish 與 control。沒有 control token 時，只有本機可以控制 worker。",
    "token": "直接指定擁有全部權限的 token。已有 --token-file 時不使用。",
    "view_token_file": "存放 token 的檔案：讀取 /status、/logs、/metrics 與接收事件都需要它；也可以每行一個"
    " NAME TOKEN ROLE。",
    "view_token": "直接指定讀取用的 token。已有 --view-token-file 時不使用。",
    "main": "worker 的程式。未指定時為 ./main.py，沒有的話為 ../main.py。",
    "cwd": "worker 執行時的目錄。未指定時為 main.py 所在的目錄。",
    "module": "以 Python 模組作為 worker（同 python -m），取代 --main。",
    "command": "以指令作為 worker，取代 --main；引號寫法同 shell。",
    "python": "執行 worker 的 Python。未指定時為 main.py 所在目錄的 venv 或 .venv，或往上直到專案根目錄"
    "的各層目錄中的；再來是 PATH 中第一個能匯入 main.py 所需套件的 python3。",
    "worker_args": "傳給 main.py 的參數，引號寫法同 shell，例如 '--codes TXFR1,2330'。可重複。",
    "demo": "讓 worker 播放示範行情：價格是隨機的，不需要券商帳號。沒有 main.py 時，由 gateway 自己的程式播放。",
    "dev": "開發用：worker 的任一 Python 檔案變更時重新啟動 worker，日誌等級為 debug。",
    "no_worker": "不執行 worker；可以發布事件的用戶端就是事件的來源。",
    "portable": "即使在 Linux 上，也只使用任何 POSIX 系統都有的功能，與 macOS 上相同；少了哪些保證見"
    " docs/systems.zh-TW.md。未指定時，在 Linux 上使用 Linux 的所有功能。",
    "state_dir": "存放重新啟動後仍需保留的資料的目錄：worker 的啟動紀錄、recovery.key、最近的事件"
    "（memory-PORT.ring，約為 --history-size 的兩倍）與 K 線。未指定時依序為"
    " $STATE_DIRECTORY、$XDG_STATE_HOME/sjgateway、~/.local/state/sjgateway。",
    "key_names": "另外用這些環境變數把金鑰交給 worker，例如 'apiKey=MY_KEY secretKey=MY_SECRET'。"
    "可重複。",
    "credentials_file": "保存以 /set-sj-key 送來的金鑰的檔案，權限為 0600。未指定時，gateway 結束後"
    "金鑰就沒有了。",
    "patience_login": "停止從未就緒的 worker 時，從 SIGINT 到 SIGTERM 的秒數，因為它可能還在登入。",
    "patience_interrupt": "停止曾經就緒的 worker 時，從 SIGINT 到 SIGTERM 的秒數。",
    "patience_terminate": "停止 worker 時，從 SIGTERM 到 SIGKILL 的秒數。",
    "keep_worker": "gateway 被強制結束、當掉或交接之後，worker 繼續執行的秒數；下一個 gateway 會接手，"
    "不必重新登入。0 表示立即結束 worker。僅限 Linux。",
    "fatal_after": "連續失敗幾次後不再重新啟動 worker；啟動後 60 秒內失敗才算一次，網路問題不算。"
    "0 表示一律重新啟動。",
    "budget": "一個交易日內啟動 worker 的次數上限。超過後只有人可以啟動它（POST /start-python 或"
    " /restart-python）。",
    "schedule": "重新啟動 worker 的時間，寫成 cron 運算式，例如 '40 8 * * 1-5' 是週一到週五 08:40。"
    "可重複。",
    "sessions": "worker 執行的時段，例如 'Mon-Fri 08:30-13:50'；其他時間會停止它。未指定時一律執行。"
    "可重複。",
    "timezone": "--schedule、--sessions，以及網頁與警示中的時間所用的時區，寫 IANA 名稱。",
    "holiday_file": "休市日的檔案，每行一個 ISO 日期（2027-01-01）。週末不必列出。",
    "heartbeat": "worker 每隔幾秒送出一次心跳事件。",
    "watchdog": "錯過幾次心跳後重新啟動 worker。0 表示不重新啟動。",
    "ready_within": "worker 啟動後應該在幾秒內就緒；逾時的話，瀏覽器與警示會說它還沒就緒。"
    "0 表示不通知。",
    "tick_silence": "交易時段內幾秒沒有行情事件，就回報行情停滯。0 表示不回報。",
    "restart_silent": "交易時段內行情停滯幾秒後重新啟動 worker。0 表示不重新啟動。",
    "publish": "中繼誰的事件。any：每個用戶端的；worker：只有 worker 的；token：worker 的，以及持有"
    " publish 或 control token 的用戶端的。未指定時，設了 token 就是 token，否則是 any。",
    "echo": "事件也送回給發送者。",
    "namespaces": "中繼事件的 Socket.IO namespace，各自獨立。",
    "flush_interval": "收集幾秒的事件後一起送出。0 表示收集到 reactor 這一輪結束。",
    "ack_timeout": "發送者要求 ack 時，收到事件的用戶端回覆的期限，單位是秒。逾時就沒有回覆。",
    "key_field": "事件第一個參數中的欄位，用來分辨事件與什麼有關，例如哪一檔商品的代碼。這個欄位的每個值各保留"
    "最新的一筆事件。",
    "state_events": "描述狀態的事件名稱。每種的最新一筆會送給之後連線的每個用戶端。",
    "quote_events": "報價的事件名稱。每個代碼的最新一筆會送給之後以 snapshot: true 連線的用戶端。"
    "worker 送出任何一筆就算已登入。",
    "no_snapshot_states": "不把 --state-events 送給之後連線的用戶端；它們只收到新的事件。",
    "snapshot_quotes": "沒有 snapshot: true 的用戶端，連線時也送給它最新的 --quote-events。",
    "recovery_time": "要求恢復的用戶端可以斷線幾秒，重新連線後仍能補收錯過的事件。",
    "history_size": "每個 namespace 為落後或重新連線的用戶端保留的事件，總共最多幾個位元組。",
    "history_events": "每個 namespace 為落後或重新連線的用戶端最多保留幾個事件。",
    "record": "錄製 worker 事件的資料夾，每個日盤與每個夜盤各一個壓縮檔。未指定時不錄製。",
    "record_events": "錄製誰的事件。worker：worker 與 gateway 自己的；everybody：所有人的。",
    "record_days": "錄製檔保留幾天；更舊的會刪除。0 表示永久保留。",
    "record_size": "所有錄製檔合計的位元組數上限；超過時刪除最舊的。0 表示不限。",
    "keep_bars": "一分鐘 K 線在狀態目錄中保留幾天。0 表示不保留，也無法查詢。",
    "replay": "不執行 main.py，改為對用戶端重播錄製檔；第一個檔案之後可以再接其他檔案。重播的內容不錄製、"
    "不存成 K 線、不算啟動次數，也不發警示。在環境變數中以分號分隔。",
    "speed": "重播的速度：錄製時的幾倍，max 表示用戶端能收多快就多快，0 表示一開始就暫停。",
    "from_": "從哪個時間開始重播，例如 09:00 或 2026-11-30T09:00，以臺北時間為準。未指定時從第一個事件開始。",
    "loop": "錄製檔的最後一個事件之後，從頭再播。",
    "times": "重播的事件中的時間。recorded：每個位元組都與錄製時相同；now：改成送出時的時間。",
    "rehearse": "以錄製檔代替市場：main.py 照常執行，但登入的是本機上播放錄製檔的券商。不會有任何資料離開本機，也不會"
    "錄製、存成 K 線、計入啟動次數或發出警示。",
    "rehearse_faults": "演練中發生的狀況，例如 '09:05 session-down; 09:10 login 451; 10:00 segfault;"
    " 10:05 hang 30; 10:10 silence 120; 10:30 token-expired'。時間是錄製檔中的臺北時間。可重複。",
    "rehearse_shioaji": "演練時 worker 看到的 shioaji 介面版本，1.2 或 1.7。未指定時為已安裝的版本，沒有安裝則為 1.7。",
    "cluster": "讓多個 gateway 共用一份 log 的 Redis 或 Valkey：redis://HOST:PORT/DB、rediss://HOST:PORT/DB 或"
    " unix:///PATH。需要 pip 的 extra sjgateway[cluster]。未指定時，gateway 單獨運作。",
    "cluster_name": "叢集的名稱；名稱相同的 gateway 共用一份 log。",
    "gateway_name": "這個 gateway 的名稱，在叢集中不可重複。未指定時為主機名稱。",
    "cluster_key_file": "內容至少 32 位元組、無法猜到的檔案，叢集中所有 gateway 都相同。使用 --cluster 時必須指定。",
    "cluster_password_file": "存放 Redis 密碼的檔案；使用者名稱寫在 --cluster 的網址中。",
    "cluster_password": "直接指定 Redis 的密碼。已有 --cluster-password-file 時不使用。",
    "cluster_ca": "PEM 檔，內容是 rediss:// 連線時信任的憑證機構，取代系統預設的。",
    "cluster_lease": "執行 worker 的 gateway 沒有任何訊息而消失後，經過多少秒才由叢集中另一個 gateway 啟動 worker；4 到 600。",
    "cluster_hold": "事件等待 Redis 的秒數；超過時只先送給這個 gateway 的用戶端。",
    "slow_size": "待送資料超過這麼多位元組，而且 --slow-time 秒內一點都沒有收下的用戶端，算是過慢。",
    "slow_time": "待送資料超過 --slow-size 的用戶端，幾秒內一點都沒有收下就算過慢。",
    "stall_time": "有待送資料的用戶端，不論多少，幾秒內一點都沒有收下就算過慢。",
    "no_conflation": "中斷過慢的用戶端。未指定時不中斷，而是略過已被同一個 key 的新事件取代的事件。",
    "max_payload": "用戶端一則訊息的位元組數上限；超過就中斷連線。",
    "worker_max_payload": "worker，以及持有 publish 或 control token 的用戶端，經由 WebSocket 的一則訊息的"
    "位元組數上限。",
    "message_rate": "一個用戶端每秒可以送出的訊息數；超過時放慢讀取，不會中斷連線。每 512 位元組另計"
    "一則。worker 不受此限。0 表示不限。",
    "ping_interval": "Engine.IO 每隔幾秒對各用戶端送一次 ping。",
    "ping_timeout": "用戶端幾秒內沒有回覆 Engine.IO 的 ping，就中斷連線。",
    "connect_timeout": "用戶端幾秒內沒有加入 Socket.IO 的 namespace，就中斷連線。",
    "path": "Socket.IO 用戶端另外可用的 URL 路徑，例如 /feed/；/socket.io/ 一律可用。",
    "deflate": "提供 WebSocket 用戶端壓縮（permessage-deflate）：流量較小，CPU 用量較大。",
    "eio3": "接受 Engine.IO 3 的用戶端，例如 socket.io-client 2.x。",
    "client_bundle": "瀏覽器用的程式庫，例如 node_modules/socket.io-client/dist/socket.io.min.js，由"
    " /socket.io/socket.io.js 提供。未指定時該處回應 404。",
    "log_level": "記錄的最低等級：debug、info、warn、error 或 critical。",
    "log_format": "每行日誌的格式：text 給人看，json 給程式讀。",
    "log_file": "日誌檔。未指定時，twistd -n 寫到 stdout，否則寫到 twistd.log。",
    "log_size": "日誌檔到達幾個位元組時改名，並開始新的檔案。0 表示不改名。",
    "log_keep": "保留幾個改名後的日誌檔；最舊的會刪除。",
    "alert_file": "存放警示接收者的檔案，每行一個：webhook 網址，或 LINE、ntfy、Alertmanager、郵件的寫法。",
    "alert_urls": "直接指定警示接收者，以空白分隔。已有 --alert-file 時不使用。",
    "alert_link": "警示中連到網頁的網址，例如 https://desk.example.com/。未指定時為 localhost 與 --port。",
    "alert_ca": "PEM 檔，內容是連線到 webhook 與郵件伺服器時信任的憑證機構，取代系統預設的。",
    "alert_interval": "同一種警示至少相隔幾秒。",
    "alert_language": "警示的語言：en 或 zh-TW。",
}
