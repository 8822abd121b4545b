"""Events of a thousand cameras into the store and out as alerts: is one lost, and how long does each take?

    python benchmarks/alert_load.py --store postgresql --shards 2 --json load.json
    python benchmarks/alert_load.py --store sqlite --channel webhook --seconds 60

Processes as there are with `amiss watch --shard`: each keeps the events of its cameras under their leases, and the
first sends what all have kept to one receiver: a broker (mosquitto) or an HTTP server. Each event is told of twice,
when it begins and when it ends two seconds later; there are no pictures. Nothing is simulated but the cameras: the
database server keeps what it has said that it kept (fsync).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from amiss.live.keeper import Keeper
from amiss.live.notify import Deliverer, make_channel
from amiss.live.nouns import Change, EventRow
from amiss.live.settings import AlertSettings
from amiss.live.store import Lease, LeaseKind, Store
from watching import Database, Receiver, free_port

LENGTH = 2.0
"""Seconds of an event."""
PATIENCE = 120.0
"""Seconds after the last event in which all must have come."""
POLL = 0.5
BOXES = 30
RENEW, LEASE = 2.0, 8.0


def event(number: str, camera: str, start: float) -> EventRow:
    """An event of the size that events have."""
    rng = np.random.default_rng(len(number))
    tube = {
        "at": (start + np.linspace(0, LENGTH, BOXES)).tolist(),
        "xyxy": rng.uniform(0, 640, (BOXES, 4)).tolist(),
        "track": [7] * BOXES,
        "score": rng.uniform(2, 4, BOXES).tolist(),
    }
    return EventRow(
        number, camera, start, start, start, open=True, alarm=True, severity=3.4, level=2.9, model="abc",
        parts={"velocity": 5.1, "appearance": 0.7}, reasons=("faster than 99.9 % of 41,000 tracks here",),
        examples=("0001.jpg",), tube=tube, size=(640, 360), zones=("drive",),
        likeness={"part": "velocity", "place": [0.5, 0.5], "vector": rng.normal(size=64).tolist()},
    )  # fmt: skip


def send(given: dict[str, Any]) -> dict[str, Any]:
    """One shard: keep events of its cameras at its rate, and send messages where it is the first."""
    store = Store.open(given["store"], Path(given["media"]))
    shard = f"shard{given['number']}"
    cameras = [f"camera{number:04d}" for number in range(given["number"], given["cameras"], given["shards"])]
    leases = _leases(store, shard, cameras) if given["shards"] > 1 else {}
    channel = make_channel(AlertSettings.build(given["alert"]), cameras[:1])
    deliverer = Deliverer(store, [channel], POLL) if given["number"] == 0 else None
    keeper, failed = Keeper(), 0
    keeper.start()
    if deliverer:
        deliverer.start()
    kept = _keep(store, keeper, cameras, leases, given, deliverer)
    if not keeper.close(PATIENCE):
        failed = keeper.waiting
    until = time.monotonic() + PATIENCE
    while deliverer and time.monotonic() < until and (store.waiting() or not Path(given["done"]).exists()):
        time.sleep(POLL)
    if deliverer:
        deliverer.close()
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"kept": kept, "unkept": failed, "peak_mb": round(peak, 1), "cpu_s": round(time.process_time(), 1)}


def _leases(store: Store, shard: str, cameras: list[str]) -> dict[str, Lease]:
    """All cameras of a shard, renewed for as long as the process lives."""
    store.enter_shard(shard, shard, LEASE)
    wanted = {LeaseKind.CAMERA: cameras}
    store.renew_leases(shard, shard, wanted, LEASE)  # the others are counted from the second on
    found: dict[str, Lease] = {}
    while len(found) < len(cameras):
        found |= {lease.name: lease for lease in store.renew_leases(shard, shard, _more(wanted), LEASE).leases}

    def go_on() -> None:
        while True:
            time.sleep(RENEW)
            store.renew_leases(shard, shard, wanted, LEASE)

    threading.Thread(target=go_on, daemon=True).start()
    return found


def _more(wanted: dict[LeaseKind, list[str]]) -> dict[LeaseKind, list[str]]:
    """The same with as many names again that nobody holds, so that the share of one shard is all of its own."""
    return {kind: names + [f"{name}-" for name in names] for kind, names in wanted.items()}


def _keep(
    store: Store,
    keeper: Keeper,
    cameras: list[str],
    leases: dict[str, Lease],
    given: dict[str, Any],
    deliverer: Deliverer | None,
) -> int:
    """Have events kept in time, as a watcher does; returns how many."""
    rate, seconds = given["rate"] / given["shards"], given["seconds"]
    begun, count, total = time.time(), 0, int(rate * seconds)
    ending: list[EventRow] = []

    def put(row: EventRow, change: Change) -> None:
        store.put_event(row, change, ["out"], leases.get(row.camera))
        if deliverer:
            deliverer.wake()

    while count < total or ending:
        now = time.time()
        while count < total and begun + count / rate <= now:
            camera = cameras[count % len(cameras)]
            row = event(f"{given['number']}-{count}", camera, begun + count / rate)
            keeper.add("event", lambda row=row: put(row, Change.NEW))  # type: ignore[misc]
            ending.append(row)
            count += 1
        while ending and ending[0].start + LENGTH <= now:
            row = ending.pop(0)
            over = EventRow(**{**vars(row), "end": row.start + LENGTH, "open": False})
            keeper.add("event", lambda row=over: put(row, Change.END))  # type: ignore[misc]
        time.sleep(0.002)
    return count


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Start all, wait, and count what came."""
    with ExitStack() as stack:
        store = str(folder / "store.sqlite")
        if given.store == "postgresql":
            store = stack.enter_context(postgres(folder))
        got, alert = stack.enter_context(heard(given.channel, folder))
        done, before = folder / "done", sum(os.times()[2:4])
        plain = {"store": store, "media": str(folder / "media"), "alert": alert, "done": str(done)}
        plain |= {name: getattr(given, name) for name in ("cameras", "shards", "rate", "seconds")}
        Store.open(store, folder / "media").close()
        words = [[sys.executable, __file__, "--sender", json.dumps(plain | {"number": n})] for n in range(given.shards)]
        senders = [subprocess.Popen(one, stdout=subprocess.PIPE) for one in words]  # noqa: S603  # our own command
        texts = [sender.communicate()[0] for sender in senders[1:]]
        done.touch()
        told = [json.loads(text) for text in [senders[0].communicate()[0], *texts]]
        time.sleep(1.0)  # what the receiver was sent last
        after = sum(os.times()[2:4])
    return {
        "store": given.store,
        "channel": given.channel,
        **{name: getattr(given, name) for name in ("cameras", "shards", "rate", "seconds")},
        **compared(told, got),
        "senders": told,
        "cpu_s_of_senders": round(after - before, 1),
        "cores": os.cpu_count(),
    }


