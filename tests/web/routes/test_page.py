"""The page's files: how they are served, and that they fit together."""

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path, PurePosixPath
from posixpath import normpath

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.site import make_site
from gateway.web.routes.page import POLICY, page_routes
from gateway.web.routes.router import mounts
from gateway.web.security.guard import Access, Guard
from gateway.web.security.guard_settings import GuardSettings
from tests.web.site import Memory

STATIC = Path(str(files("gateway.web") / "static"))
IMPORTED = re.compile(r'(?:from|import) "(\.[\w./-]+)"')
TEXTS = re.compile(r'^  (?:"([\w.-]+)"|(\w+)): "(.*)",$', re.MULTILINE)
SAID = re.compile(r'\bt\(\s*"([\w.-]+)"')
IDS = re.compile(r'\bbyId\(\s*"([\w-]+)"')


def source(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


NAMES = sorted(str(file.relative_to(STATIC)) for file in STATIC.rglob("*") if file.is_file())
SCRIPTS = [name for name in NAMES if name.endswith(".js")]
SHEETS = [name for name in NAMES if name.endswith(".css")]
TABLES = ("common", "market", "ops", "alarms")
"""The files of texts, by language."""


def imported(name: str) -> set[str]:
    """The files that the script `name` imports."""
    folder = PurePosixPath(name).parent
    return {normpath(folder / each) for each in IMPORTED.findall(source(name))}


class ServingTests(SynchronousTestCase):
    def setUp(self) -> None:
        clock = Clock()
        settings = GuardSettings(control_token="a-control-token", view_token="a-view-token")
        site = make_site(clock, Guard(settings), mounts(page_routes()))
        self.memory = Memory(site, clock)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict, bytes]:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *lines))
        answer = self.memory.send(f"{head}\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *rest = head.decode().split("\r\n")
        return int(status.split()[1]), dict(line.split(": ", 1) for line in rest), body

    def test_the_page_needs_no_token(self) -> None:
        status, headers, body = self.ask("/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertEqual(body, source("index.html").encode())
        self.assertEqual({route.access for route in page_routes()}, {Access.OPEN})

    def test_every_file_says_what_it_is_and_what_is_allowed(self) -> None:
        kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
        for name in [name for name in NAMES if name != "index.html"]:
            status, headers, body = self.ask(f"/static/{name}")
            self.assertEqual(status, 200, name)
            kind = headers["Content-Type"].partition(";")[0]
            self.assertEqual(kind, kinds[name.rpartition(".")[2]])
            self.assertEqual(body, (STATIC / name).read_bytes())
            self.assertEqual(headers["Content-Security-Policy"], POLICY.decode())
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")

    def test_the_policy_lets_nothing_in_but_our_own_files(self) -> None:
        rules = dict(rule.strip().split(" ", 1) for rule in POLICY.decode().split(";"))
        self.assertEqual(rules.pop("default-src"), "'none'")
        self.assertEqual(rules.pop("frame-ancestors"), "'none'")
        self.assertEqual(rules.pop("require-trusted-types-for"), "'script'")
        self.assertLessEqual(set(rules.values()), {"'self'", "'none'"})

    def test_head_is_answered_without_a_body(self) -> None:
        status, headers, body = self.ask("/", "HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertEqual(headers["Content-Length"], str(len(source("index.html").encode())))

    def test_who_has_a_file_gets_it_no_more(self) -> None:
        _, headers, _ = self.ask("/static/main.js")
        tag = headers["ETag"]
        for said in (tag, f"W/{tag}", f'"other", {tag}'):
            status, headers, body = self.ask("/static/main.js", If_None_Match=said)
            self.assertEqual((status, body), (304, b""), said)
            self.assertEqual(headers["ETag"], tag)
        self.assertEqual(self.ask("/static/main.js", If_None_Match='"other"')[0], 200)

    def test_all_else_is_json(self) -> None:
        wrong = (("/static/none.js", "GET", 404), ("/static/", "GET", 404), ("/", "POST", 405))
        for path, method, expected in wrong:
            status, headers, body = self.ask(path, method)
            self.assertEqual(status, expected)
            self.assertIn("error", json.loads(body))
        self.assertEqual(headers["Allow"], "GET, HEAD")
        for path in ("/static/../page.py", "/static/%2e%2e/page.py", "/static/index.html"):
            self.assertEqual(self.ask(path)[0], 404)


class Document(HTMLParser):
    """What index.html refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.texts: set[str] = set()
        self.files: set[str] = set()
        self.inline: list[str] = []
        self.references: set[str] = set()
        self._script = False
        self.feed(source("index.html"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._script = tag in ("script", "style")
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name.startswith("data-t"):
                self.texts.add(value)
            elif name in ("src", "href"):
                self.files.add(value)
            elif name in ("for", "aria-labelledby", "aria-describedby"):
                self.references.update(value.split())

    def handle_endtag(self, tag):
        self._script = False

    def handle_data(self, data):
        if self._script and data.strip():
            self.inline.append(data)


class FilesTests(SynchronousTestCase):
    """What a compiler would find."""

    def setUp(self) -> None:
        self.document = Document()
        self.served = {route.path.lstrip("/") for route in page_routes()}

    def texts(self, language: str) -> dict[str, str]:
        sources = "".join(source(f"text/{language}/{table}.js") for table in TABLES)
        return {first or second: text for first, second, text in TEXTS.findall(sources)}

    def test_nothing_is_inline_and_nothing_is_elsewhere(self) -> None:
        self.assertEqual(self.document.inline, [])
        self.assertEqual(
            [file for file in self.document.files if not file.startswith(("static/", "#"))], []
        )
        for name in (*SCRIPTS, *SHEETS):
            self.assertNotRegex(source(name), r"https?://|innerHTML|\beval\(|@import|url\(")

    def test_every_file_that_is_named_is_served_and_every_one_served_is_named(self) -> None:
        named = {file for file in self.document.files if not file.startswith("#")}
        named |= {f"static/{file}" for name in SCRIPTS for file in imported(name)}
        self.assertEqual(named | {""}, self.served)

    def test_every_element_that_is_named_is_there_once(self) -> None:
        ids = self.document.ids
        self.assertEqual(len(ids), len(set(ids)))
        named = {each for name in SCRIPTS for each in IDS.findall(source(name))}
        named |= {file[1:] for file in self.document.files if re.match("#[^/]", file)}
        self.assertEqual((named | self.document.references) - set(ids), set())

    def test_both_languages_say_the_same_things(self) -> None:
        english, chinese = self.texts("en"), self.texts("zh-TW")
        self.assertEqual(list(english), list(chinese))
        self.assertGreater(len(english), 100)
        for name, text in english.items():
            blanks = [sorted(re.findall(r"{\w+}", each)) for each in (text, chinese[name])]
            self.assertEqual(*blanks, name)
        for language in ("en", "zh-TW"):
            sources = "".join(source(f"text/{language}/{table}.js") for table in TABLES)
            lines = [line for line in sources.splitlines() if line.startswith("  ")]
            self.assertEqual(len(lines), len(self.texts(language)))

    def test_every_text_that_is_said_is_there_and_every_one_there_is_said(self) -> None:
        there = set(self.texts("en"))
        said = self.document.texts | {
            each for name in SCRIPTS for each in SAID.findall(source(name))
        }
        self.assertEqual(said - there, set())
        scripts = "".join(source(name) for name in SCRIPTS if not name.startswith("text/"))
        made = set(re.findall(r"`([a-z]+)\.\$\{", scripts)) | {
            "confirm"
        }  # confirm(`confirm.${...}`)
        unsaid = {name for name in there - said if name.partition(".")[0] not in made}
        self.assertEqual(unsaid, set())
