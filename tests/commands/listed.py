"""The one list of all commands in the documents: who types each, or why nobody does."""

from typing import Final

GATEWAYS: Final = {
    "/readyz": (
        ".venv/bin/twistd -n sjgateway --demo",
        ".venv/bin/twistd -n sjgateway --main mine.py --demo",
        ".venv/bin/twistd -n sjgateway --main mine.py --rehearse examples/2026-11-30-day.jsonl.zst",
        ".venv/bin/twistd -n sjgateway --main mine.py --rehearse"
        " recordings/2026-11-30-day.jsonl.zst --from 09:00",
        ".venv/bin/twistd -n sjgateway --replay examples/2026-11-30-day.jsonl.zst --speed 10",
        ".venv/bin/twistd -n sjgateway --replay recordings/2026-11-30-day.jsonl.zst --from 09:00",
        ".venv/bin/twistd -n --pidfile= sjgateway --no-worker --log-level debug",
    ),
    "/healthz": (
        ".venv/bin/twistd -n sjgateway --record recordings",
        ".venv/bin/twistd -n sjgateway --schedule '40 8 * * 1-5'",
        ".venv/bin/twistd -n sjgateway --sessions 'Mon-Fri 08:30-13:50'"
        " --sessions 'Mon-Fri 14:45-05:05'",
        "twist sjgateway",
        "twistd -n sjgateway",
    ),
}
"""Starts of a gateway by the route that answers 200 soon; they are ended by Ctrl-C."""

ALONE: Final = {
    "cp main.py mine.py": "",
    "(umask 077; openssl rand -hex 32 > token)": "",
    "(umask 077; openssl rand -hex 32 > cluster.key)": "",
    '(umask 077; echo "SJGATEWAY_TOKEN=$(openssl rand -hex 32)" > deploy/gateway.env)': "",
    "twistd --help": "sjgateway",
    "twistd sjgateway --help": "--allowed-origins",
    "python -m gateway COMMAND --help": "--url",
    ".venv/bin/python -m gateway export recordings/2026-11-30-day.jsonl.zst --bars 1m"
    " --csv": "code,time,open",
    ".venv/bin/pip install 'python-socketio[client]'": "already satisfied",
    ".venv/bin/python examples/socketio_chat.py --help": "--port",
}
"""What is typed in the folder, and what it prints."""

GO_ON: Final = {
    ".venv/bin/python -m http.server 8000 --directory examples": "Serving HTTP",
    ".venv/bin/python -m gateway tail --codes TXFR1": "TXF",
    ".venv/bin/python -m gateway tail --events market_tick --json": '"market_tick"',
    "python -m gateway tail --json": '"e"',
    ".venv/bin/python examples/python/feed.py http://localhost:3001 TXFR1 2330": " x ",
}
"""What goes on until Ctrl-C, beside a demonstration, and what its first line has."""

DONE: Final = '"success":true'
ASKED: Final = {
    "curl http://localhost:3001/health": '"pythonRunning":true',
    "curl -X POST http://localhost:3001/restart-python": DONE,
    "curl -X POST http://localhost:3001/set-sj-key -d apiKey=... -d secretKey=...": DONE,
    'curl -X POST -H "Authorization: Bearer $TOKEN" http://localhost:3001/alerts/test': DONE,
    "GATEWAY_URL=http://localhost:3001 .venv/bin/python -m pdb main.py --demo": "(Pdb)",
    "curl -X POST http://localhost:3001/hand-over": DONE,
}
"""What is typed beside a demonstration, in this order, and what it prints."""

ASKED_OF_A_REPLAY: Final = {
    "curl -X POST http://localhost:3001/replay -d paused=true": DONE,
    "curl -X POST http://localhost:3001/replay -d to=09:30 -d speed=10 -d paused=false": DONE,
}

CLUSTER: Final = (
    "redis-server --appendonly yes --maxmemory-policy noeviction",
    "twistd -n --pidfile= sjgateway --port 3001 --gateway-name g1 --cluster redis://localhost"
    " --cluster-key-file cluster.key",
    "twistd -n --pidfile= sjgateway --port 3002 --gateway-name g2 --cluster redis://localhost"
    " --cluster-key-file cluster.key",
)
"""All at once."""

