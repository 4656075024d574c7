"""All probes."""

from vertex_compat_integrations.cli.verify.probes import answers, billing, histories, limits, native, requests, routes

PROBES = (
    *requests.PROBES,
    *histories.PROBES,
    *answers.PROBES,
    *limits.PROBES,
    *routes.PROBES,
    *native.PROBES,
    *billing.PROBES,
)
