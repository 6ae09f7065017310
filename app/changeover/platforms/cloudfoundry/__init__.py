"""Cloud Foundry, by its API of version 3 (v3-apidocs.cloudfoundry.org), as SAP BTP and cloud.gov have it, and Korifi.

Nobody is needed for a login with a client of the UAA or a user's password. A refresh token of `cf login` (with `--sso`
where there is single sign-on) works until it ends, which `changeover account verify` tells; a one-time passcode works
for as long as this Changeover runs, since what it leaves behind is kept in memory only. The secret goes to the
login server that the API names only where that is beside the API, such as login.cf.example.net beside
api.cf.example.net; any other is named in `uaa`.

What a foundation lacks, as Korifi does, or does not show to the account's role is left out of what is told. A mapped
route may stand before DNS leads there. In maintenance a route leads to the page app, and keeps what it led to under
names of processes that no app has, so that taking it back is exact; at Korifi that does not work, and is refused.
"""

from changeover.platforms.cloudfoundry.kind import CloudFoundryKind

PLATFORM = CloudFoundryKind
