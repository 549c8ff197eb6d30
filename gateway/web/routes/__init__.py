"""The modules of `gateway/web/routes/`.

- `engine`: engine.IO over twisted.web: one resource for polling, and for asking for a
  WebSocket.
- `metrics`: `/metrics`: a registry's numbers in the text format of Prometheus.
- `openapi`: the OpenAPI document, made of the table of routes and the types it names.
- `page`: the operator's page at `/`: files of this package, and what a browser may do with
  them.
- `rest`: the REST routes, served by Klein; `/health`, asked all the time, by a bare resource.
- `route_table`: the table of REST routes: `rest` serves it, the guard and OpenAPI read it.
- `schemas`: what requests may say and what answers look like; the OpenAPI document is made of
  it.
"""
