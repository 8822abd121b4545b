"""Addresses never show what lets somebody in."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from amiss.live.address import HIDDEN, Address, shown

PLAIN = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789", min_size=6, max_size=12)
WILD = st.text("abcdefgh0123456789/?#@:%&=+!$*'()[]\"\\. äß€", min_size=6, max_size=14)


@given(user=PLAIN, password=PLAIN, query=PLAIN)
def test_no_text_of_an_address_holds_its_password(user: str, password: str, query: str) -> None:
    address = Address.parse(f"rtsp://{user}:{password}@127.0.0.1:554/stream?token={query}")
    plain = "127.0.0.1:554/stream?token=rtspAddress***"
    assume(not any(part in plain for part in (user, password, query)))
    assert address.password == password
    for text in (str(address), repr(address), shown(f"cannot open {address.full}: {password} {query}", address)):
        assert password not in text
        assert query not in text
    assert str(address) == f"rtsp://{HIDDEN}@127.0.0.1:554/{HIDDEN}?{HIDDEN}"


@given(password=WILD)
def test_nor_one_that_should_have_been_quoted(password: str) -> None:
    password = f"{password}geheim"
    address = Address.parse(f"rtsp://admin:{password}@127.0.0.1/live")
    assert "geheim" not in str(address)
    assert "geheim" not in repr(address)
    assert "geheim" not in shown(f"no answer from {address.full}", address)


@pytest.mark.parametrize(
    "password", ["12/34", "12?34", "12#34", "pa/ss", "p@ss/word", "8080/x:y", "1/2@3", "#", "[x]", "p:w"]
)
def test_a_password_that_ends_the_host_is_known_and_hidden_as_a_whole(password: str) -> None:
    address = Address.parse(f"rtsp://admin:{password}@gate/live")
    assert str(address).startswith("rtsp://***")
    assert str(address) in ("rtsp://***@gate/***", "rtsp://***")
    assert address.password
    assert "34" not in str(address)
    if len(password) > 2:
        assert password not in shown(f"{password} of {address.full} was refused", address)


def test_what_is_quoted_is_hidden_as_it_stands_and_as_it_is() -> None:
    address = Address.parse("mqtt://me:p4ss%2Fw0rd@broker")
    assert shown("p4ss%2Fw0rd, which is p4ss/w0rd", address) == f"{HIDDEN}, which is {HIDDEN}"


@pytest.mark.parametrize("query", ["user=me&pwd=geheim", "Token=geheim", "api_key=geheim", "channel=1&PASSWORD=geheim"])
def test_a_query_may_let_somebody_in(query: str) -> None:
    address = Address.parse(f"http://camera/picture?{query}")
    assert "geheim" in address.keys
    assert "geheim" not in shown("geheim was refused", address)
    assert Address.parse("rtsp://camera/live?channel=1&subtype=0").keys == ()


@pytest.mark.parametrize("text", ["https://house/api/webhook/4f1c2a90b7d3", "rtsps://recorder:7441/4f1c2a90b7d3"])
def test_a_path_may_let_somebody_in(text: str) -> None:
    address = Address.parse(text)
    assert str(address) == text.rpartition("api" if "api" in text else "4f1c")[0] + HIDDEN
    for said in (f"no answer from {text}", f"no answer from {address.parts.path}"):
        assert "4f1c2a90b7d3" not in shown(said, address)


def test_what_holds_no_secret_is_shown_as_it_is() -> None:
    for text in ("rtsp://gate:554/", "mqtt://gate", "clips/monday.mp4", "/data/a b.mp4", "https://host", ""):
        assert str(Address.parse(text)) == text
        assert Address.parse(text).password is None
        assert Address.parse(text).secrets == ()
    assert shown("a text", Address.parse("")) == "a text"
    assert Address.parse("clips/monday.mp4").scheme == ""
    assert Address.parse("RTSP://gate").scheme == "rtsp"
    assert Address.parse("file:clip.mp4").scheme == "file"


def test_what_cannot_be_parsed_is_hidden_as_a_whole() -> None:
    for text in ("http://[::1", "http://gate:port/x"):
        assert str(Address.parse(text)) == HIDDEN
