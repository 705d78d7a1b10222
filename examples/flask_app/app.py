"""`flask --app app run`, then http://127.0.0.1:5000/whoami."""

from flask import Flask

import credconf

SCOPE = "https://storage.azure.com/.default"


def create_app() -> Flask:
    app = Flask(__name__)
    credential = credconf.from_config()  # a broken configuration stops the start, not somebody's request

    @app.get("/whoami")
    def whoami() -> dict[str, object]:
        token = credential.get_token(SCOPE)  # from memory, but for about once an hour
        return {**credential.describe(), "expires_on": token.expires_on}

    @app.errorhandler(credconf.AuthenticationError)
    def no_token(error: credconf.AuthenticationError) -> tuple[dict[str, object], int]:
        app.logger.error("no token: %s", error)  # the log says why, the client learns how to ask about it
        return {"error": "Azure is not available", "correlation_id": error.correlation_id}, 503

    return app
