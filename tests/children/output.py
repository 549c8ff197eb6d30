"""A worker that prints what its arguments say, and waits."""

import os
import sys
import time

from journal import note


def endless(megabytes):
    block = b"x" * (1 << 20)
    for _ in range(int(megabytes)):
        os.write(1, block)


def garbage():
    os.write(1, b"\xff\xfe broken\x00 \x1b[31mred\x1b[0m\r[Config] forged\n")
    os.write(1, "臺指期".encode()[:4])
    time.sleep(0.05)
    os.write(1, "臺指期".encode()[4:] + b" \xe8\n")


def many(lines):
    for number in range(int(lines)):
        print(f"line {number}", file=sys.stderr)


def shut():
    os.close(1)
    os.close(2)


def key():
    print(f"key {os.environ['API_KEY']} {os.environ['API_KEY'][:10]} {os.environ['SECRET_KEY']!r}")
    print(f"password {os.environ['CA_PASSWORD']}", file=sys.stderr)


def say(words):
    print(words, file=sys.stderr)


note("start")
for argument in sys.argv[1:]:
    name, _, value = argument.partition("=")
    globals()[name](*[value] if value else [])
    note(name)
time.sleep(600)
