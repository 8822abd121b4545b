"""The page: whole, alone, escaped, and right about where things are."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from report_making import SQUARE, SUMMARY, Moving, clip, empty_scores, event, example

from amiss.errors import FootageError, StorageError
from amiss.report import ClipReport, write_page
from amiss.report.draw import RED

HOSTILE = "</script><script>alert(1)</script><img src=http://x.example/y>"


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.words, self.scripts, self._inside = [], [], [], ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))
        self.figures = json.loads(self.scripts[0])

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, _tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.words.append(data)

    def find(self, tag, **wanted):
        return [a for t, a in self.tags if t == tag and all(a.get(k) == v for k, v in wanted.items())]

    def pictures(self):
        """All JPEGs of the page as RGB arrays, in order."""
        addresses = [attrs["src"] for attrs in self.find("img")]
        data = [base64.b64decode(address.removeprefix("data:image/jpeg;base64,")) for address in addresses]
        return [cv2.imdecode(np.frombuffer(d, np.uint8), cv2.IMREAD_COLOR_RGB) for d in data]


@pytest.fixture
def written(tmp_path):
    def write(clips, summary=SUMMARY, examples=None, **options):
        path = tmp_path / "out" / "report.html"
        write_page(path, clips, summary, {"a.jpg": example()} if examples is None else examples, **options)
        return Page(path)

    return write


def test_nothing_is_loaded_from_outside(written):
    page = written([clip()])
    for tag, attrs in page.tags:
        for name in {"src", "href", "action", "srcset", "poster"} & set(attrs):
            assert attrs[name].startswith(("#", "data:image/jpeg;base64,")) or attrs[name] == "annotated.mp4", (
                tag,
                attrs,
            )
    assert not page.find("link")
    style = page.source[page.source.index("<style>") : page.source.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    policy = page.find("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_hostile_text_is_shown_and_never_run(written):
    odd = event(Moving(), 5, 11, id=HOSTILE, camera=HOSTILE, reasons=(HOSTILE,), parts={HOSTILE: 1.0})
    summary = replace(SUMMARY, title=HOSTILE, method=HOSTILE, when=HOSTILE, notes=[HOSTILE], facts=[(HOSTILE, HOSTILE)])
    page = written([replace(clip(), name=HOSTILE, events=[odd])], summary)
    assert len(page.find("script")) == 3
    assert not page.find("img", src="http://x.example/y")
    assert page.text.count(HOSTILE) >= 9


def test_every_event_is_there_most_severe_first(written):
    footage = Moving()
    found = [event(footage, 2, 4, severity=3.1), event(footage, 8, 10, severity=5.0)]
    other = clip("yard", events=((12, 15),))
    page = written([replace(clip("gate", footage=footage), events=found), other])
    ranks = {found_event["id"] for found_event in page.find("article")}
    assert ranks == {"event-1", "event-2", "event-3"}
    assert "3 events" in page.text
    order = [page.text.index(name) for name in ("gate · 0:00.8", "yard · 0:01.2", "gate · 0:00.2")]
    assert order == sorted(order)
    assert "1 in 100,000 of normal footage scores as high · e8" in page.text
    assert page.text.count("Faster than 99 % of 800 tracks here.") == 6  # in the ranking and at the event


def test_pictures_show_the_object_with_its_box(written):
    page = written([clip(high=range(4, 13), events=((4, 12),))])
    *crops, whole, normal = page.pictures()
    assert len(crops) == 5
    assert " 0:00.4 0:00.6 0:00.8 0:01.0 0:01.2 whole picture, 0:00.8 " in page.text
    for picture in crops:
        middle = picture[picture.shape[0] // 2, picture.shape[1] // 2].astype(int)
        assert np.abs(middle - SQUARE).max() < 25
        assert red_share(picture) > 0.005
    assert whole.shape == (373, 560, 3)
    left, top = np.array([10 + 2 * 8, 20]) * 560 / 96
    assert red_share(whole[round(top) - 3 : round(top) + 4, round(left) : round(left) + 60]) > 0.2
    assert normal.shape == (20, 10, 3)


def red_share(picture):
    return (np.abs(picture.astype(int) - RED).max(axis=2) < 60).mean()


def test_footage_is_read_once_and_no_further_than_needed(written):
    busy, quiet = Moving(), Moving()
    ticks = []
    found = [event(busy, 2, 6), event(busy, 5, 11)]
    written([replace(clip(footage=busy), events=found), clip(footage=quiet, events=())], progress=ticks.append)
    assert (busy.passes, busy.read) == (1, 12)
    assert quiet.passes == 0
    assert sum(ticks) == 12


def test_only_the_most_severe_events_have_pictures(written):
    footage = Moving()
    found = [event(footage, 2, 4, severity=3.1, examples=()), event(footage, 8, 11, severity=5.0, examples=())]
    page = written([replace(clip(footage=footage), events=found)], pictured=1)
    assert len(page.find("article")) == 2
    assert len(page.find("img")) == 5  # four frames from 8 to 11, and the whole picture
    assert "the 1 most severe" in page.text


def test_an_offset_moves_the_curve_and_the_button(written):
    page = written([clip(), clip("yard", video_offset=2.5)])
    assert [page.figures[n]["offset"] for n in ("0", "1")] == [0.0, 2.5]
    assert [float(button["data-seek"]) for button in page.find("button")] == [0.5, 3.0]


def test_without_a_video_there_is_no_player(written):
    assert written([clip()]).find("video", src="annotated.mp4")
    page = written([clip()], video=None)
    assert not page.find("video")
    assert not page.find("button")


def test_no_event(written):
    page = written([clip(events=(), high=())])
    assert "No events in 1 clip, 0:01.9 of footage." in page.text
    assert "never rose" in page.text
    assert not page.find("article")
    assert page.figures["0"]["data"][0]["y"][0] == 0.5


def test_nothing_at_all(written):
    page = written([])
    assert "No events in 0 clips" in page.text
    assert not page.find("video")


def test_a_clip_without_scores(written):
    frames, table = empty_scores()
    page = written([ClipReport("dark", frames, table, (), Moving())])
    assert "This clip has no scores." in page.text
    assert page.figures == {}


def test_an_event_without_regions_or_words(written):
    bare = event(Moving(), 5, 11, tube=event(Moving(), 5, 6).tube[:0], parts={}, reasons=(), examples=())
    page = written([replace(clip(), events=[bare], regions=empty_scores()[1])], examples={})
    assert "No reason was recorded." in page.text
    assert "Parts of the score" not in page.text
    assert "Nearest in normal footage" not in page.text
    assert len(page.find("img")) == 5  # whole pictures without a box, the one at the peak below the others
    assert all(red_share(picture) == 0 for picture in page.pictures())


def test_an_event_beyond_the_footage_has_no_pictures(written):
    short = Moving(count=3)
    page = written([replace(clip(), footage=short)], examples={})
    assert page.find("article")
    assert not page.find("img")


def test_what_a_network_made_is_shown_with_its_name(written):
    grey, green = np.full((16, 16, 3), 128, np.uint8), np.full((16, 16, 3), SQUARE, np.uint8)
    made = {"e5": {"target": grey, "error <b>": green}, "other": {"memory": grey}}
    page = written([replace(clip(), made=made)], examples={})
    figures = page.pictures()[-2:]
    assert [picture.shape for picture in figures] == [(176, 176, 3)] * 2
    assert np.abs(figures[1].astype(int) - SQUARE).max() < 12
    assert [image["alt"] for image in page.find("img")][-2:] == [
        f"{name} for the worst box of the event" for name in ("target", "error <b>")
    ]
    assert "What the network made of it target error <b>" in page.text
    assert all(image["alt"].strip() for image in page.find("img"))
    assert "What the network made" not in written([clip()]).text
    assert "What the network made" not in written([replace(clip(), made=made)], pictured=0).text


def test_bars_of_parts_are_relative_to_the_largest(written):
    odd = event(Moving(), 5, 11, parts={"place": -1.0, "motion": 4.0, "size": 1.0})
    page = written([replace(clip(), events=[odd])])
    assert [bar["style"] for bar in page.find("i") if "style" in bar] == ["width:100.0%", "width:25.0%", "width:0.0%"]


def test_facts_and_notes_are_shown(written):
    summary = replace(SUMMARY, facts=[("Budget", "2 a day")], notes=["Boxes come from motion."])
    page = written([clip()], summary)
    for words in ("Budget", "2 a day", "Boxes come from motion.", "1 in 1,000", "1 in 100", "attributes", "1 May 2026"):
        assert words in page.text


def test_words_are_neutral(written):
    words = written([clip()]).text.lower()
    assert not [word for word in ("suspicious", "intent", "threat", "criminal", "dangerous") if word in words]


def test_a_failure_leaves_no_page_and_keeps_the_old_one(tmp_path):
    path = tmp_path / "report.html"
    broken = clip(footage=Moving(fails_at=7))
    with pytest.raises(FootageError, match="picture 5"):
        write_page(path, [broken], SUMMARY, {})
    assert list(tmp_path.iterdir()) == []
    path.write_text("old")
    with pytest.raises(FootageError):
        write_page(path, [broken], SUMMARY, {})
    assert path.read_text() == "old"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*report\.html"):
        write_page(tmp_path / "file" / "report.html", [], SUMMARY, {})


def test_events_of_a_clip_that_has_neither_frames_nor_regions(written):
    frames, table = empty_scores()
    bare = event(Moving(), 5, 11, tube=event(Moving(), 5, 6).tube[:0])
    page = written([ClipReport("dark", frames, table, [bare], Moving())], examples={})
    assert page.find("article", id="event-1")
    assert not page.find("img")
