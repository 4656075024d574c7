"""All probes."""

from vertex_compat_integrations.cli.verify.probes import (
    answers,
    billing,
    histories,
    limits,
    links,
    native,
    requests,
    routes,
)

PROBES = (
    *requests.PROBES,
    *histories.PROBES,
    *answers.PROBES,
    *limits.PROBES,
    *routes.PROBES,
    *native.PROBES,
    *links.PROBES,
    *billing.PROBES,
)