def compared(told: list[dict[str, Any]], got: list[tuple[float, dict[str, Any]]]) -> dict[str, Any]:
    """What was lost, what came twice, and how long it took."""
    changes = ("new", "end")
    kept = [f"{n}-{k}:{what}:0" for n, one in enumerate(told) for k in range(one["kept"]) for what in changes]
    came = Counter(body["id"] for _, body in got)
    delays = {what: [at - body["event"][name] for at, body in got if body["change"] == what] for what, name in NAMES}
    order: dict[str, str] = {}
    wrong = 0
    for _, body in got:
        wrong += body["change"] == "new" and order.get(body["event"]["id"]) == "end"
        order[body["event"]["id"]] = body["change"]
    return {
        "events": len(kept) // 2,
        "messages": len(kept),
        "lost": len(set(kept) - came.keys()),
        "duplicated": sum(count - 1 for count in came.values()),
        "out_of_order": wrong,
        "seconds_to_receipt": {what: quantiles(values) for what, values in delays.items()},
    }


NAMES = (("new", "start"), ("end", "end"))


def quantiles(values: list[float]) -> dict[str, float]:
    """Of some seconds."""
    if not values:
        return {}
    named = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    return {name: round(float(np.quantile(values, at)), 3) for name, at in named}


@contextmanager
def heard(kind: str, folder: Path) -> Iterator[tuple[list[tuple[float, dict[str, Any]]], dict[str, Any]]]:
    """A receiver: what came with its times, and the alert that leads there."""
    got: list[tuple[float, dict[str, Any]]] = []
    if kind == "webhook":

        class Timed(list[dict[str, Any]]):
            def append(self, message: dict[str, Any]) -> None:
                got.append((time.time(), message))

        receiver = Receiver(messages=Timed())
        with receiver.running():
            yield got, {"name": "out", "kind": "webhook", "address": f"http://127.0.0.1:{receiver.port}/"}
        return
    with broker(folder) as port, subscriber(port, got):
        yield got, {"name": "out", "kind": "mqtt", "address": f"mqtt://127.0.0.1:{port}", "discovery": ""}


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A broker of its own, at some port."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    time.sleep(1.0)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def subscriber(port: int, got: list[tuple[float, dict[str, Any]]]) -> Iterator[None]:
    """Somebody who hears all events."""
    import paho.mqtt.client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: client.subscribe("amiss/+/events", 1)
    client.on_message = lambda _client, _data, message: got.append((time.time(), json.loads(message.payload)))
    client.connect("127.0.0.1", port)
    client.loop_start()
    time.sleep(0.5)
    try:
        yield
    finally:
        client.loop_stop()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A database server of its own, and the address of an empty database."""
    database = Database(folder)
    try:
        yield database.address
    finally:
        database.stop()


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--channel", choices=("mqtt", "webhook"), default="mqtt")
    parser.add_argument("--cameras", type=int, default=1000)
    parser.add_argument("--shards", type=int, default=1, help="Processes that keep events; SQLite takes one.")
    parser.add_argument("--rate", type=float, default=50.0, help="Events a second, of all cameras together.")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sender", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sender:
        sys.stdout.write(json.dumps(send(given.sender)))
        return
    folder = Path(tempfile.mkdtemp(prefix="amiss-load-"))
    try:
        result = measure(given, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.json:
        given.json.write_text(json.dumps(result, indent=1))
    Console(highlight=False).print_json(data=result)


if __name__ == "__main__":
    main()
