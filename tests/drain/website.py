"""The maintenance site as Azure Storage serves it: its blobs by GET and HEAD, and one page for everything else."""

from __future__ import annotations

from tests.drain.exported_fleet import Website
from tests.drain.http_exchange import Answer, Request


async def serve(site: Website, request: Request) -> Answer:
    """Answer a request; other methods get 405, other hosts 400."""
    if request.headers.get("host") != site.host_name:
        return Answer(400)
    if request.method not in {"GET", "HEAD"}:
        return Answer(405)
    name = request.target.partition("?")[0].removeprefix("/") or site.index
    status, page = (200, name) if name in site.pages else (404, site.not_found)
    return Answer(status, {"content-type": "text/html"}, site.pages[page].encode())
