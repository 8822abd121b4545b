"""The application."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from amiss import __version__
from amiss.web.faults import add_faults
from amiss.web.gates import csrf_checked
from amiss.web.headers import Headers
from amiss.web.site import Site
from amiss.web.views import account, admin, api, benches, cameras, event, media, people, queue

__all__ = ["make_app"]

ROUTES = (
    account.routes,
    admin.routes,
    queue.routes,
    event.routes,
    cameras.routes,
    benches.routes,
    api.pages,
    api.routes,
    media.routes,
    people.routes,
)


def make_app(site: Site) -> FastAPI:
    """The pages and the API of a site.

    Args:
        site: What they show.
    """
    app = FastAPI(
        title="amiss review",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(csrf_checked)],
        redirect_slashes=False,
    )
    app.state.site = site
    app.add_middleware(Headers)
    add_faults(app)
    for routes in ROUTES:
        routes.add_to(app)
    return app
