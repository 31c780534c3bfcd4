"""The service as an ASGI application: routes, and what each refuses in which words."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, Query, Request, WebSocket, WebSocketException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from .._version import __version__
from ..analyzer import Analyzer
from ..detect import load_card
from ..errors import PhizError
from ..models.card import ModelCard
from ..models.model_store import list_cards
from .access import (
    SECURITY_HEADERS,
    KnownHosts,
    SecurityHeaders,
    bearer,
    origin_allowed,
    subprotocol_token,
    token_matches,
)
from .audience import SPANS, Audience
from .body import Bodies
from .page import PAGE, Page, file_response, weights_files
from .prometheus import Metrics, Observe
from .queue import Engine, result_json
from .refusal import Code, Refused, Unread, plain
from .schema import (
    BODY,
    EXAMPLE,
    NO_REPORT,
    NOT_READY,
    REFUSALS,
    Answer,
    AudienceReport,
    ContentReport,
    Models,
    State,
)
from .screen import add_screen
from .serve_options import PARAMETERS, asked
from .settings import Settings
from .signage import Signage
from .signals import Signals
from .stream import Streams

logger = logging.getLogger("phiz.serve")


class Service:
    """The parts that requests share; `app.state.service` of every application."""

    def __init__(self, analyzer: Analyzer, settings: Settings) -> None:
        self.analyzer, self.settings = analyzer, settings
        self.metrics = Metrics()
        self.engine = Engine(analyzer, settings, self.metrics)
        self.bodies = Bodies(settings.limits)
        self.streams = Streams(self.engine, settings.limits, self.metrics)
        self.signals = Signals(settings.limits)
        self.audience = None if settings.audience is None else Audience(settings.audience)
        self.signage = None if settings.signage is None else Signage(settings.signage)
        if self.signage is not None:
            self.signals.listen(self.signage.take)
            if self.audience is not None:
                self.signage.listen(self.audience.on_shown)
        self.ending = False
        self.metrics.held.set_function(lambda: self.bodies.held)

    async def end(self) -> None:
        """Say that no more should come, and close the streams once each has its last answer."""
        self.ending = True
        await self.signals.end()
        if self.signage is not None:
            await self.signage.end()
        await self.streams.end(self.settings.limits.answer_seconds)


def create_app(analyzer: Analyzer, settings: Settings | None = None) -> FastAPI:
    """Return the application round a loaded analyzer.

    Raises StoreError where the settings name an audience database that cannot be read.
    """
    settings = settings or Settings()
    service = Service(analyzer, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as background:
            if service.signage is not None:
                background.start_soon(service.signage.run)
            yield
            if service.signage is not None:
                await service.signage.end()
        service.engine.close()

    app = FastAPI(
        title="phiz",
        version=__version__,
        summary="Age and gender from faces. Pictures are held in memory for the answer and never kept.",
        docs_url=None,  # both pages would load scripts from other hosts
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    if settings.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allow_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            expose_headers=["retry-after"],
        )
    app.add_middleware(KnownHosts, hosts=settings.hosts)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observe, metrics=service.metrics)  # the last one added is the outermost
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)
    _add_routes(app, service)
    _add_files(app)
    # Put in here, because FastAPI leaves every null out of an example that a model brings.
    app.openapi()["components"]["schemas"]["Answer"]["examples"] = [EXAMPLE]
    return app


def _add_routes(app: FastAPI, service: Service) -> None:
    settings, limits = service.settings, service.settings.limits
    scheme = HTTPBearer(auto_error=False, description="Only where the service was started with a token.")

    def authorise(request: Request) -> None:
        if not token_matches(settings.token, bearer(request.headers)):
            raise Refused(
                401,
                Code.token_required,
                "expected the service's token: Authorization: Bearer TOKEN",
                {"WWW-Authenticate": "Bearer"},
            )

    def own_origin(request: Request) -> None:
        if not origin_allowed(request.headers, settings.allow_origins):
            raise Refused(
                403,
                Code.foreign_origin,
                "expected a page of this service, got one of another origin; see --allow-origin",
            )

    protected: list[Any] = [Depends(authorise)] + ([Depends(scheme)] if settings.token else [])

    @app.post(
        "/v1/analyze",
        response_model=Answer,
        responses=REFUSALS,
        openapi_extra=BODY | PARAMETERS,
        dependencies=[Depends(own_origin), *protected],
    )
    async def analyze(request: Request) -> Response:
        """Say age and gender for every face in one picture or in several."""
        caution = asked(request.query_params, service.engine.card)
        async with service.bodies.pictures(request, service.engine.retry_after) as pictures:
            try:
                results = await service.engine.analyze(pictures, caution)
            except TimeoutError:
                raise Refused(
                    503,
                    Code.answer_timeout,
                    f"expected an answer within {limits.answer_seconds:g} seconds, got none; "
                    "send fewer pictures or try again later",
                    {"Retry-After": str(service.engine.retry_after)},
                ) from None
        body = f'"results": [{", ".join(map(result_json, results))}]'
        first = results[0]
        if isinstance(first, Unread) and all(result.error for result in results):
            detail = f"none of the pictures could be read: {first.error}"
            body = f'"detail": {json.dumps(detail, ensure_ascii=False)}, "code": "{first.code}", {body}'
            return Response(f"{{{body}}}", 422, media_type="application/json")
        return Response(f"{{{body}}}", media_type="application/json")

    def authorise_socket(socket: WebSocket) -> None:
        token = bearer(socket.headers) or subprotocol_token(socket.scope.get("subprotocols", []))
        if not origin_allowed(socket.headers, settings.allow_origins) or not token_matches(
            settings.token, token
        ):
            raise WebSocketException(1008)

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        authorise_socket(socket)
        await service.streams.serve(socket)

    @app.websocket("/v1/signals")
    async def signals(socket: WebSocket) -> None:
        authorise_socket(socket)
        await service.signals.serve(socket)

    if service.signage is not None:
        add_screen(app, service.signage, protected, authorise_socket)

    @app.get("/v1/models", response_model=Models, responses={401: REFUSALS[401]}, dependencies=protected)
    def models() -> dict[str, Any]:
        """Tell which model and detector answer, the bounds of a request, and every model's card.

        audience: whether /v1/audience has a database to report.
        """
        bounds = ("max_bytes", "max_pixels", "max_pictures", "max_frame_bytes")
        return {
            "model": service.analyzer.card.name,
            "gender_model": service.analyzer.gender_card.name,
            "detector": load_card().name,
            "limits": {name: getattr(limits, name) for name in bounds},
            "audience": service.audience is not None,
            "models": [card.to_dict() for card in _cards(service.analyzer)],
        }

    async def _reported(ask: Callable[[Audience], Awaitable[dict[str, Any]]]) -> Response:
        if service.audience is None:
            raise Refused(
                404,
                Code.no_audience,
                "this service has no audience database; start it with phiz serve --audience DB",
            )
        try:
            with anyio.fail_after(limits.answer_seconds):
                report = await ask(service.audience)
        except (PhizError, TimeoutError) as error:
            logger.error("audience: %s", error or "no report in time")
            detail = "the audience database cannot be read now; the service's log says why"
            raise Refused(503, Code.audience_unavailable, detail, {"Retry-After": "5"}) from None
        return JSONResponse(report)

    @app.get("/v1/audience", response_model=AudienceReport, responses=NO_REPORT, dependencies=protected)
    async def audience(
        period: Annotated[str, Query(json_schema_extra={"enum": list(SPANS)})] = "hour",
        since: Annotated[str | None, Query(alias="from", examples=["2026-11-22"])] = None,
        until: Annotated[str | None, Query(alias="to", examples=["2026-11-23T09:30"])] = None,
    ) -> Response:
        """Report how many people a screen had, as `phiz audience` does.

        from, to: a date or time, in the database's time zone unless it names another; lines are those whose
        period begins between them. By default the newest 2 days by the minute, 31 by the hour or 731 by the
        day, which are also the most.
        """
        return await _reported(lambda audience: audience.report(period, since, until))

    @app.get(
        "/v1/audience/contents", response_model=ContentReport, responses=NO_REPORT, dependencies=protected
    )
    async def contents(
        since: Annotated[str | None, Query(alias="from", examples=["2026-11-22"])] = None,
        until: Annotated[str | None, Query(alias="to", examples=["2026-11-23T09:30"])] = None,
    ) -> Response:
        """Report what contents were worth, as `phiz audience --by content` does.

        from, to: as those of /v1/audience; by default the newest 731 days, which are also the most.
        """
        return await _reported(lambda audience: audience.contents(since, until))

    @app.get("/healthz", response_model=State)
    async def healthz() -> dict[str, str]:
        """Answer as long as the process works."""
        return {"status": "ok"}

    @app.get("/readyz", response_model=State, responses=NOT_READY)
    async def readyz() -> dict[str, str]:
        """Answer 200 where new pictures would be taken on."""
        if service.ending or service.engine.busy:
            reason = Code.ending if service.ending else Code.busy
            raise Refused(503, reason, reason.value, {"Retry-After": str(service.engine.retry_after)})
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False, dependencies=protected)
    def metrics() -> Response:
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _add_files(app: FastAPI) -> None:
    files = weights_files()

    @app.get("/models/{name}", include_in_schema=False)
    def weights(name: str, request: Request) -> Response:
        if name not in files:
            raise Refused(404, Code.not_found, f"expected one of {', '.join(files)}")
        return file_response(files[name], request.scope)

    if not (PAGE / "index.html").is_file():
        return
    page, not_found = Page(), app.router.default

    async def page_or_not_found(scope: Scope, receive: Receive, send: Send) -> None:
        await (page if scope["type"] == "http" else not_found)(scope, receive, send)

    # Not mounted at "/": that would match before a route whose path fits and whose method does not (405).
    app.router.default = page_or_not_found


def _cards(analyzer: Analyzer) -> list[ModelCard]:
    """Return the card of every model that ships, and of those in use where they are others."""
    cards = (*list_cards(), analyzer.card, analyzer.gender_card)
    return list({card.name: card for card in cards}.values())


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse(plain(error), error.status_code, error.headers)


def _gone(_: Request, __: Exception) -> Response:
    """Answer nobody: the client left before its body was complete (499, as proxies log it)."""
    return Response(status_code=499)


def _failed(_: Request, __: Exception) -> Response:
    """Answer for an error of the service itself, which is logged by its server; outside all middleware."""
    detail = "the service failed on this request; its log says why"
    return JSONResponse({"detail": detail, "code": Code.failed.value}, 500, dict(SECURITY_HEADERS))
