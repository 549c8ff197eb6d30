"""What each path answers.

- `route_table`: the one table of routes: path, method, handler, access, types.
- `rest`: the handlers of the REST routes.
- `schemas`: types of what requests may say and of what answers look like.
- `router`: Klein serves the table; errors become JSON.
- `openapi`: the OpenAPI document, made of the table.
- `page`: the operator's page: the files of `web/static`.
- `client_bundle`: the browsers' library, where pages of Socket.IO look for it.
- `polls`: polls and posts that wait for their answer.
- `old_polls`: the answer to polls of sessions of the gateway before this one.
- `engine`: `/socket.io/`: Engine.IO's polling, and the request for a WebSocket.

Only `app` imports these modules.
"""
