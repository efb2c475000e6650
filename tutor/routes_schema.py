"""The route of the JSON Schema of scenario files, which editors fetch: /schema/scenario.json"""

from __future__ import annotations

import json

from flask import Flask, Response, request

from tutor import schema


def add(app: Flask) -> None:
    """The route of this module."""

    @app.get(schema.PATH)
    def scenario_schema() -> Response:
        text = json.dumps(schema.schema(request.base_url), ensure_ascii=False, indent=1)
        return Response(f"{text}\n", content_type="application/schema+json")
