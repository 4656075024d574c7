"""The locations that Google's pages name, and the nearest one to an unknown name."""

import difflib

LOCATIONS = frozenset(
    {
        *("global", "us", "eu"),
        *(
            "us-central1",
            "us-east1",
            "us-east4",
            "us-east5",
            "us-south1",
            "us-west1",
            "us-west2",
            "us-west3",
            "us-west4",
        ),
        *("northamerica-northeast1", "northamerica-northeast2", "northamerica-south1"),
        *("southamerica-east1", "southamerica-west1"),
        *("europe-central2", "europe-north1", "europe-north2", "europe-southwest1"),
        *("europe-west1", "europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8"),
        *("europe-west9", "europe-west10", "europe-west12"),
        *("asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3"),
        *("asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2", "asia-southeast3"),
        *("australia-southeast1", "australia-southeast2"),
        *("me-central1", "me-central2", "me-west1", "africa-south1"),
    }
)
"""Regions of Google Cloud, and the other locations of this endpoint.

Google's pages "Vertex AI locations" (docs.cloud.google.com/vertex-ai/docs/general/locations) and "Regions and zones";
not every region serves models.
"""


def is_known_location(location: str) -> bool:
    """Return whether Google's pages name the location; a new region may be missing here, and works nevertheless."""
    return location in LOCATIONS


def nearest_location(location: str) -> str:
    """Return the location that is most similar to the name; `global` if none is similar."""
    name = location.lower().replace("_", "-").replace(" ", "-")
    area, _, rest = name.partition("-")
    # "us-central" means "us-central1", not a name of the same length; "eu-west4" means "europe-west4".
    begun = sorted(each for each in LOCATIONS if rest and each.startswith(name))
    ends = sorted(each for each in LOCATIONS if rest and each.startswith(area) and each.endswith(f"-{rest}"))
    return next(iter(begun or ends or difflib.get_close_matches(name, sorted(LOCATIONS), n=1)), "global")
