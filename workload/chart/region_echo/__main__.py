"""Starts the service and ends it: `python -m region_echo`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from region_echo.application import Application
from region_echo.cosmos import CosmosVisits
from region_echo.http_server import HttpServer
from region_echo.settings import Settings, SettingsError, read_settings
from region_echo.telemetry import Log, Metrics
from region_echo.traces import TraceExporter


async def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return 0 when every request was answered."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    place = {
        "region": settings.region,
        "stamp": settings.stamp,
        "cluster": settings.cluster,
        "pod": settings.pod,
        "track": settings.track,
    }
    log = Log(place)
    metrics = Metrics({name: place[name] for name in ("region", "stamp", "track")})
    visits = CosmosVisits(settings.database, settings.region, log, metrics) if settings.database else None
    traces = TraceExporter(settings.traces_endpoint, place, log) if settings.traces_endpoint else None
    application = Application(settings, visits, log, metrics, traces.add if traces else None)
    server, metrics_server = HttpServer(application.handle), HttpServer(application.metrics)
    await server.start("0.0.0.0", settings.port)  # noqa: S104 - the pod's only address; network policies decide who comes
    await metrics_server.start("0.0.0.0", settings.metrics_port)  # noqa: S104 - as above
    application.ready = True
    log.write("info", "serving", port=server.port, metrics_port=metrics_server.port, database=bool(visits))
    await stop.wait()

    application.ready = False
    log.write("info", "ending", seconds=settings.shutdown_seconds)
    # Routes have forgotten this pod while preStop slept; what is still on its way is accepted a little longer.
    linger = min(5.0, settings.shutdown_seconds / 3)
    cut_off = await server.finish(linger, settings.shutdown_seconds)
    await metrics_server.finish(0, 0)
    if visits:
        visits.close()
    if traces:
        traces.close()
    log.write("info" if not cut_off else "error", "ended", requests_cut_off=cut_off)
    return 1 if cut_off else 0


def main() -> int:
    """Read the settings and serve."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"region-echo: the environment is not as expected:\n{error}\n")
        return 2
    return asyncio.run(serve(settings))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # A worker thread may still wait for a database that does not answer, and the interpreter would wait for it.
    os._exit(code)
