"""A worker that tells everybody its keys, each time in another way, and crashes."""

import os
import sys

KEYS = ("API_KEY", "SECRET_KEY", "CA_CERT_PATH", "CA_PASSWORD")

values = [os.environ[name] for name in KEYS if name in os.environ]
print("environment:", dict(os.environ))
for value in values:
    print(f"logging in with {value}")
    print(f"api_key={value[:10]}...", file=sys.stderr)
    print(repr(value), value.encode(), sep="\n", file=sys.stderr)
    sys.stdout.write(value[:5])
    sys.stdout.flush()
    sys.stdout.write(value[5:] + "\n")
sys.stdout.flush()
raise SystemExit(f"login failed: {values}") if len(values) < len(KEYS) else RuntimeError(values)
