"""An RTSP server for tests, on loopback; run by the system's own Python, which has GStreamer's bindings.

Every picture shows its number in twelve blocks, see `support_rtsp.number_of`; numbers go on while the server lives.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

BITS = 12


def picture(number: int, width: int, height: int) -> bytes:
    """I420: columns that are bright where a bit of the number is set, the lowest bit on the left."""
    block = width // BITS
    levels = [220 if number >> bit & 1 else 40 for bit in range(BITS)]
    row = b"".join(bytes([level]) * block for level in levels).ljust(width, b"\x80")
    return row * height + b"\x80" * (width * height // 2)


class Source:
    """Pushes pictures at an even pace into one pipeline."""

    def __init__(self, element: Any, options: argparse.Namespace) -> None:
        self.element, self.options = element, options
        self.number = 0
        self.set_size()

    def size(self) -> list[int]:
        sizes = self.options.sizes
        return sizes[self.number // self.options.each % len(sizes)]

    def set_size(self) -> None:
        width, height = self.size()
        caps = f"video/x-raw,format=I420,width={width},height={height},framerate={self.options.rate}/1"
        self.element.set_property("caps", Gst.Caps.from_string(caps))

    def push(self) -> bool:
        if self.number % self.options.each == 0:
            self.set_size()
        buffer = Gst.Buffer.new_wrapped(picture(self.number, *self.size()))
        self.number += 1
        return self.element.emit("push-buffer", buffer) == Gst.FlowReturn.OK


def serve(options: argparse.Namespace) -> None:
    """Serve /live until the process is ended; the port is written to the standard output."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    factory = GstRtspServer.RTSPMediaFactory()
    damage = f"! breakmydata probability={options.damage} skip=1000" if options.damage else ""
    factory.set_launch(
        "( appsrc name=pictures is-live=true do-timestamp=true format=time block=false "
        "! x264enc tune=zerolatency sliced-threads=false threads=1 speed-preset=ultrafast pass=quant quantizer=18 "
        f"key-int-max={options.rate} "
        f"! video/x-h264,profile=baseline,stream-format=byte-stream {damage} "
        "! rtph264pay name=pay0 config-interval=-1 )"
    )
    factory.set_shared(True)
    factory.connect("media-configure", lambda _, media: begin(media, options))
    if options.user:
        protect(server, factory, *options.user.split(":"))
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    sys.stdout.write(json.dumps(server.get_bound_port()) + "\n")
    sys.stdout.flush()
    GLib.timeout_add_seconds(2, lambda: server.get_session_pool().cleanup() >= 0)
    GLib.MainLoop().run()


def begin(media: Any, options: argparse.Namespace) -> None:
    source = Source(media.get_element().get_by_name("pictures"), options)
    timer = GLib.timeout_add(1000 // options.rate, source.push)
    media.connect("unprepared", lambda _: GLib.source_remove(timer))


def protect(server: Any, factory: Any, user: str, password: str) -> None:
    """Only who knows the password may see it."""
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", user)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    factory.add_role_from_structure(
        Gst.Structure.new_from_string(f"{user},media.factory.access=true,media.factory.construct=true")
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--sizes", type=json.loads, default=[[192, 96]])
    parser.add_argument("--each", type=int, default=1 << 30)
    parser.add_argument("--damage", type=float, default=0.0)
    parser.add_argument("--user", default="")
    return parser.parse_args()


if __name__ == "__main__":
    serve(arguments())
