"""Heroku by its Platform API v3 (devcenter.heroku.com/articles/platform-api-reference).

The credential is an API key or an OAuth token, sent to the endpoint, and to Heroku Postgres' API, whose host follows
from it. To look, the scopes read and read-protected are enough (read alone hides config variables, which are then not
compared); operations need write-protected.
"""

from changeover.platforms.heroku.kind import HerokuKind

PLATFORM = HerokuKind
