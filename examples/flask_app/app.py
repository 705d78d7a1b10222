"""`flask --app app run`, then http://127.0.0.1:5000/whoami."""

from flask import Flask

import credconf

SCOPE = "https://storage.azure.com/.default"


def create_app() -> Flask:
    app = Flask(__name__)
    # If the configuration is wrong, the application does not start.
    credential = credconf.from_config()

    @app.get("/whoami")
    def whoami() -> dict[str, object]:
        token = credential.get_token(SCOPE)  # cached for about an hour
        return {**credential.describe(), "expires_on": token.expires_on}

    @app.errorhandler(credconf.AuthenticationError)
    def no_token(
        error: credconf.AuthenticationError,
    ) -> tuple[dict[str, object], int]:
        app.logger.error("no token: %s", error)  # no secret is in it
        body = {
            "error": "Azure is not available",
            "correlation_id": error.correlation_id,
        }
        return body, 503

    return app