BY_OTHERS: Final = {
    (".ci/run", "pip install -e '.[test]' && .venv/bin/python -m tests"): (
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]'",
        ".venv/bin/python -m tests",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m tests",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[worker]' &&"
        " .venv/bin/twistd -n sjgateway --demo",
    ),
    ("tests/__main__.py", '"ruff", "format", "--check"'): (
        ".venv/bin/python -m twisted.trial tests",
        ".venv/bin/ruff check .",
        ".venv/bin/ruff format --check .",
        "python -m tests.compiled",
        "python -m tests.image",
        "python -m tests.portable",
        "python -m tests.site --keep FOLDER",
        ".venv/bin/python -m tests.release --tag v0.1.0",
    ),
    ("tests/test_documents.py", "test_each_test_that_is_run_alone_is_there"): (
        ".venv/bin/python -m twisted.trial tests.relay",
        ".venv/bin/python -m twisted.trial tests.relay.test_log",
        ".venv/bin/python -m twisted.trial"
        " tests.options.test_table.LoadTests.test_the_command_line_wins_over_the_environment",
        ".venv/bin/python -m twisted.trial tests.interop.test_page tests.interop.test_desk",
    ),
    ("tests/test_readme.py", "run python -m gateway.options.reference"): (
        ".venv/bin/python -m gateway.options.reference",
    ),
    ("tests/market/schemas/test_reference.py", "events.d.ts"): (
        "python -m gateway.market.schemas.reference",
    ),
    ("tests/test_imports.py", "__main__"): ("python -m tests.test_imports",),
    ("tests/release/newcomer.py", '"README.md", "py3-none-any.whl"'): (
        "python3 -m venv .venv && .venv/bin/pip install"
        " './sjgateway-0.1.0-py3-none-any.whl[worker]' && .venv/bin/twistd -n sjgateway --demo",
        "cp -R .venv/share/sjgateway/main.py .venv/share/sjgateway/examples"
        " .venv/share/sjgateway/deploy .",
    ),
    ("tests/release/newcomer.py", "docs/start.md"): (
        ".venv/bin/twistd -n sjgateway --main path/to/main.py",
        ".venv/bin/twistd -n sjgateway --host 0.0.0.0 --token-file token",
        'curl -H "Authorization: Bearer $(cat token)" -X POST http://localhost:3001/restart-python',
    ),
    ("tests/release/newcomer.py", "docs/deployment.md"): (
        ".venv/bin/twistd -n sjgateway --trusted-proxies 127.0.0.1 --allowed-hosts"
        " gateway.example.com --allowed-origins https://gateway.example.com --token-file token",
        "curl -H 'Host: gateway.example.com' http://localhost/health",
        "sudo cp deploy/nginx.conf /etc/nginx/conf.d/sjgateway.conf",
        "sudoedit /etc/nginx/conf.d/sjgateway.conf",
        "sudo nginx -t && sudo systemctl reload nginx",
    ),
    ("tests/app/test_check.py", "docs/troubleshooting.md"): (
        ".venv/bin/twistd -n sjgateway --check",
        ".venv/bin/twistd -n sjgateway --port 3002 --check",
        "twistd -n sjgateway --check",
    ),
    ("tests/app/test_hand_over_process.py", "test_a_daemon_keeps"): (
        "kill -USR2 PID",
        "twistd sjgateway",
    ),
    ("tests/front_ends.py", "examples/react"): (
        "cd examples/react",
        "npm install",
        "npm run build",
    ),
    ("tests/compiled.py", "SJGATEWAY_COMPILE"): ("SJGATEWAY_COMPILE=1 pip install .",),
    ("tests/history/test_upkeep.py", "upkeep.md"): (
        "cp -p state/ledger.json state/recovery.key backup/",
        "python3 -c 'import sqlite3;"
        ' sqlite3.connect("state/bars-3001.db").backup(sqlite3.connect("backup/bars-3001.db"))\'',
        "cp -Rp recordings backup/",
        "cp -p backup/ledger.json backup/recovery.key backup/bars-3001.db state/",
        "cp -Rp backup/recordings .",
    ),
    ("tests/interop/test_recordings.py", "recordings.md"): (
        ".venv/bin/python -m gateway recordings recordings",
        ".venv/bin/python -m gateway export recordings/2026-11-30-day.jsonl.zst --bars 1m --csv"
        " --output bars.csv",
        'zstdcat 2026-11-30-day.jsonl.zst | jq -r \'select(.e[0] == "market_tick")'
        " | .e[1] | [.datetime, .code, .close, .volume] | @csv'",
        "zstdcat 2026-11-30-night.jsonl.zst 2>/dev/null | sed '$d' | zstd -o whole.jsonl.zst",
    ),
}
"""By the file that types them, or does the same, and a text that is in it."""

