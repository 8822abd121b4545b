"""The review page: what was amiss, seen in seconds, and what is normal, said with a key."""

from amiss.web.app import make_app
from amiss.web.serve import open_site, serve
from amiss.web.site import Site

__all__ = ["Site", "make_app", "open_site", "serve"]
