"""The pictures of `python -m benchmarks.curves`."""

from pathlib import Path
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.curves import LANGUAGES, Point, pictures
from benchmarks.drawing import HEIGHT, LEFT, TOP, WIDTH, Curve, Panel, decades, draw

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(*curves: Curve) -> ElementTree.Element:
    return ElementTree.fromstring(draw([Panel("up & down", "x", curves)]))


class DrawingTests(SynchronousTestCase):
    def test_a_point_is_where_its_powers_of_ten_are(self) -> None:
        (line,) = drawn(Curve("a", [(10, 100), (100, 10), (1000, 1)])).iter(f"{SVG}polyline")
        points = [tuple(map(float, each.split(","))) for each in line.get("points", "").split()]
        (x1, y1), (x2, y2), (x3, y3) = points
        self.assertEqual((x1, y1), (LEFT, TOP))
        self.assertAlmostEqual(x2 - x1, x3 - x2, delta=0.2)
        self.assertAlmostEqual(y2 - y1, y3 - y2, delta=0.2)
        self.assertLess(x3, WIDTH)
        self.assertLess(y3, HEIGHT)

    def test_each_curve_has_a_colour_a_name_and_its_points(self) -> None:
        picture = drawn(Curve("few", [(1, 1), (2, 2)]), Curve("many", [(1, 3), (2, 4)]))
        lines = list(picture.iter(f"{SVG}polyline"))
        self.assertEqual(len({line.get("stroke") for line in lines}), 2)
        texts = [each.text for each in picture.iter(f"{SVG}text")]
        self.assertLessEqual({"few", "many", "up & down"}, set(texts))
        self.assertEqual(len(list(picture.iter(f"{SVG}circle"))), 2 + 4)

    def test_an_axis_is_one_power_of_ten_at_least(self) -> None:
        self.assertEqual(decades([5]), (0, 1))
        self.assertEqual(decades([100, 100]), (2, 3))
        self.assertEqual(decades([0.4, 250]), (-1, 3))


class PictureTests(SynchronousTestCase):
    def test_each_language_has_a_picture_that_its_page_shows(self) -> None:
        made = pictures({100: [Point(10, 20, 3), Point(50, 15, 4)], 1000: [Point(10, 9, 30)]})
        self.assertEqual(list(made), [words.file for words in LANGUAGES])
        pages = (ROOT / "docs" / f"performance{each}.md" for each in ("", ".zh-TW"))
        for page, words in zip(pages, LANGUAGES, strict=True):
            self.assertIn(f"({words.file})", page.read_text("utf-8"))
            for text in (made[words.file], (ROOT / "docs" / words.file).read_text("utf-8")):
                found = {each.text for each in ElementTree.fromstring(text).iter(f"{SVG}text")}
                self.assertLessEqual(
                    {words.cpu, words.latency, words.across, words.subscribers.format(1000)}, found
                )