NOT_TYPED: Final = {
    "It measures: that takes minutes and a quiet machine.": (
        ".venv/bin/python -m benchmarks",
        ".venv/bin/python -m benchmarks fan100",
        ".venv/bin/python -m benchmarks.page --shots test-output ready-desk",
        "python -m benchmarks --peer deflate recovery come-back quotes engineio3",
        "python -m benchmarks.cluster",
        "python -m benchmarks.curves",
        "python -m benchmarks.hostile",
        "python -m benchmarks.page",
        "python -m benchmarks.remembering",
        "python -m benchmarks.replay",
        "python -m benchmarks.restarts",
        "python -m benchmarks.revisions BEFORE",
        "python -m benchmarks.supervision",
        "python -m benchmarks.taps",
        "python -m tests.cost",
        "python -m tests.fuzz http --seconds 600",
    ),
    "It logs in at the broker, with keys that a test does not have.": (
        ".venv/bin/pip install 'shioaji>=1.2'",
        "API_KEY=... SECRET_KEY=... .venv/bin/twistd -n sjgateway --worker-args"
        " '--codes TXFR1,2330'",
    ),
    "It changes the machine: packages, root's folders, units. `tests.deploy.test_systemd` runs what"
    " the units run, `tests.release` what pip does.": (
        "apt install python3-venv",
        "apt install tzdata",
        "apt-get install gcc python3-dev",
        "sudo apt update && sudo apt install -y python3-venv git",
        "sudo apt install -y systemd-timesyncd",
        "sudo cp /srv/sjgateway/deploy/sjgateway.service /srv/sjgateway/deploy/sjgateway.socket"
        " /etc/systemd/system/",
        "sudo git -C /srv/sjgateway pull",
        "sudo git clone . /srv/sjgateway",
        "sudo install -d -m 700 /etc/sjgateway",
        "sudo install -m 600 /dev/null /etc/sjgateway/environment",
        "sudo python3 -m venv /srv/sjgateway/.venv",
        "sudo /srv/sjgateway/.venv/bin/pip install '/srv/sjgateway[worker]'",
        "sudo /srv/sjgateway/.venv/bin/twistd --help > /dev/null",
        "sudo timedatectl set-ntp true",
        "timedatectl set-ntp true",
    ),
    "It needs a running systemd, and there is none where tests run.": (
        "journalctl -u sjgateway",
        "sudo systemctl daemon-reload",
        "sudo systemctl edit sjgateway",
        "sudo systemctl edit sjgateway.socket",
        "sudo systemctl enable --now sjgateway.socket sjgateway.service",
        "sudo systemctl kill --signal=HUP --kill-whom=main sjgateway",
        "sudo systemctl reload sjgateway",
        "sudo systemctl restart sjgateway",
        "systemctl stop sjgateway",
    ),
    "It needs Docker: `python -m tests.image` does the same without it.": (
        "docker build --build-arg COMPILE=1",
        "docker compose -f deploy/compose.yaml up --build",
        "docker stop --time 75",
    ),
    "It is for Windows.": (
        "New-NetFirewallHyperVRule -Name sjgateway -DisplayName sjgateway -Direction Inbound"
        " -VMCreatorId '{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}' -Protocol TCP -LocalPorts 3001",
        "New-NetFirewallRule -DisplayName sjgateway -Direction Inbound -Protocol TCP -LocalPort"
        " 3001 -Action Allow",
        "netsh interface portproxy add v4tov4 listenport=3001 listenaddress=0.0.0.0"
        " connectport=3001 connectaddress=(wsl hostname -I).Trim()",
        "wsl --install -d Ubuntu",
        "wsl --shutdown",
        "wsl -d Ubuntu --exec sleep infinity",
    ),
    "It installs what the environment of the tests has by another way.": (
        "SJGATEWAY_COMPILE=1 pip wheel --no-deps .",
        "pip install '.[cluster]'",
        "pip install -e .",
        "pip install -v .",
    ),
    "It asks a person: an editor, or a page that is looked at.": (
        "npm run dev",
        "sudoedit /etc/sjgateway/environment",
    ),
    "It is no command of its own: a name in a sentence.": (
        "cd ~",
        "chown 10001",
        "git log",
        "kill -9",
        "python -m gateway",
        "python -u main.py",
        "python3 -m venv",
        "systemctl reload",
        "systemctl restart",
        "systemctl stop",
    ),
}
"""By the reason."""
